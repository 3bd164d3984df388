package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Real receivables, imported and reported through the command line, against sums taken straight from the file: an
// invoice is open from its issue until the day before it is settled, and overdue by the days since its due date.

// bill is one line of the file.
type bill struct {
	customer, number     string
	issued, due, settled time.Time
	cents                int64
	disputed             bool
}

func readBills(t *testing.T, path string) (bills []bill) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Skip("the sample of real receivables is not beside the repository: ", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	day := func(text string) time.Time {
		d, err := time.Parse("1/2/2006", text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, r := range rows[1:] {
		amount, err := strconv.ParseFloat(r[6], 64)
		if err != nil {
			t.Fatal(err)
		}
		bills = append(bills, bill{r[1], r[3], day(r[4]), day(r[5]), day(r[8]), int64(amount*100 + 0.5), r[7] == "Yes"})
	}
	return bills
}

// figures are current, 1-30, 31-60, 61-90, 91+, total, disputed, in cents.
type figures [7]int64

func (f *figures) add(g figures) {
	for i := range f {
		f[i] += g[i]
	}
}

// sums is what the file says of a day, as far as was known at the end of another: by currency and by invoice number,
// and how many customers owe something.
func sums(bills []bill, asOf, known time.Time) (total figures, byNumber map[string]figures, customers int) {
	byNumber = make(map[string]figures)
	owing := make(map[string]bool)
	for _, b := range bills {
		if seen := earlier(asOf, known); b.issued.After(seen) || !b.settled.After(seen) {
			continue
		}
		days := int(asOf.Sub(b.due).Hours() / 24)
		bucket := 0
		for _, edge := range []int{0, 30, 60, 90} {
			if days > edge {
				bucket++
			}
		}
		var f figures
		f[bucket], f[5] = b.cents, b.cents
		if b.disputed {
			f[6] = b.cents
		}
		byNumber[b.number] = f
		owing[b.customer] = true
		total.add(f)
	}
	return total, byNumber, len(owing)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// typed gives the program arguments and returns what it prints.
func typed(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(args, strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Fatalf("urikake %s: exit %d: %s", strings.Join(args, " "), code, stderr.String())
	}
	return stdout.String()
}

// aged reads an aging as CSV: the figures of each row under what is in the key's column.
func aged(t *testing.T, text, key string) map[string]figures {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	byKey := make(map[string]figures)
	for _, r := range rows[1:] {
		var f figures
		for i, name := range []string{"current", "1-30", "31-60", "61-90", "91+", "total", "disputed"} {
			if f[i], err = strconv.ParseInt(strings.Replace(r[column(name)], ".", "", 1), 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		if r[column("unapplied")] != "0.00" {
			t.Errorf("%v: money is unapplied", r)
		}
		byKey[r[column(key)]] = f
	}
	return byKey
}

func TestRealReceivables(t *testing.T) {
	path := filepath.Join("..", "..", "..", "shared", "data", "receivables.csv")
	bills := readBills(t, path)
	dir := t.TempDir()
	start := time.Now()
	typed(t, "--data", dir, "import", "receivables", path, "--seller", "ACME", "--currency", "USD")
	t.Logf("imported in %.1f s", time.Since(start).Seconds())
	typed(t, "--data", dir, "audit", "verify") // exits 1 whatever it finds
	report := func(group string, asOf time.Time, more ...string) string {
		return typed(t, append([]string{
			"--data", dir, "report", "aging", "--seller", "ACME", "--format", "csv",
			"--group-by", group, "--as-of", asOf.Format(time.DateOnly),
		}, more...)...)
	}

	for _, c := range []struct {
		day                 string
		want                figures
		invoices, customers int
	}{
		{"2012-03-31", figures{5613_87, 569_23, 0, 0, 0, 6183_10, 0}, 107, 64},
		{"2012-12-31", figures{4936_32, 788_74, 0, 0, 0, 5725_06, 0}, 99, 61},
		{"2013-09-30", figures{4563_74, 465_48, 0, 0, 0, 5029_22, 0}, 88, 55},
	} {
		day, _ := time.Parse(time.DateOnly, c.day)
		got := aged(t, report("total", day), "currency")["USD"]
		if got[6] = 0; got != c.want { // its README has nothing of disputes
			t.Errorf("%s: %v, want %v", c.day, got, c.want)
		}
		invoices, customers := len(aged(t, report("invoice", day), "number")), len(aged(t, report("customer", day), "customer"))
		if invoices != c.invoices || customers != c.customers {
			t.Errorf("%s: %d invoices of %d customers, want %d of %d", c.day, invoices, customers, c.invoices, c.customers)
		}
	}

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	first := time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC)
	written := lastPositions(t, dir)
	check := func(asOf, known time.Time, more ...string) {
		t.Helper()
		total, byNumber, customers := sums(bills, asOf, known)
		got := aged(t, report("total", asOf, more...), "currency")["USD"]
		if got != total {
			t.Errorf("as of %s %v: %v, want %v", asOf.Format(time.DateOnly), more, got, total)
		}
		if got := aged(t, report("invoice", asOf, more...), "number"); fmt.Sprint(got) != fmt.Sprint(byNumber) {
			t.Errorf("as of %s %v, by invoice:\n got %v\nwant %v", asOf.Format(time.DateOnly), more, got, byNumber)
		}
		if got := len(aged(t, report("customer", asOf, more...), "customer")); got != customers {
			t.Errorf("as of %s %v: %d customers, want %d", asOf.Format(time.DateOnly), more, got, customers)
		}
	}
	for range 20 {
		asOf := first.AddDate(0, 0, rng.IntN(760))
		check(asOf, asOf)
		known := first.AddDate(0, 0, 5+rng.IntN(740))
		check(asOf, known, "--known-at", strconv.Itoa(written(known)))
	}
}

// lastPositions reads the log and tells, for a day, the position of the last event of that day or an earlier one. An
// import writes in the order of the days.
func lastPositions(t *testing.T, dir string) func(day time.Time) int {
	t.Helper()
	type event struct {
		Position int
		Kind     string
		Data     struct {
			IssuedOn   string `json:"issued_on"`
			ReceivedOn string `json:"received_on"`
			On         string `json:"on"`
		}
	}
	var days []string // by position
	last := ""
	for line := range strings.Lines(typed(t, "--data", dir, "events", "export")) {
		if strings.HasPrefix(line, `{"trailer"`) {
			break
		}
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		on := max(e.Data.IssuedOn, e.Data.ReceivedOn, e.Data.On)
		if strings.HasPrefix(e.Kind, "account.") && on < last {
			t.Fatalf("event %d, %s of %q, stands after one of %s", e.Position, e.Kind, on, last)
		}
		last = max(last, on)
		days = append(days, last)
		if e.Position != len(days) {
			t.Fatalf("position %d, want %d", e.Position, len(days))
		}
	}
	return func(day time.Time) int {
		n, _ := slices.BinarySearch(days, day.AddDate(0, 0, 1).Format(time.DateOnly))
		return n
	}
}
