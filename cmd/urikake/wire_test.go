package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// certificateFiles writes a certificate for this machine, and its key.
func certificateFiles(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "urikake"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "EC PRIVATE KEY", secret)
}

// The log of a served ledger, through the official client: over TLS, from a certificate in files, until the server ends.
func TestServeEventStoreDB(t *testing.T) {
	cert, key := certificateFiles(t)
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var out, told shared
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		c := serveCmd{Log: "json", EventStore: eventStoreFlags{Listen: "127.0.0.1:0", Cert: cert, Key: key}}
		ended <- c.serve(ctx, &session{dir: t.TempDir(), out: &out, err: &told}, listener)
	}()
	defer end()
	greeting := regexp.MustCompile(`the log is at (esdb://127\.0\.0\.1:\d+), to be read\n`)
	var url string
	for deadline := time.Now().Add(30 * time.Second); url == ""; time.Sleep(10 * time.Millisecond) {
		if m := greeting.FindStringSubmatch(out.String()); m != nil {
			url = m[1]
		} else if time.Now().After(deadline) {
			t.Fatalf("no greeting: %s", out.String())
		}
	}
	req, _ := http.NewRequest(http.MethodPost, addressOf(listener)+"/v1/sellers", strings.NewReader(
		`{"seller":"S","name":"S","time_zone":"Asia/Tokyo","base_currency":"JPY","language":"ja","default_series":"INV"}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	resp.Body.Close()

	config, err := esdb.ParseConnectionString(url + "?tlsCAFile=" + cert)
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	sub, err := client.SubscribeToAll(t.Context(), esdb.SubscribeToAllOptions{From: esdb.Start{}})
	if err != nil {
		t.Fatal(err)
	}
	if e := sub.Recv(); e.EventAppeared == nil || e.EventAppeared.OriginalEvent().EventType != "seller.registered" {
		t.Errorf("%+v", e)
	}
	_, err = client.AppendToStream(t.Context(), "orders", esdb.AppendToStreamOptions{}, esdb.EventData{EventType: "x"})
	if err == nil || !strings.Contains(err.Error(), "may only be read") {
		t.Errorf("append: %v", err)
	}
	end()
	for e := sub.Recv(); e.SubscriptionDropped == nil; {
		e = sub.Recv()
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if log := told.String(); !strings.Contains(log, `"method":"/event_store.client.streams.Streams/Read"`) {
		t.Errorf("no line for the call: %s", log)
	}
}
