package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// printed is what the program prints.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("urikake %s: exit %d: %s", strings.Join(args, " "), code, errs.String())
	}
	return out.String()
}

// withoutLimits leaves out of a report how credit limits stand: those are today's wherever they are shown.
func withoutLimits(t *testing.T, text string) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			if name := rows[0][i]; name != "credit_limit" && name != "limit_use_percent" {
				fmt.Fprintf(&b, "%q,", cell)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestReplayIsKnownAt cuts two years of books at positions taken by chance: every report on the copy is the one that
// --known-at gives on the original.
func TestReplayIsKnownAt(t *testing.T) {
	dir := t.TempDir()
	books := filepath.Join(dir, "books")
	if err := copyDemo(books); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		until := fmt.Sprint(1000 + rand.IntN(6000))
		copied := filepath.Join(dir, until)
		printed(t, "--data", books, "replay", "--until", until, "--into", copied)
		asOf := fmt.Sprintf("2026-%02d-%02d", 1+rand.IntN(12), 1+rand.IntN(28))
		for _, report := range []string{
			"report aging --seller YAMATO --group-by customer", "report aging --seller LARKMOOR --group-by invoice",
			"report aging --seller YAMATO --group-by total --basis issue", "report balances --seller LARKMOOR",
			"report invoices --seller YAMATO --status overdue", "report unapplied --seller YAMATO",
			"report limitations --seller YAMATO", "report dunning-queue --seller YAMATO",
			"report statement --seller YAMATO --customer K101", "history --seller YAMATO --customer K101",
		} {
			asked := append(strings.Fields(report), "--as-of", asOf, "--format", "csv")
			want := printed(t, append([]string{"--data", books}, append(asked, "--known-at", until)...)...)
			got := printed(t, append([]string{"--data", copied}, asked...)...)
			if got, want := withoutLimits(t, got), withoutLimits(t, want); got != want {
				t.Errorf("%s as of %s at %s: the copy says\n%s\nknown at then\n%s", report, asOf, until, got, want)
			}
		}
	}
}
