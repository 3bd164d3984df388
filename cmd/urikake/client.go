package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strings"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
)

// client sends requests to a ledger: to a server, or within this process to the same router over the data directory.
type client struct {
	http  *http.Client
	base  string // such as http://127.0.0.1:8080
	key   string // "": none
	actor string // on whose behalf
}

// request is what is asked of the ledger.
type request struct {
	path   string
	query  url.Values
	accept string
	body   io.Reader // nil: GET, else POST
	header map[string]string
}

var errUnreachable = &domain.Error{
	Code: domain.Unavailable, Rule: "client.unreachable",
	Text: "no server answers there; start one with `urikake serve`, or name another with --server URL",
}

var errBrokenOff = &domain.Error{
	Code: domain.Unavailable, Rule: "client.broken_off",
	Text: "the answer broke off before its end; ask again",
}

// send gives the answer, whose body the caller closes. Refuses what the ledger refuses.
func (c *client) send(ctx context.Context, r request) (*http.Response, error) {
	method := http.MethodGet
	if r.body != nil {
		method = http.MethodPost
	}
	address := c.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	q, err := http.NewRequestWithContext(ctx, method, address, r.body)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Accept", cmp.Or(r.accept, "application/json"))
	q.Header.Set(httpapi.ActorHeader, c.actor)
	if c.key != "" {
		q.Header.Set("Authorization", "Bearer "+c.key)
	}
	for name, value := range r.header {
		q.Header.Set(name, value)
	}
	answer, err := c.http.Do(q)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		defer answer.Body.Close()
		return nil, refused(answer, c.base)
	}
	answer.Body = &wholeBody{answer.Body, ctx}
	return answer, nil
}

// unreachable says of what the network said what to do about it.
func (c *client) unreachable(ctx context.Context, err error) error {
	var at *url.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case c.base == httpapi.LocalURL:
		return err
	case errors.As(err, &at):
		err = at.Err
	}
	return errUnreachable.With("%s: %v", c.base, err)
}

// wholeBody tells a reader that an answer is not whole in words that say what to do.
type wholeBody struct {
	io.ReadCloser
	ctx context.Context
}

func (b *wholeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case b.ctx.Err() != nil:
		return n, b.ctx.Err()
	}
	return n, errBrokenOff.With("%v", err)
}

// object sends a request and reads the one object that it is answered with.
func (c *client) object(ctx context.Context, r request, to any) (http.Header, error) {
	answer, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return answer.Header, json.NewDecoder(answer.Body).Decode(to)
}

// posted is a body of JSON.
func posted(object any) (io.Reader, error) {
	b, err := json.Marshal(object)
	return bytes.NewReader(b), err
}

// work sends a request for work that takes long, shows how far it is, and gives its result, which may stand beside what
// was refused.
func work[R any](ctx context.Context, c *client, bar *progress, r request) (result R, err error) {
	answer, err := c.send(ctx, r)
	if err != nil {
		return result, err
	}
	defer answer.Body.Close()
	for lines := json.NewDecoder(answer.Body); ; {
		var line httpapi.Line[R]
		if err := lines.Decode(&line); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errBrokenOff
			}
			return result, err
		}
		if line.Progress != nil {
			bar.set(line.Progress.Done, line.Progress.Total)
		}
		if line.Result != nil {
			result = *line.Result
		}
		if line.Problem != nil {
			return result, refusalOf(line.Problem)
		}
		if line.Result != nil {
			return result, nil
		}
	}
}

// far is the client of --server.
func (s *session) far() (*client, error) {
	key, err := s.key()
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(s.server)
	switch {
	case err != nil, at.Scheme != "http" && at.Scheme != "https", at.Hostname() == "", at.RawQuery != "", at.Fragment != "":
		return nil, errUsage.With("--server: want an address such as https://ledger.example or http://127.0.0.1:8080")
	case at.User != nil:
		return nil, errUsage.With("--server takes no password; the key comes from %s or --key-file", keyVariable)
	case at.Scheme == "http" && key != "" && !isLoopback(at.Hostname()) && os.Getenv(insecureVariable) != "1":
		return nil, errUsage.With("--server %s must be https, else everyone on the way can read the key; %s=1 sends it nevertheless", s.server, insecureVariable)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the key is for this server
	return &client{
		http: &http.Client{CheckRedirect: stay}, base: strings.TrimRight(s.server, "/"), key: key, actor: s.actor(),
	}, nil
}

const (
	keyVariable      = "URIKAKE_KEY"
	insecureVariable = "URIKAKE_INSECURE"
)

// key is read from where other users of the machine don't see it, as they see what is typed.
func (s *session) key() (string, error) {
	if s.keyFile == "" {
		return strings.TrimSpace(os.Getenv(keyVariable)), nil
	}
	b, err := os.ReadFile(s.keyFile)
	if err == nil && len(bytes.TrimSpace(b)) == 0 {
		err = fmt.Errorf("%s is empty", s.keyFile)
	}
	if err != nil {
		return "", errUsage.With("--key-file: %v", err)
	}
	return string(bytes.TrimSpace(b)), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// actor is who gives commands.
func (s *session) actor() string {
	if s.behalf != "" {
		return s.behalf
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "command line"
}
