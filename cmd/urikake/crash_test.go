package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/adapters/audit"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ramdisk"
	"github.com/urikake/urikake/projections"
)

// A process that takes commands is killed at random moments, again and again. After each restart every acknowledged
// command is there once, nothing is there in part, no number was lost, and the read models equal a rebuild.

const (
	crashDir     = "URIKAKE_TEST_CRASH_DIR" // set in the process that is to be killed
	crashRound   = "URIKAKE_TEST_CRASH_ROUND"
	crashRounds  = 50
	crashClients = 6
	crashAccount = 5
)

func crashCustomer(i int) domain.CustomerID { return domain.CustomerID(fmt.Sprint("C", i)) }

// crashCommand is the n-th command of a client in a round: the same whenever it is asked for.
func crashCommand(round, client, n int) (id string, c account.Command) {
	id = fmt.Sprintf("r%d-c%d-n%d", round, client, n)
	key := account.Key{Seller: "S", Customer: crashCustomer((round + client + n) % crashAccount), Currency: "JPY"}
	day := domain.NewDate(2026, 4, 1).AddDays(round)
	yen := func(n int) domain.Money { return domain.NewMoney(int64(n), "JPY") }
	invoice := domain.InvoiceID(fmt.Sprintf("I-%d-%d", round, client))
	switch n % 5 {
	case 0:
		return id, account.IssueInvoice{Key: key, Invoice: domain.InvoiceID(fmt.Sprintf("%s-%d", invoice, n)), IssuedOn: day, Total: yen(1000 + n)}
	case 1:
		return id, account.RecordPayment{Key: key, ReceivedOn: day, Amount: yen(700 + 100*client)}
	case 2:
		return id, account.IssueCreditNote{Key: key, IssuedOn: day, Reason: account.Goodwill, Total: yen(10)}
	case 3:
		return id, account.RecordPayment{Key: key, ReceivedOn: day, Amount: yen(50), Allocate: account.Nothing}
	}
	return id, account.IssueInvoice{Key: key, Number: fmt.Sprint("給与/", id), IssuedOn: day, Total: yen(5)}
}

