package dunning

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections"
)

// unsteady breaks at its nth append: before it is written, or after, so that only the answer is lost. Nothing passes
// from then on, as after a crash.
type unsteady struct {
	eventstore.Store
	mu                sync.Mutex
	appends, breaksAt int
	written           bool
}

func (u *unsteady) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	u.mu.Lock()
	u.appends++
	breaks, broken := u.appends == u.breaksAt, u.breaksAt > 0 && u.appends >= u.breaksAt
	u.mu.Unlock()
	if broken && (!breaks || !u.written) {
		return 0, eventstore.ErrUnavailable
	}
	position, err := u.Store.Append(ctx, stream, expected, events...)
	if breaks {
		return 0, eventstore.ErrUnavailable
	}
	return position, err
}

// office is books on a disk, with a clock that stands.
type office struct {
	testing.TB
	Books
	store *unsteady
	dir   string
	now   time.Time
	given int
}

func newOffice(t testing.TB) *office {
	t.Helper()
	return officeIn(t, t.TempDir())
}

func officeIn(t testing.TB, dir string) *office {
	t.Helper()
	o := &office{TB: t, dir: dir, now: time.Date(2026, 7, 3, 3, 0, 0, 0, time.UTC)}
	log, err := sqlite.Open(o.dir, o.clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	o.store = &unsteady{Store: log}
	o.Books = o.wire()
	return o
}

// shut ends the office's work; its books are in the directory that it gives.
func (o *office) shut() (dir string) {
	o.Helper()
	if err := o.store.Store.(*sqlite.Store).Close(); err != nil {
		o.Fatal(err)
	}
	return o.dir
}

// again is an office with a copy of such books.
func again(t testing.TB, prepared string) *office {
	t.Helper()
	dir := t.TempDir()
	logs, err := filepath.Glob(filepath.Join(prepared, "log.db*"))
	if err != nil || len(logs) == 0 {
		t.Fatal(logs, err)
	}
	for _, file := range logs {
		content, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return officeIn(t, dir)
}

func (o *office) clock() time.Time { return o.now }

// reach lets time go on to a day.
func (o *office) reach(on domain.Date) {
	if noon := on.Time().Add(3 * time.Hour); !on.IsZero() && noon.After(o.now) {
		o.now = noon
	}
}

// wire puts the house together on the log, as the program does.
func (o *office) wire() Books {
	o.Helper()
	views, err := projections.Open(o.TempDir(), o.store, ledger.Codec())
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { views.Close() })
	snapshots := eventstore.SnapshotDir(filepath.Join(o.dir, "snapshots"))
	return Books{Ledger: ledger.New(o.store, ledger.Codec(), snapshots).At(o.clock), Views: views, Clock: o.clock}
}

func (o *office) try(c interface{ Name() string }) error {
	o.given++
	_, err := o.Ledger.Execute(o.Context(), c, eventstore.Envelope{CommandID: fmt.Sprint("given-", o.dir, o.given), Actor: "hanako"})
	return err
}

func (o *office) must(commands ...interface{ Name() string }) *office {
	o.Helper()
	for _, c := range commands {
		if err := o.try(c); err != nil {
			o.Fatalf("%+v: %v", c, err)
		}
	}
	return o
}

func day(s string) domain.Date {
	d, err := domain.ParseDate("2026-" + s)
	if err != nil {
		panic(err)
	}
	return d
}

func yen(minor int64) domain.Money { return domain.NewMoney(minor, "JPY") }

func key(c domain.CustomerID) rules.Key {
	return rules.Key{Seller: "midori", Customer: c, Currency: "JPY"}
}

func invoice(c domain.CustomerID, id domain.InvoiceID, due string, amount int64) account.IssueInvoice {
	return account.IssueInvoice{
		Key: account.Key(key(c)), Invoice: id, Number: "N-" + string(c) + "-" + string(id),
		IssuedOn: day("05-01"), DueOn: day(due), Total: yen(amount),
	}
}

func payment(c domain.CustomerID, on string, amount int64) account.RecordPayment {
	return account.RecordPayment{Key: account.Key(key(c)), ReceivedOn: day(on), Amount: yen(amount)}
}

// steps is a policy of three levels: after 3 days, after 10, and the creditor's after 30.
func steps() rules.Policy {
	level := func(id rules.LevelID, days int, template rules.TemplateID, tone rules.Tone, who rules.Capacity) rules.Level {
		return rules.Level{
			ID: id, DaysAfterDue: days, Channel: rules.Mail, Template: template, Tone: tone, Who: who,
			MinimumAmount: []domain.Money{yen(1000)},
		}
	}
	return rules.Policy{Language: domain.Japanese, MinimumDays: 3, Levels: []rules.Level{
		level("R1", 3, "reminder-1", rules.Friendly, rules.Agency),
		level("R2", 10, "demand-1", rules.Firm, rules.Agency),
		level("R3", 30, "final", rules.Final, rules.Creditor),
	}}
}

func policy(p rules.Policy) rules.SetDunningPolicy {
	return rules.SetDunningPolicy{Seller: "midori", ID: rules.DefaultID, On: day("05-01"), Policy: p, Reason: "agreed"}
}

// opened has a seller in Tokyo with the policy, and customers C1 to C3 who can be written to.
func opened(t testing.TB) *office {
	t.Helper()
	o := newOffice(t)
	o.must(seller.RegisterSeller{Seller: "midori", Settings: seller.Settings{
		Name: "みどり商事株式会社", NameEn: "Midori Trading", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.Japanese,
	}}, policy(steps()))
	for _, c := range []domain.CustomerID{"C1", "C2", "C3"} {
		o.must(customer.RegisterCustomer{Key: customer.Key{Seller: "midori", Customer: c}, Details: customer.Details{
			Name: "株式会社" + string(c), Contacts: []customer.Contact{{Name: "佐藤花子", Email: "sato@" + string(c) + ".example", Phone: "03-1234-5678", Role: "billing"}},
		}})
	}
	return o
}

func (o *office) run(on string) (Result, map[domain.CustomerID]rules.RunDecision) {
	o.Helper()
	result, decisions, err := o.tryRun(Request{AsOf: day(on)})
	if err != nil {
		o.Fatal(err)
	}
	return result, decisions
}

func (o *office) tryRun(r Request) (Result, map[domain.CustomerID]rules.RunDecision, error) {
	decisions := make(map[domain.CustomerID]rules.RunDecision)
	r.Seller, r.Actor = "midori", "hanako"
	o.reach(r.AsOf)
	r.Each = func(d rules.RunDecision) error {
		if _, twice := decisions[d.Customer]; twice && d.Currency == "JPY" {
			return fmt.Errorf("%s is decided twice", d.Customer)
		}
		if d.Currency == "JPY" {
			decisions[d.Customer] = d
		}
		return nil
	}
	result, err := Run(o.Context(), o.Books, r)
	return result, decisions, err
}

func (o *office) send(on string) (SendResult, []Sending) {
	o.Helper()
	result, list, err := o.trySend(SendRequest{On: day(on)})
	if err != nil {
		o.Fatal(err)
	}
	return result, list
}

// letterOf is the text of a letter of C1 in the outbox.
func (o *office) letterOf(id rules.ReminderID) string {
	o.Helper()
	text, err := os.ReadFile(filepath.Join(o.outbox().folder(key("C1"), id), letterFile))
	if err != nil {
		o.Fatal(err)
	}
	return string(text)
}

func (o *office) outbox() Files { return Files(filepath.Join(o.dir, "outbox")) }

func (o *office) trySend(r SendRequest) (result SendResult, list []Sending, err error) {
	r.Seller, r.Actor, r.Outbox = "midori", "hanako", o.outbox()
	o.reach(r.On)
	r.Each = func(s Sending) error { list = append(list, s); return nil }
	result, err = Send(o.Context(), o.Books, r)
	return result, list, err
}

// events are those of one kind in the log.
func events[E domain.Event](o *office) (list []E) {
	o.Helper()
	head, err := o.store.Head(o.Context())
	if err != nil {
		o.Fatal(err)
	}
	for r, err := range eventstore.Replay(o.Context(), o.store, ledger.Codec(), 0, head, nil) {
		if err != nil {
			o.Fatal(err)
		}
		if e, ok := r.Event.(E); ok {
			list = append(list, e)
		}
	}
	return list
}
