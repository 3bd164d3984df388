package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/privacy"
)

// replayed is a ledger that seals names, with read models that follow it, and random commands for it.
type replayed struct {
	*rapid.T
	dir    string
	store  *memory.Store
	codec  *eventstore.Codec
	ledger *ledger.Ledger
	views  *Views
	today  domain.Date
	now    time.Time
	erased []eventstore.Position
	given  int
}

func newReplayed(t *rapid.T, dir string) *replayed {
	b := &replayed{T: t, dir: dir, today: firstDay}
	b.store = memory.New(b.clock)
	b.codec = ledger.Sealing(privacy.Open(dir + "/keys"))
	b.ledger = ledger.New(b.store, b.codec, nil).At(b.clock)
	b.views = b.fold(dir+"/live", b.store)
	return b
}

// clock is some time of today, later each time.
func (b *replayed) clock() time.Time {
	if midnight := b.today.Time(); b.now.Before(midnight) {
		b.now = midnight
	}
	b.now = b.now.Add(time.Millisecond)
	return b.now
}

func (b *replayed) fold(dir string, store eventstore.Store) *Views {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	v, err := Open(dir, store, b.codec)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// give executes a command; it may be refused.
func (b *replayed) give(c interface{ Name() string }) {
	b.given++
	r, err := b.ledger.Execute(context.Background(), c, eventstore.Envelope{CommandID: fmt.Sprint(b.given), Actor: "hanako"})
	var refusal *domain.Error
	var faults domain.Faults
	switch {
	case err != nil && !errors.As(err, &refusal) && !errors.As(err, &faults):
		b.Fatalf("%s: %v", c.Name(), err)
	case err == nil && c.Name() == (customer.EraseCustomer{}).Name():
		b.erased = append(b.erased, r.Position)
	}
}

var nameless = regexp.MustCompile(`"Customer":"C\d","Name":""`)

var replayedCustomers = []domain.CustomerID{"C1", "C2", "C3", "C4"}

// prepare registers whom most commands are about.
func (b *replayed) prepare() {
	for _, c := range []interface{ Name() string }{
		seller.RegisterSeller{Seller: "S1", Settings: b.settings()},
		dunning.SetDunningPolicy{Seller: "S1", ID: "default", On: b.today, Policy: dunPolicy().Policy, Reason: "x"},
		customer.RegisterCustomer{Key: customer.Key{Seller: "S1", Customer: "C1"}, Details: b.details()},
		customer.RegisterCustomer{Key: customer.Key{Seller: "S1", Customer: "C2"}, Details: b.details(), CreditLimit: b.limits()},
		issue("I1", "2026-01-01", "2026-01-01", 1000),
	} {
		b.give(c)
	}
}

func (b *replayed) word(label string) string {
	return fmt.Sprint(label, " ", rapid.IntRange(1, 9).Draw(b.T, label))
}

func (b *replayed) settings() seller.Settings {
	return seller.Settings{
		Name: b.word("seller"), NameEn: b.word("Seller"), TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.Japanese,
		DefaultSeries: "INV", Tolerance: b.limits(),
	}
}

func (b *replayed) details() customer.Details {
	d := customer.Details{Name: b.word("customer"), Kana: b.word("KANA"), Country: "JP", ExternalID: b.word("ERP")}
	if rapid.Bool().Draw(b.T, "reached") {
		d.Contacts = []customer.Contact{{Email: "a@b.example"}, {Phone: "03-0000-0000", Role: "billing"}}
		d.Attributes, d.Language = map[string]string{dunning.GroupAttribute: b.word("group")}, domain.English
	}
	return d
}

func (b *replayed) limits() (list []domain.Money) {
	if n := rapid.Int64Range(0, 3).Draw(b.T, "limit"); n > 0 {
		list = append(list, domain.NewMoney(n*100, "JPY"))
	}
	return list
}

func (b *replayed) lateTerms() (list []domain.LateTerms) {
	if rapid.Bool().Draw(b.T, "terms") {
		list = append(list, domain.LateTerms{From: b.today, Rate: domain.Rate(rapid.IntRange(1, 9).Draw(b.T, "rate")) * 100})
	}
	return list
}

// step lets time pass or gives one command, on one of few parties and documents.
func (b *replayed) step() {
	of := rapid.SampledFrom([]domain.SellerID{"S1", "S1", "S1", "S1", "S1", "S2"}).Draw(b.T, "seller")
	who := customer.Key{Seller: of, Customer: rapid.SampledFrom(append([]domain.CustomerID{"C1", "C1", "C1", "C2", "C2"}, replayedCustomers...)).Draw(b.T, "customer")}
	switch rapid.SampledFrom([]string{
		"days", "days", "years", "parties", "parties", "customer", "customer", "customer", "customer", "erase", "receipt",
		"account", "account", "account", "account", "account", "account", "account", "dunning", "dunning", "dunning", "dunning",
	}).Draw(b.T, "step") {
	case "days":
		b.today = b.today.AddDays(rapid.IntRange(1, 40).Draw(b.T, "days"))
	case "years":
		b.today = b.today.AddDays(12 * 366)
	case "erase":
		b.give(customer.EraseCustomer{Key: who, On: b.today, Reason: "asked"})
	case "parties":
		b.give(rapid.SampledFrom([]interface{ Name() string }{
			seller.RegisterSeller{Seller: of, Settings: b.settings()},
			seller.ChangeSeller{Seller: of, Settings: b.settings(), Reason: "x"},
			seller.SetLateTerms{Seller: of, Terms: b.lateTerms(), Reason: "x"},
			customer.RegisterCustomer{Key: who, Details: b.details(), CreditLimit: b.limits()},
			customer.RegisterCustomer{Key: who, Details: b.details()},
		}).Draw(b.T, "command"))
	case "customer":
		b.give(rapid.SampledFrom([]interface{ Name() string }{
			customer.ChangeCustomer{Key: who, Details: b.details(), Reason: "x"},
			customer.ChangeCustomer{Key: who, Details: b.details(), Reason: "x"},
			customer.SetCreditLimit{Key: who, CreditLimit: b.limits(), Reason: "x"},
			customer.AgreeLateTerms{Key: who, Terms: b.lateTerms(), Reason: "x"},
			customer.SetPaymentTerms{Key: who, Terms: domain.Terms{Kind: domain.TermsNet, NetDays: 10}, Reason: "x"},
			customer.DeactivateCustomer{Key: who, Reason: "x"},
			customer.ReactivateCustomer{Key: who, Reason: "x"},
		}).Draw(b.T, "command"))
	case "account":
		b.give(b.booking(account.Key{Seller: of, Customer: who.Customer, Currency: rapid.SampledFrom([]domain.Currency{"JPY", "JPY", "JPY", "USD"}).Draw(b.T, "currency")}))
	case "dunning":
		b.give(b.dunning(dunning.Key{Seller: of, Customer: who.Customer, Currency: "JPY"}))
	case "receipt":
		at := receipt.Key{Seller: of, Receipt: domain.ReceiptID(b.word("R")[:1] + fmt.Sprint(b.given)), ReceivedOn: b.today}
		b.give(receipt.RecordReceipt{Key: at, Amount: domain.NewMoney(rapid.SampledFrom([]int64{100, 400}).Draw(b.T, "amount"), "JPY"), Payer: b.word("KANA")})
		if rapid.Bool().Draw(b.T, "found") {
			b.give(receipt.AssignReceipt{Key: at, Customer: who.Customer})
		}
	}
}

func (b *replayed) booking(k account.Key) account.Command {
	on := b.today.AddDays(-rapid.IntRange(0, 20).Draw(b.T, "back"))
	amount := domain.NewMoney(rapid.SampledFrom([]int64{100, 400, 1000}).Draw(b.T, "amount"), k.Currency)
	invoice := domain.InvoiceID(fmt.Sprint("I", rapid.IntRange(1, 4).Draw(b.T, "invoice")))
	return rapid.SampledFrom([]account.Command{
		account.IssueInvoice{Key: k, Invoice: invoice, IssuedOn: on, DueOn: on.AddDays(5), Total: amount},
		account.IssueInvoice{Key: k, Invoice: invoice, IssuedOn: on, DueOn: on, Total: amount},
		account.IssueInvoice{Key: k, Invoice: invoice, IssuedOn: on, DueOn: on, Total: amount},
		account.RecordPayment{Key: k, Payment: domain.PaymentID(fmt.Sprint("P", b.given)), ReceivedOn: on, Amount: amount, Payer: "KANA"},
		account.RecordPayment{Key: k, Payment: domain.PaymentID(fmt.Sprint("P", b.given)), ReceivedOn: on, Amount: amount, Allocate: account.Nothing},
		account.OpenDispute{Key: k, Dispute: domain.DisputeID(fmt.Sprint("D", b.given)), Invoice: invoice, OpenedOn: on, Reason: account.Defective},
		account.ChangeDueDate{Key: k, Invoice: invoice, DueOn: on.AddDays(-3), ChangeOn: on, Reason: "asked", By: "hanako"},
		account.WriteOff{Key: k, Invoice: invoice, WriteOffOn: on, Amount: amount, Reason: "bankrupt", Approver: "CFO"},
		account.VoidInvoice{Key: k, Invoice: invoice, VoidOn: on, Reason: "twice"},
	}).Draw(b.T, "booking")
}

func (b *replayed) dunning(k dunning.Key) dunning.Command {
	o := dunning.Order{Key: k, On: b.today, Acting: dunning.Creditor}
	return rapid.SampledFrom([]dunning.Command{
		dunning.EscalateReminder{Order: o, Reason: "by hand"},
		dunning.HoldDunning{Order: o, Kind: dunning.HoldKinds[0], Until: b.today.AddDays(9), Reason: "x"},
		dunning.RecordPromise{Order: o, Amount: domain.NewMoney(50, k.Currency), Day: b.today.AddDays(7), By: "Hanako"},
		dunning.RecordContact{Order: o, By: dunning.ByCall, Direction: dunning.Outbound, Notes: "secret", Outcome: dunning.ContactOutcomes[0]},
		dunning.AssignCollector{Order: o, Collector: b.word("collector")},
		dunning.CloseCase{Order: o, Reason: dunning.CloseSettled},
	}).Draw(b.T, "case")
}

// cut is the log up to a position, as `urikake replay` copies it.
func (b *replayed) cut(until eventstore.Position) *memory.Store {
	var at time.Time
	copied := memory.New(func() time.Time { return at })
	for r, err := range b.store.Follow(context.Background(), 0) {
		if err != nil {
			b.Fatal(err)
		}
		at = r.At
		position, err := copied.Append(context.Background(), r.Stream, r.Version-1, r.Proposed)
		if err != nil || position != r.Position {
			b.Fatalf("event %d became %d, %v", r.Position, position, err)
		}
		if r.Position == until {
			break
		}
	}
	return copied
}

// reports is every report of a day, as known at a position, by its name: as JSON, or the rule by which it was refused.
// Where an account stands in the log is as it is now, for who writes to it, so it is left out.
func (b *replayed) reports(v *Views, asOf domain.Date, before, known eventstore.Position) map[string]string {
	ctx, at, all := context.Background(), KnownAt{Position: known}, make(map[string]string)
	tell := func(name string, report any, err error) {
		text, bad := json.Marshal(report)
		var refusal *domain.Error
		if errors.As(err, &refusal) {
			text = []byte(refusal.Rule)
		} else if err != nil || bad != nil {
			b.Fatalf("%s: %v, %v", name, err, bad)
		}
		all[name] = string(text)
	}
	for _, s := range []domain.SellerID{"S1", "S2"} {
		one, err := v.Seller(ctx, s, at)
		tell("seller "+string(s), one, err)
		b.ofSeller(v, s, asOf, at, func(name string, report any, err error) { tell(name+" of "+string(s), report, err) })
		var changed []ChangedAccount
		head, err := v.Diff(ctx, DiffQuery{Seller: s, AsOf: asOf, From: KnownAt{Position: before}, To: at}, func(c ChangedAccount) error {
			changed = append(changed, c)
			return nil
		})
		tell("diff of "+string(s), []any{head, changed}, err)
		for _, c := range replayedCustomers {
			b.ofCustomer(v, customer.Key{Seller: s, Customer: c}, asOf, at, func(name string, report any, err error) {
				tell(name+" of "+string(s)+"."+string(c), report, err)
			})
		}
	}
	return all
}

func (b *replayed) ofSeller(v *Views, s domain.SellerID, asOf domain.Date, at KnownAt, tell func(name string, report any, err error)) {
	ctx := context.Background()
	list, _, err := v.Customers(ctx, s, at)
	tell("customers", list, err)
	for _, group := range []Grouping{PerCustomer, PerInvoice, PerTotal} {
		for _, basis := range []Basis{ByDue, ByIssue} {
			r, err := v.Aging(ctx, AgingQuery{Seller: s, AsOf: asOf, KnownAt: at, GroupBy: group, Basis: basis})
			tell(fmt.Sprintf("aging by %s per %s", basis, group), r, err)
		}
	}
	balances, err := v.Balances(ctx, BalancesQuery{Seller: s, AsOf: asOf, KnownAt: at})
	tell("balances", balances, err)
	unapplied, err := v.Unapplied(ctx, UnappliedQuery{Seller: s, AsOf: asOf, KnownAt: at})
	tell("unapplied", unapplied, err)
	receipts, err := v.Receipts(ctx, ReceiptsQuery{Seller: s, AsOf: asOf, KnownAt: at})
	tell("receipts", receipts, err)
	for _, sort := range []Sort{SortCustomer, SortNumber} {
		invoices, err := v.Invoices(ctx, InvoicesQuery{Seller: s, AsOf: asOf, KnownAt: at, Sort: sort, Limit: 3})
		tell("invoices by "+string(sort), invoices, err)
	}
	var rows []any
	_, err = v.EachInvoice(ctx, InvoicesQuery{Seller: s, AsOf: asOf, KnownAt: at}, func(r InvoiceRow) error { rows = append(rows, r); return nil })
	_, more := v.EachAged(ctx, AgingQuery{Seller: s, AsOf: asOf, KnownAt: at}, func(r AgingRow) error { rows = append(rows, r); return nil })
	tell("rows", rows, firstError(err, more))
	limits := []any(nil)
	_, err = v.EachLimitation(ctx, LimitationsQuery{Seller: s, AsOf: asOf.AddDays(5 * 366), KnownAt: at}, func(r LimitationRow) error {
		limits = append(limits, r)
		return nil
	})
	tell("limitations", limits, err)
	queue, err := v.Queue(ctx, QueueQuery{Seller: s, AsOf: asOf, KnownAt: at})
	tell("queue", queue, err)
	var cases []any
	_, err = v.EachCase(ctx, CasesQuery{Seller: s, AsOf: asOf, KnownAt: at}, func(r CaseRow) error { cases = append(cases, r); return nil })
	tell("cases", cases, err)
	var debtors []any
	_, err = v.EachDebtor(ctx, DebtorsQuery{Seller: s, AsOf: asOf, KnownAt: at}, func(d Debtor) error {
		if d.HasCase = false; len(d.Facts.Items) > 0 { // whose case is open now comes too
			debtors = append(debtors, d)
		}
		return nil
	})
	tell("debtors", debtors, err)
}

func (b *replayed) ofCustomer(v *Views, who customer.Key, asOf domain.Date, at KnownAt, tell func(name string, report any, err error)) {
	ctx := context.Background()
	one, _, err := v.Customer(ctx, who.Seller, who.Customer, at)
	tell("customer", one, err)
	statement, err := v.Statement(ctx, StatementQuery{Seller: who.Seller, Customer: who.Customer, From: asOf.AddDays(-10), To: asOf, KnownAt: at})
	tell("statement", statement, err)
	aging, err := v.Aging(ctx, AgingQuery{Seller: who.Seller, Customer: who.Customer, AsOf: asOf, KnownAt: at})
	tell("aging", aging, err)
	var history []Entry
	currencies, err := v.Currencies(ctx, who.Seller, who.Customer, at)
	for _, c := range currencies {
		list, failed := v.History(ctx, HistoryQuery{Key: account.Key{Seller: who.Seller, Customer: who.Customer, Currency: c}, KnownAt: at})
		history, err = append(history, list...), firstError(err, failed)
	}
	tell("history", history, err)
	for _, c := range []domain.Currency{"JPY", "USD"} {
		key := account.Key{Seller: who.Seller, Customer: who.Customer, Currency: c}
		r, err := v.Account(ctx, AccountQuery{Key: key, AsOf: asOf, KnownAt: at})
		r.Standing = Standing{}
		tell("account in "+string(c), r, err)
		file, err := v.Case(ctx, CaseQuery{Key: dunning.Key(key), AsOf: asOf, KnownAt: at})
		tell("case in "+string(c), file, err)
	}
	for _, id := range []domain.InvoiceID{"I1", "I2", "I3", "I4"} {
		r, err := v.Invoice(ctx, InvoiceQuery{Seller: who.Seller, Invoice: id, Customer: who.Customer, AsOf: asOf, KnownAt: at})
		r.Standing = Standing{}
		tell("invoice "+string(id), r, err)
	}
}

// What a report with a position shows, names and all, is what it would have shown then: the same report on a ledger whose
// log ends there. Of a customer who was erased since neither shows more than that.
func TestKnownAtIsAReplay(t *testing.T) {
	checkBooks(t, func(rt *rapid.T) {
		dir := t.TempDir()
		b := newReplayed(rt, dir)
		defer func() { b.views.Close() }()
		b.prepare()
		for range rapid.IntRange(25, 50).Draw(rt, "steps") {
			b.step()
			if rapid.IntRange(0, 7).Draw(rt, "fold") == 0 {
				if _, err := b.views.CatchUp(context.Background()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		head, _ := b.store.Head(context.Background())
		for n := range 2 {
			known := eventstore.Position(rapid.Uint64Range(1, uint64(head)).Draw(rt, "known at"))
			if n == 1 && len(b.erased) > 0 {
				known = b.erased[0] - 1
			}
			b.compareReplay(fmt.Sprintf("%s/%d", dir, n), known)
		}
		c, err := b.views.Compare(context.Background(), nil)
		if err != nil || c.Found > 0 || c.Rows == 0 {
			rt.Fatalf("folded again: %+v, %v", c, err)
		}
	})
}

func (b *replayed) compareReplay(dir string, known eventstore.Position) {
	asOf := b.today.AddDays(-rapid.IntRange(0, 60).Draw(b.T, "as of"))
	if rapid.Bool().Draw(b.T, "early") {
		asOf = firstDay.AddDays(rapid.IntRange(0, 90).Draw(b.T, "day"))
	}
	before := eventstore.Position(rapid.Uint64Range(1, uint64(known)).Draw(b.T, "before"))
	then := b.fold(dir, b.cut(known))
	defer func() { then.Close() }()
	want, got := b.reports(then, asOf, before, known), b.reports(b.views, asOf, before, known)
	for _, name := range sortedKeys(want) {
		if got[name] != want[name] {
			b.Errorf("%s as of %s known at %d is\n%s\nreplayed until then it is\n%s", name, asOf, known, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		b.Errorf("%d reports, want %d", len(got), len(want))
	}
	for name, text := range got {
		if nameless.MatchString(text) {
			b.Errorf("%s as of %s known at %d has no name: %s", name, asOf, known, text)
		}
	}
}
