package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore/sqlite"
)

// One process at a time has a data directory; another is told so, does nothing, and may come again.
func TestLockedDirectory(t *testing.T) {
	dir := t.TempDir()
	other, err := sqlite.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	verbs := [][]string{{"report", "aging", "--seller", "S"}, {"events", "export"}, {"views", "status"}, {"views", "rebuild"}}
	for _, verb := range verbs {
		var stdout, stderr bytes.Buffer
		code := run(append([]string{"--data", dir}, verb...), strings.NewReader(""), &stdout, &stderr)
		if code != exitFailed || stdout.Len() > 0 || !strings.Contains(stderr.String(), "log.locked") || !strings.Contains(stderr.String(), dir) {
			t.Errorf("%s: exit %d: %s", verb, code, stderr.String())
		}
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if got := typed(t, "--data", dir, "views", "status"); !strings.Contains(got, "items") {
		t.Error(got)
	}
}
