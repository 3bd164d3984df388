package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/urikake/urikake/adapters/trail"
)

// Check is one thing without which requests are not served well. Probe tells how it stands, or why it fails; it is
// asked by one goroutine at a time and need not mind ctx.
type Check struct {
	Name  string
	Probe func(ctx context.Context) (detail string, err error)
}

const (
	checkEvery  = 2 * time.Second // as often as a check is made, however often it is asked for
	checkWait   = 2 * time.Second // a check that has no answer by then fails
	faultLasts  = 30 * time.Second
	probeBytes  = 1 << 20 // that the log's disk must take
	probeFile   = "ready.probe"
	drainDetail = "the server is shutting down"
)

// Health answers whether the process lives and whether it should be sent requests.
type Health struct{ checks []*standing }

// NewHealth is ready while all checks pass.
func NewHealth(checks ...Check) *Health {
	h := &Health{}
	for _, c := range checks {
		h.checks = append(h.checks, &standing{Check: c})
	}
	return h
}

// Live answers 200 whenever it is asked: a process that can't answer is what it is for.
func (h *Health) Live(w http.ResponseWriter, r *http.Request) {
	answerHealth(w, http.StatusOK, map[string]string{"status": "ok"})
}

type checked struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// Ready answers 200 if all checks pass, and else, or once the server shuts down, 503; always with each check.
func (h *Health) Ready(w http.ResponseWriter, r *http.Request) {
	answer := struct {
		Status string    `json:"status"`
		Checks []checked `json:"checks"`
	}{"ok", []checked{}}
	status := http.StatusOK
	add := func(name, detail string, err error) {
		c := checked{name, "ok", detail}
		if err != nil {
			c.Status, c.Detail = "failing", err.Error()
			answer.Status, status = "unavailable", http.StatusServiceUnavailable
		}
		answer.Checks = append(answer.Checks, c)
	}
	select {
	case <-Draining(r.Context()):
		add("server", "", errors.New(drainDetail))
	default:
		add("server", "", nil)
	}
	for _, c := range h.checks {
		detail, err := c.now(r.Context())
		add(c.Name, detail, err)
	}
	answerHealth(w, status, answer)
}

func answerHealth(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
}

// standing is a check with its newest answer.
type standing struct {
	Check
	mu      sync.Mutex
	running chan struct{} // closed when the probe under way has its answer; nil: none is
	at      time.Time
	detail  string
	err     error
}

// now gives an answer that is at most checkEvery old. A probe that hangs, as on a disk that does, fails after checkWait;
// no second one is started beside it.
func (s *standing) now(ctx context.Context) (string, error) {
	s.mu.Lock()
	if s.running == nil && (s.at.IsZero() || time.Since(s.at) >= checkEvery) {
		s.running = make(chan struct{})
		go s.probe(context.WithoutCancel(ctx))
	}
	running := s.running
	s.mu.Unlock()
	if running != nil {
		wait := time.NewTimer(checkWait)
		defer wait.Stop()
		select {
		case <-running:
		case <-wait.C:
			return "", fmt.Errorf("no answer within %s", checkWait)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.detail, s.err
}

func (s *standing) probe(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	detail, err := s.Probe(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.detail, s.err = time.Now(), detail, err
	close(s.running)
	s.running = nil
}

// LogCheck passes while the log can be written, as far as can be told without writing events: the data directory takes
// another 1 MiB (a full or read-only disk does not), and fault, such as Metrics.AppendFault, knows of no append that
// failed lately.
func LogCheck(dir string, fault func(within time.Duration) error) Check {
	return Check{"log", func(context.Context) (string, error) {
		if err := fault(faultLasts); err != nil {
			return "", err
		}
		if err := writeProbe(filepath.Join(dir, probeFile)); err != nil {
			return "", fmt.Errorf("the data directory can't be written: %w", bare(err))
		}
		return "writable", nil
	}}
}

// TrailCheck passes while reads can be recorded: else they are refused.
func TrailCheck(t *trail.Trail) Check {
	return Check{"trail", func(context.Context) (string, error) {
		if err := t.Check(faultLasts); err != nil {
			return "", fmt.Errorf("the access trail can't be written, and so nobody may read: %w", bare(err))
		}
		return "writable", nil
	}}
}

// writeProbe writes a file and removes it before the system brings it to the disk, so it costs no more than copying.
func writeProbe(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeBytes))
	return errors.Join(err, f.Close(), os.Remove(path))
}

// bare takes the path off an error: whoever may ask need not know where the data is.
func bare(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// LagCheck passes while the read models are at most so many events behind the log.
func LagCheck(most uint64, lag func(ctx context.Context) (uint64, error)) Check {
	return Check{"views", func(ctx context.Context) (string, error) {
		behind, err := lag(ctx)
		if err == nil && behind > most {
			err = fmt.Errorf("%d events behind the log, at most %d are allowed", behind, most)
		}
		return fmt.Sprintf("%d events behind the log", behind), err
	}}
}
