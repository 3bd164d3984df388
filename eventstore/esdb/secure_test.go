package esdb

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/esdbserver/certtest"
	"github.com/urikake/urikake/eventstore/memory"
)

// certificate is one for this machine, and the file by which clients know it.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	cert, key := certtest.Files(t)
	return certtest.Load(t, cert, key), cert
}

// TestTLSAndCredentials: who has the password gets in over TLS, and who has not is told so at once.
func TestTLSAndCredentials(t *testing.T) {
	cert, ca := certificate(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("ledger:s3cret word"))
	config := esdbserver.Config{
		Store: memory.New(time.Now), TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, Drain: time.Second,
		Admit: func(ctx context.Context, header http.Header, _ net.Addr) (context.Context, esdbserver.Caller, error) {
			if header.Get("Authorization") != want {
				return nil, esdbserver.Caller{}, &domain.Error{Code: domain.Refused, Rule: "test.who", Text: "who are you"}
			}
			return ctx, esdbserver.Caller{Appends: esdbserver.Anything}, nil
		},
	}
	go func() { done <- esdbserver.New(config).Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	at := func(password, settings string) Address {
		return mustParse(t, "esdb://ledger:"+url.PathEscape(password)+"@"+listener.Addr().String()+"?tlsCAFile="+url.QueryEscape(ca)+settings)
	}

	s := open(t, at("s3cret word", "&prefix=a."), Options{})
	mustAppend(t, s, "s", 0, event("a"))
	if n := len(read(t, s, "s")); n != 1 || len(followed(t, s, 1)) != 1 {
		t.Errorf("%d events", n)
	}

	began := time.Now()
	s = open(t, at("guess", ""), Options{})
	_, err = s.Append(limited(t), "s", 0, event("a"))
	if !errors.Is(err, eventstore.ErrUnavailable) || !strings.Contains(err.Error(), "credentials") || strings.Contains(err.Error(), "guess") {
		t.Errorf("a wrong password: %v", err)
	}
	for _, err := range s.Follow(limited(t), 0) {
		if !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("follow with a wrong password: %v", err)
		}
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("a wrong password took %v", took)
	}

	strange := mustParse(t, "esdb://ledger:x@"+listener.Addr().String()) // by nobody we know
	if err := open(t, strange, Options{}).Ready(limited(t)); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("an unknown certificate: %v", err)
	}
}

// TestSeveralHosts finds the one that lives through gossip.
func TestSeveralHosts(t *testing.T) {
	server := startServer(t, fresh())
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	for _, hosts := range []string{
		"esdb://" + dead.Addr().String() + "," + server.address,
		"esdb://" + server.address + "," + dead.Addr().String(),
		"esdb+discover://" + server.address,
	} {
		s := open(t, mustParse(t, hosts+"?tls=false"), Options{})
		if err := s.Ready(limited(t)); err != nil {
			t.Errorf("%s: %v", hosts, err)
		}
	}
}
