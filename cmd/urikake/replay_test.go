package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
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

// TestReplayIsKnownAt cuts two years of books at positions taken by chance: every report on the copy is the one that
// --known-at gives on the original, with names and limits.
func TestReplayIsKnownAt(t *testing.T) {
	dir := t.TempDir()
	books := filepath.Join(dir, "books")
	if err := copyDemo(books); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]string{ // else the demo's customers are called all the time as they were at first
		"ChangeCustomer": `{"seller":"YAMATO","customer":"K101","name":"改名後","reason":"merged"}`,
		"SetCreditLimit": `{"seller":"YAMATO","customer":"K101","credit_limit":[{"amount":"7","currency":"JPY"}],"reason":"review"}`,
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c), 0o600); err != nil {
			t.Fatal(err)
		}
		printed(t, "--data", books, "command", name, file)
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
			"report receipts --seller YAMATO", "customers list --seller YAMATO", "customers show K101 --seller YAMATO",
		} {
			asked := append(strings.Fields(report), "--format", "csv")
			if !strings.HasPrefix(report, "customers") { // master data has no business day
				asked = append(asked, "--as-of", asOf)
			}
			want := printed(t, append([]string{"--data", books}, append(asked, "--known-at", until)...)...)
			got := printed(t, append([]string{"--data", copied}, asked...)...)
			if got != want {
				t.Errorf("%s as of %s at %s: the copy says\n%s\nknown at then\n%s", report, asOf, until, got, want)
			}
		}
	}
}
