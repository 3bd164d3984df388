package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore/esdbserver"
)

// eventStoreFlags say where and how the log is served to EventStoreDB's clients.
type eventStoreFlags struct {
	Listen   string `help:"Address and port at which clients of EventStoreDB may read the log." placeholder:"ADDRESS:PORT"`
	Writable bool   `help:"Let them append, too."`
	Cert     string `help:"Certificate chain in PEM: they are then answered over TLS only." placeholder:"FILE" type:"path"`
	Key      string `help:"The certificate's private key in PEM." placeholder:"FILE" type:"path"`
}

// wireDoor is an open port for EventStoreDB's clients; a nil listener: there is none.
type wireDoor struct {
	eventStoreFlags
	listener net.Listener
	tls      *tls.Config
}

var (
	errCertificate = &domain.Error{
		Code: domain.Invalid, Rule: "serve.certificate",
		Text: "--eventstore-cert and --eventstore-key name a certificate in PEM and its private key, both or neither",
	}
	errEventStoreListen = &domain.Error{
		Code: domain.Unavailable, Rule: "serve.cannot_listen_eventstore",
		Text: "clients of EventStoreDB can't be answered at this address; stop what has it, or name another with --eventstore-listen 127.0.0.1:PORT",
	}
)

// open reads the certificate and takes the port.
func (f eventStoreFlags) open() (*wireDoor, error) {
	d := &wireDoor{eventStoreFlags: f}
	if f.Listen == "" {
		if f.Writable || f.Cert != "" || f.Key != "" {
			return nil, errUsage.With("--eventstore-writable, --eventstore-cert and --eventstore-key go with --eventstore-listen ADDRESS:PORT")
		}
		return d, nil
	}
	if (f.Cert == "") != (f.Key == "") {
		return nil, errCertificate
	}
	if f.Cert != "" {
		pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return nil, errCertificate.With("%v", err)
		}
		d.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	var err error
	d.listener, err = listenOr(errEventStoreListen, f.Listen)
	return d, err
}

func (d *wireDoor) close() {
	if d.listener != nil {
		d.listener.Close()
	}
}

// greet says where the log is.
func (d *wireDoor) greet(s *session) error {
	if d.listener == nil {
		return nil
	}
	how, suffix := "to be read", ""
	if d.Writable {
		how = "to be read and appended to"
	}
	if d.tls == nil {
		suffix = "?tls=false"
	}
	_, err := fmt.Fprintf(s.out, "the log is at esdb://%s%s, %s\n", reachable(d.listener), suffix, how)
	return err
}

// serve answers EventStoreDB's clients until ctx ends.
func (d *wireDoor) serve(ctx context.Context, c esdbserver.Config) error {
	if d.listener == nil {
		return nil
	}
	c.TLS = d.tls
	return esdbserver.New(c).Serve(ctx, d.listener)
}