// TestCrashChild is the process that is killed; it does nothing in an ordinary run.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("this is the process that TestCrash starts and kills")
	}
	var round int
	fmt.Sscan(os.Getenv(crashRound), &round)
	s := &session{dir: dir, out: os.Stdout, err: os.Stderr}
	o, err := s.open(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	go o.views.Run(ctx)
	var mu sync.Mutex
	var wg sync.WaitGroup
	fmt.Println("ready")
	for client := range crashClients {
		wg.Go(func() {
			for n := range 100_000 {
				id, c := crashCommand(round, client, n)
				if _, err := o.ledger.Execute(ctx, c, eventstore.Envelope{CommandID: id}); err != nil {
					fmt.Println("failed", id, err)
					return
				}
				mu.Lock()
				fmt.Println("done", client, n)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestCrash(t *testing.T) {
	dir := ramdisk.Disk(t)
	s := &session{dir: dir, out: os.Stdout, err: os.Stderr}
	o := crashOpen(t, s)
	ctx := context.Background()
	for i, c := range append([]interface{ Name() string }{
		seller.RegisterSeller{Seller: "S", Settings: crashSettings()},
	}, crashCustomers()...) {
		if _, err := o.ledger.Execute(ctx, c, eventstore.Envelope{CommandID: fmt.Sprint("setup-", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.close(); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	total := 0
	for round := range crashRounds {
		done := crashRun(t, dir, round, rng.IntN(150), time.Duration(rng.IntN(20_000))*time.Microsecond)
		o := crashOpen(t, s)
		for client, n := range done {
			total += n
			for i := range n {
				id, c := crashCommand(round, client, i)
				r, err := o.ledger.Execute(ctx, c, eventstore.Envelope{CommandID: id})
				if err != nil || !r.Repeated {
					t.Fatalf("%s was acknowledged and is not there: %+v, %v", id, r, err)
				}
			}
		}
		if round%10 == 9 {
			crashCheck(t, o)
		}
		if err := o.close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d commands were acknowledged in %d rounds", total, crashRounds)
	if total < crashRounds {
		t.Errorf("only %d commands were acknowledged: the test shows little", total)
	}
}

func crashSettings() seller.Settings {
	return seller.Settings{Name: "S", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.Japanese}
}

func crashCustomers() (list []interface{ Name() string }) {
	for i := range crashAccount {
		list = append(list, customer.RegisterCustomer{
			Key:     customer.Key{Seller: "S", Customer: crashCustomer(i)},
			Details: customer.Details{Name: "得意先"}, Terms: domain.Terms{Kind: domain.TermsNet, NetDays: 30},
		})
	}
	return list
}

func crashOpen(t *testing.T, s *session) *office {
	t.Helper()
	o, err := s.open(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// crashRun starts the process, lets it work until it has acknowledged so many commands, kills it somewhat later, and tells
// how many commands of each client were acknowledged.
func crashRun(t *testing.T, dir string, round, after int, later time.Duration) map[int]int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), crashDir+"="+dir, fmt.Sprint(crashRound, "=", round))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(map[int]int)
	acknowledge := func() {
		if after--; after == -1 {
			time.AfterFunc(later, func() { cmd.Process.Kill() })
		}
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var client, n int
		switch line := lines.Text(); {
		case line == "ready":
			acknowledge()
		case strings.HasPrefix(line, "failed"):
			t.Error(line)
		default:
			if _, err := fmt.Sscanf(line, "done %d %d", &client, &n); err == nil {
				done[client] = n + 1
				acknowledge()
			}
		}
	}
	cmd.Wait()
	return done
}

// crashCheck proves the books as a whole: invariants, numbers without gaps, read models equal to a rebuild.
func crashCheck(t *testing.T, o *office) {
	t.Helper()
	ctx := context.Background()
	numbers := make(map[int]int)
	head, err := o.store.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	highest := 0
	for r, err := range o.store.Follow(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		e, err := o.codec.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := e.(account.InvoiceIssued); ok {
			if _, _, n, ok := numbering.Parse(e.Number); ok {
				numbers[n]++
				highest = max(highest, n)
			}
		}
		if r.Position == head {
			break
		}
	}
	if r, err := audit.Verify(ctx, audit.Books{Store: o.store, Codec: o.codec}, nil); err != nil || !r.OK {
		t.Errorf("an audit finds %+v, %v", r, err)
	}
	for n := 1; n <= highest; n++ {
		// the number of a command that died on the way is free: it is given out again
		if numbers[n] > 1 {
			t.Errorf("number %d stands on %d invoices", n, numbers[n])
		}
	}
	if missing := highest - len(numbers); missing > crashClients*2 {
		t.Errorf("%d numbers are missing below %d: they are not given out again", missing, highest)
	}
	before := crashReports(t, o)
	if err := o.views.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if after := crashReports(t, o); before != after {
		t.Errorf("a rebuild shows something else:\n%.2000s\nbefore\n%.2000s", after, before)
	}
}

// crashReports is what the read models say, as one text.
func crashReports(t *testing.T, o *office) string {
	t.Helper()
	ctx := context.Background()
	asOf := domain.NewDate(2026, 5, 10)
	var all []any
	note := func(r any, err error) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	note(o.views.Aging(ctx, projections.AgingQuery{Seller: "S", AsOf: asOf, GroupBy: projections.PerInvoice}))
	note(o.views.Invoices(ctx, projections.InvoicesQuery{Seller: "S", AsOf: asOf, Limit: projections.LimitMax}))
	note(o.views.Unapplied(ctx, projections.UnappliedQuery{Seller: "S", AsOf: asOf}))
	for i := range crashAccount {
		note(o.views.Statement(ctx, projections.StatementQuery{Seller: "S", Customer: crashCustomer(i), To: asOf}))
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
