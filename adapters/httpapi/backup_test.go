package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// exported is every line of a log.
func exported(t *testing.T, dir string) string {
	t.Helper()
	log, err := sqlite.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var all []byte
	head, _ := log.Head(t.Context())
	for r, err := range log.Follow(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if all, err = AppendEventLine(all, r); err != nil {
			t.Fatal(err)
		}
		if r.Position == head {
			break
		}
	}
	return string(all)
}

// What is sent is a backup: it is restored, and gives what a local one gives, and the access trail tells of it.
func TestBackup(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	got := h.get("/v1/backup", admin, "X-Request-Id: the-backup")
	head, _ := h.books.Store.Head(t.Context())
	if got.status != http.StatusOK || got.header.Get("Content-Type") != TypeBackup || got.header.Get(positionHeader) != fmt.Sprint(head) ||
		got.header.Get("Content-Length") != fmt.Sprint(len(got.body)) || got.header.Get("Content-Encoding") != "" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	dir := t.TempDir()
	beside, err := sqlite.OpenBeside(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	local := filepath.Join(dir, "local")
	if _, err := beside.Backup(t.Context(), local, false, nil, nil, h.books.Clock(), nil); err != nil {
		t.Fatal(err)
	}
	sent := filepath.Join(dir, "sent")
	if err := os.WriteFile(sent, []byte(got.body), 0o600); err != nil {
		t.Fatal(err)
	}
	var exports []string
	for _, file := range []string{local, sent} {
		to := file + "-restored"
		if c, err := sqlite.Restore(t.Context(), file, to, nil, nil, nil); err != nil || c.Position != head {
			t.Fatalf("%s: %+v, %v", file, c, err)
		}
		exports = append(exports, exported(t, to))
	}
	if exports[0] != exports[1] || strings.Count(exports[0], "\n") != int(head) {
		t.Errorf("the one that was sent has\n%s\nthe local one\n%s", exports[1], exports[0])
	}
	if left, _ := filepath.Glob(filepath.Join(h.dir, ".backup-*")); len(left) > 0 {
		t.Errorf("it leaves %v", left)
	}
	own := h.linesOf("get-backup", "the-backup")
	if len(own) != 2 || own[0].Event != trail.Begun || own[0].Position != head || own[1].Event != trail.Ended || own[1].Broken || own[1].Bytes != int64(len(got.body)) {
		t.Errorf("the access trail: %+v", own)
	}
}

func TestBackupRefused(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	for key, rule := range map[string]string{
		h.key(access.Auditor, ""): ErrForbidden.Rule, h.key(access.Clerk, ""): ErrForbidden.Rule, h.key(access.Admin, "S"): ErrOtherSeller.Rule,
	} {
		if got := h.get("/v1/backup", key); got.problem(t).Rule != rule {
			t.Errorf("want %s: %s", rule, got.body)
		}
	}
	if got := h.get("/v1/backup", admin, "Accept: text/csv"); got.problem(t).Rule != ErrNotAccept.Rule {
		t.Error(got.body)
	}
	made := 0
	h.api.books.Backup = func(context.Context) (*Backup, error) {
		made++
		return nil, sqlite.ErrNoRoom.With("none at all")
	}
	if got := h.send(http.MethodHead, "/v1/backup", "", admin); got.status != http.StatusOK || got.header.Get("Content-Type") != TypeBackup || made != 0 {
		t.Errorf("HEAD: %d %v, %d were made", got.status, got.header, made)
	}
	for range 2 { // the place is free again
		if got := h.get("/v1/backup", admin); got.problem(t).Rule != sqlite.ErrNoRoom.Rule || got.status != http.StatusServiceUnavailable {
			t.Error(got.body)
		}
	}
	h.api.books.Backup = nil
	if got := h.get("/v1/backup", admin); got.problem(t).Rule != ErrBackupElsewhere.Rule || got.status != http.StatusConflict {
		t.Error(got.body)
	}
}

// slowBackup gives a chunk at a time, and fails where it is told to.
type slowBackup struct {
	chunks chan []byte
	closed chan struct{}
}

func (s slowBackup) Read(b []byte) (int, error) {
	chunk, ok := <-s.chunks
	if !ok {
		return 0, errors.New("the disk is gone")
	}
	return copy(b, chunk), nil
}

func (s slowBackup) Close() error {
	close(s.closed)
	return nil
}

// One backup at a time; what breaks off in the middle does so for the client, too, and is recorded.
func TestBackupsOneByOne(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	slow := slowBackup{make(chan []byte), make(chan struct{})}
	h.api.books.Backup = func(context.Context) (*Backup, error) {
		return &Backup{ReadCloser: slow, Size: 1 << 20, Position: eventstore.Position(3)}, nil
	}
	r, err := http.NewRequest(http.MethodGet, h.url+"/v1/backup", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimPrefix(admin, "Authorization: Bearer "))
	r.Header.Set("X-Request-Id", "broken")
	ended := make(chan error, 1)
	go func() {
		answer, err := http.DefaultClient.Do(r)
		if err == nil {
			defer answer.Body.Close()
			_, err = io.Copy(io.Discard, answer.Body)
		}
		ended <- err
	}()
	slow.chunks <- bytes.Repeat([]byte("x"), 32<<10)
	slow.chunks <- bytes.Repeat([]byte("x"), 32<<10)
	got := h.get("/v1/backup", admin)
	if p := got.problem(t); p.Rule != ErrBackupUnderWay.Rule || p.Status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("a second one: %d %s", got.status, got.body)
	}
	close(slow.chunks)
	if err := <-ended; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the client is told %v", err)
	}
	<-slow.closed
	if own := h.linesOf("get-backup", "broken"); len(own) != 2 || !own[1].Broken {
		t.Errorf("%+v", own)
	}
}

// A backup that can't be recorded is not sent, and the refusal is a whole answer.
func TestBackupUnrecorded(t *testing.T) {
	h := open(t)
	h.furnish("S")
	if err := os.WriteFile(filepath.Join(h.dir, "trail"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := h.get("/v1/backup"); got.problem(t).Rule != trail.ErrUnavailable.Rule || got.header.Get("Content-Disposition") != "" {
		t.Errorf("%v %s", got.header, got.body)
	}
	if left, _ := filepath.Glob(filepath.Join(h.dir, ".backup-*")); len(left) > 0 {
		t.Errorf("it leaves %v", left)
	}
}
