package docs_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections"
)

const shownURL = "http://127.0.0.1:8080"

// TestGeneratedAPI types every command of api.md's console blocks, in a shell, against a server on a fresh ledger, and
// compares what is printed.
func TestGeneratedAPI(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed, and api.md is typed with it")
	}
	old, err := os.ReadFile("api.md")
	if err != nil {
		t.Fatal(err)
	}
	s := shell{dir: t.TempDir(), url: serve(t)}
	if err := os.WriteFile(filepath.Join(s.dir, ".curlrc"), []byte("silent\nshow-error\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := consoleBlock.ReplaceAllStringFunc(string(old), func(block string) string { return s.retype(t, block) })
	golden(t, "api.md", fresh)
}

var consoleBlock = regexp.MustCompile("(?s)```console\n.*?```")

// serve starts a server on a ledger whose clock stands still, and gives its address.
func serve(t *testing.T) string {
	dir := t.TempDir()
	clock := func() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }
	store, err := sqlite.Open(dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	codec := ledger.Codec()
	views, err := projections.Open(dir, store, codec)
	if err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(httpapi.Books{Store: store, Codec: codec, Ledger: ledger.New(store, codec, eventstore.SnapshotDir(filepath.Join(dir, "snapshots"))).At(clock), Views: views, Clock: clock}, httpapi.Options{})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- api.Run(ctx) }()
	go func() { _ = views.Run(ctx); ended <- nil }()
	server := httptest.NewServer(api)
	t.Cleanup(func() {
		stop()
		<-ended
		<-ended
		server.Close()
		if err := views.Close(); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return server.URL
}

// shell types commands. $TOKEN and $NEXT are what was printed last.
type shell struct {
	dir, url, token, next string
	tokens                []string
}

func (s *shell) retype(t *testing.T, block string) string {
	t.Helper()
	var out strings.Builder
	out.WriteString("```console\n")
	for line := range strings.Lines(block) {
		typed, ok := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		if !ok {
			continue
		}
		out.WriteString(line)
		printed := s.run(t, typed)
		out.WriteString(printed)
		if printed != "" && !strings.HasSuffix(printed, "\n") {
			out.WriteString("\n")
		}
	}
	return out.String() + "```"
}

func (s *shell) run(t *testing.T, typed string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(typed, shownURL, s.url))
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "CURL_HOME="+s.dir, "TOKEN="+s.token, "NEXT="+s.next, "no_proxy=127.0.0.1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v: %s", typed, err, stderr.String())
	}
	return s.shown(string(b))
}

var (
	tokenPrinted = regexp.MustCompile(`urikake_([A-Z0-9]{12})_[A-Za-z0-9_-]{43}`)
	nextPrinted  = regexp.MustCompile(`"next":"([^"]+)"`)
	idPrinted    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

// shown is what was printed, with other ids and tokens in the place of those that chance has made.
func (s *shell) shown(printed string) string {
	if m := tokenPrinted.FindStringSubmatch(printed); m != nil {
		s.token = m[0]
		s.tokens = append(s.tokens, m[1])
	}
	if m := nextPrinted.FindStringSubmatch(printed); m != nil {
		s.next = m[1]
	}
	printed = tokenPrinted.ReplaceAllString(printed, "urikake_${1}_c2VjcmV0IGFzIHNob3duIGluIHRoZSBleGFtcGxlcyE")
	for i, id := range s.tokens {
		printed = strings.ReplaceAll(printed, id, fmt.Sprintf("QX4MZ7WN2KB%c", 'A'+i))
	}
	printed = idPrinted.ReplaceAllString(printed, "019ac3f0-7a10-7000-8000-5d1e9b2f4c63")
	return strings.ReplaceAll(printed, s.url, shownURL)
}
