package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
)

func yen(minor int64) domain.Money { return domain.NewMoney(minor, "JPY") }

func on(day string) domain.Date {
	d, err := domain.ParseDate("2026-" + day)
	if err != nil {
		panic(err)
	}
	return d
}

func accountOf(id domain.CustomerID) account.Key {
	return account.Key{Seller: "S1", Customer: id, Currency: "JPY"}
}
func caseOf(id domain.CustomerID) dunning.Key { return dunning.Key(accountOf(id)) }

func receiptOn(id domain.ReceiptID, day string) receipt.Key {
	return receipt.Key{Seller: "S1", Receipt: id, ReceivedOn: on(day)}
}

// story is a ledger in which a little of everything has happened, written by its own commands.
func story(t testing.TB, store eventstore.Store) {
	t.Helper()
	l := ledger.New(store, ledger.Codec(), nil)
	n := 0
	give := func(commands ...interface{ Name() string }) {
		t.Helper()
		for _, c := range commands {
			n++
			if _, err := l.Execute(ctx, c, eventstore.Envelope{CommandID: fmt.Sprint("story-", n), Actor: "test"}); err != nil {
				t.Fatalf("%s %+v: %v", c.Name(), c, err)
			}
		}
	}
	give(seller.RegisterSeller{Seller: "S1", Settings: seller.Settings{
		Name: "大和", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.Japanese, Tolerance: []domain.Money{yen(500)},
	}})
	for _, id := range []domain.CustomerID{"A", "B", "C", "E", "F", "G"} {
		give(customer.RegisterCustomer{Key: customer.Key{Seller: "S1", Customer: id}, Details: customer.Details{
			Name: "客 " + string(id), Contacts: []customer.Contact{{Email: "x@example.jp"}},
		}})
	}
	give(
		customer.DeactivateCustomer{Key: customer.Key{Seller: "S1", Customer: "B"}, Reason: "x"},
		customer.EraseCustomer{Key: customer.Key{Seller: "S1", Customer: "E"}, On: on("01-01"), Reason: "x"},
	)
	sold := func(id domain.InvoiceID, c domain.CustomerID, day string, net int64) account.IssueInvoice {
		return account.IssueInvoice{Key: accountOf(c), Invoice: id, IssuedOn: on(day), DueOn: on(day).AddDays(30), Lines: []account.Line{
			{Description: "月額", Quantity: domain.DecimalOf(1), UnitPrice: domain.DecimalOf(net), Category: account.Standard, Rate: 1000},
		}}
	}
	a := accountOf("A")
	allocated := []account.Allocation{{Invoice: "A1", Amount: yen(600)}}
	late := account.IssueInvoice{Key: a, Invoice: "A5", Number: "OLD-7", IssuedOn: on("01-05"), DueOn: on("02-04"), Total: yen(500)}
	give(
		sold("A1", "A", "01-05", 1000), sold("A2", "A", "01-05", 1000), sold("A3", "A", "01-05", 500), sold("A4", "A", "01-05", 1000), late,
		account.RecordPayment{Key: a, Payment: "P1", ReceivedOn: on("01-20"), Amount: yen(600), Allocations: allocated},
		account.RecordPayment{Key: a, Payment: "P2", ReceivedOn: on("01-20"), Amount: yen(300), Allocate: account.Nothing},
		account.RecordPayment{Key: a, Payment: "P3", ReceivedOn: on("01-20"), Amount: yen(70), Allocate: account.Nothing},
		account.ReversePayment{Key: a, Payment: "P3", ReverseOn: on("01-25"), Reason: "x"},
		account.IssueRefund{Key: a, Refund: "R1", Payment: "P2", RefundOn: on("01-30"), Amount: yen(50)},
		account.IssueCreditNote{Key: a, Credit: "K1", Invoice: "A2", IssuedOn: on("01-30"), Reason: account.Return, Total: yen(110)},
		account.IssueCreditNote{Key: a, Credit: "K2", IssuedOn: on("01-30"), Reason: account.Goodwill, Total: yen(50)},
		account.VoidInvoice{Key: a, Invoice: "A4", VoidOn: on("01-30"), Reason: "x"},
		account.WriteOff{Key: a, WriteOff: "W1", Invoice: "A3", WriteOffOn: on("03-01"), Amount: yen(110), Reason: "x", Approver: "y"},
		account.RecoverWriteOff{Key: a, Recovery: "V1", WriteOff: "W1", RecoverOn: on("03-02"), Amount: yen(33)},
		account.OpenDispute{Key: a, Dispute: "D1", Invoice: "A2", OpenedOn: on("02-10"), Amount: yen(200), Reason: account.Defective},
		account.OpenDispute{Key: a, Dispute: "D2", Invoice: "A2", OpenedOn: on("02-10"), Amount: yen(100), Reason: account.Defective},
		account.ResolveDispute{Key: a, Dispute: "D2", ResolvedOn: on("02-20"), Outcome: account.DisputeRejected},
		account.AssessLateCharge{Key: a, Charge: "L1", Invoice: "A1", Rate: 1460, To: on("03-31"), AssessedOn: on("03-31")},
		account.ChangeDueDate{Key: a, Invoice: "A5", DueOn: on("02-28"), ChangeOn: on("02-01"), Reason: "x", By: "y"},
		sold("C1", "C", "01-05", 1000), sold("C2", "C", "01-05", 1000),
		account.RecordPayment{Key: accountOf("C"), Payment: "CP", ReceivedOn: on("01-20"), Amount: yen(1100)},
		account.CarryForward{Key: accountOf("C"), CarryOn: on("12-31"), Into: "2027", KeepSince: on("12-31")},
		receipt.RecordReceipt{Key: receiptOn("Q1", "02-02"), Amount: yen(900), Payer: "ヤマダ"},
		receipt.RecordReceipt{Key: receiptOn("Q2", "02-02"), Amount: yen(40), Payer: "ヤマダ"},
		receipt.AssignReceipt{Key: receiptOn("Q2", "02-02"), Customer: "A", Unapplied: true},
		receipt.RecordReceipt{Key: receiptOn("Q3", "02-02"), Amount: yen(40), Payer: "ヤマダ"},
		receipt.ReturnReceipt{Key: receiptOn("Q3", "02-02"), ReturnedOn: on("02-05"), Reason: "x"},
	)
	level := func(id dunning.LevelID, days int) dunning.Level {
		return dunning.Level{ID: id, DaysAfterDue: days, Channel: dunning.Mail, Template: dunning.TemplateID(id), Tone: dunning.Firm, Who: dunning.Agency}
	}
	order := func(c domain.CustomerID, day string) dunning.Order {
		return dunning.Order{Key: caseOf(c), On: on(day), Acting: dunning.Creditor}
	}
	give(
		dunning.SetDunningPolicy{Seller: "S1", ID: dunning.DefaultID, On: on("01-01"), Reason: "x", Policy: dunning.Policy{
			Language: domain.Japanese, Levels: []dunning.Level{level("ONE", 3), level("TWO", 10), level("THREE", 30)},
		}},
		dunning.RecordBankData{Seller: "S1", On: on("03-31"), Through: on("03-30")},
		sold("F1", "F", "01-05", 1000), sold("G1", "G", "01-05", 1000), sold("G2", "G", "01-05", 3000),
		dunning.HoldDunning{Order: order("A", "02-01"), Hold: "H1", Kind: dunning.CreditorsHold, Reason: "x"},
		dunning.EscalateReminder{Order: order("F", "02-20"), Reminder: "M1", Reason: "x"},
		dunning.SendReminder{Order: order("F", "02-20"), Reminder: "M1", TextHash: strings.Repeat("0", 64), Channel: dunning.Mail, Result: dunning.Accepted},
		dunning.EscalateReminder{Order: order("F", "03-01"), Reminder: "M2", Reason: "x"},
		dunning.RecordPromise{Order: order("G", "02-20"), Promise: "Z1", Amount: yen(1000), Day: on("02-27")},
		dunning.AgreePaymentPlan{
			Order: order("G", "02-20"), Plan: "N1", Reason: "x", Clause: dunning.AccelerationClause{Missed: 2},
			Instalments: []dunning.Instalment{{Day: on("03-02"), Amount: yen(2000)}, {Day: on("04-01"), Amount: yen(2400)}},
		},
		dunning.ReturnToCreditor{Order: order("A", "02-01"), Reason: "x"},
		dunning.BeginRun{RunKey: dunning.RunKey{Seller: "S1", Run: "RUN"}, On: on("03-01"), Acting: dunning.Agency},
		dunning.RecordDecisions{RunKey: dunning.RunKey{Seller: "S1", Run: "RUN"}, Part: 1, Decisions: []dunning.RunDecision{
			{Customer: "B", Currency: "JPY", Finding: dunning.Finding{Why: dunning.WhyNothingDue}},
		}},
		access.CreateKey{Key: "k1", Holder: "x", Role: access.Clerk, Hash: strings.Repeat("0", 64), CreatedAt: noon},
		access.CreateKey{Key: "k2", Holder: "x", Role: access.Clerk, Hash: strings.Repeat("0", 64), CreatedAt: noon},
		access.RevokeKey{Key: "k2", Reason: "x", RevokedAt: noon},
	)
}

// keptStory is the story in a directory.
func keptStory(t testing.TB) kept {
	t.Helper()
	k := kept{dir: t.TempDir()}
	store, err := sqlite.Open(k.dir, ticking())
	if err != nil {
		t.Fatal(err)
	}
	story(t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return k
}

// forger appends what no command has written.
type forger struct {
	*sqlite.Store
	t       testing.TB
	written int
}

func (f *forger) append(stream string, e domain.Event) (eventstore.Position, eventstore.Version) {
	f.written++
	return f.appendAs(fmt.Sprint("forged-", f.written), stream, e)
}

func (f *forger) appendAs(command, stream string, e domain.Event) (eventstore.Position, eventstore.Version) {
	f.t.Helper()
	version := eventstore.Version(0)
	for r, err := range f.Read(ctx, stream, 0) {
		if err != nil {
			f.t.Fatal(err)
		}
		version = r.Version
	}
	p, err := ledger.Codec().Encode(e)
	if err != nil {
		f.t.Fatal(err)
	}
	p.ID = eventstore.EventID(stream, fmt.Sprint(command, version), 0, p.Data)
	p.Metadata = fmt.Appendf(nil, `{"command_id":%q,"command":"Forge","command_hash":"","schema":%d}`, command, p.Schema)
	at, err := f.Append(ctx, stream, version, p)
	if err != nil {
		f.t.Fatal(err)
	}
	return at, version + 1
}

// opened is a copy of a ledger's log.
func (k kept) opened(t testing.TB) *forger {
	t.Helper()
	store, err := sqlite.Open(k.copied(t).dir, ticking())
	if err != nil {
		t.Fatal(err)
	}
	return &forger{Store: store, t: t}
}

func (f *forger) audit() *Report {
	f.t.Helper()
	manyParts := int64(6 * partMax) // of streams, as in a large log
	r, err := Verify(ctx, Books{Store: f.Store, Codec: ledger.Codec(), Count: manyParts}, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// Each thing that no decider states is found where it stands, and it is said what differs.
func TestForgedEvents(t *testing.T) {
	k := keptStory(t)
	sound := k.opened(t)
	if r := sound.audit(); !r.OK || r.Streams < 20 {
		t.Fatal(r)
	}
	if err := sound.Close(); err != nil {
		t.Fatal(err)
	}
	list := slices.Concat(forgedMasterData(), forgedAccounts(), forgedCarryForwards(), forgedNumbers(), forgedReceipts(), forgedCases(), forgedPolicies())
	told := make([]string, len(list))
	beside(len(list), func(i int) {
		c := list[i]
		f := k.opened(t)
		defer f.Close()
		for _, b := range c.before {
			f.append(b.stream, b.event)
		}
		if r := f.audit(); !r.OK {
			t.Errorf("%s: what is to stand before it is found already: %s", c.name, r)
			return
		}
		at, version := f.append(c.stream, c.event)
		r := f.audit()
		named := slices.ContainsFunc(r.Findings, func(f Finding) bool {
			return f.Rule == c.rule && f.Position == at && f.Stream == c.stream && f.Version == version && strings.Contains(f.Text, c.text)
		})
		other := slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Position != at && f.Rule != Invariant })
		if !named || other {
			t.Errorf("%s: want %s at position %d, version %d of %s with %q, got\n%s", c.name, c.rule, at, version, c.stream, c.text, r)
		}
		told[i] = c.rule
	})
	for _, rule := range []string{Misplaced, Contradiction, Unregistered, WrongNumber, WrongReceipt, WrongCarry, WrongClaim} {
		if !slices.Contains(told, rule) {
			t.Errorf("no %s", rule)
		}
	}
}

// A command that comes twice, and an event that does, are found where they come again.
func TestForgedRepeats(t *testing.T) {
	f := keptStory(t).opened(t)
	defer f.Close()
	stream := accountOf("A").Stream()
	f.append(stream, account.NumberForfeited{Number: "x", Token: 1, ForfeitOn: on("04-01")})
	f.appendAs("one", stream, account.NumberForfeited{Number: "x", Token: 1, ForfeitOn: on("04-01")})
	f.appendAs("one", stream, account.NumberForfeited{Number: "x", Token: 2, ForfeitOn: on("04-01")}) // of the same command
	f.appendAs("two", stream, account.NumberForfeited{Number: "x", Token: 3, ForfeitOn: on("04-01")})
	if r := f.audit(); !r.OK {
		t.Fatal(r)
	}
	at, version := f.appendAs("one", stream, account.NumberForfeited{Number: "x", Token: 4, ForfeitOn: on("04-01")})
	r := f.audit()
	if len(r.Findings) != 1 || r.Findings[0].Rule != CommandTwice || r.Findings[0].Position != at || r.Findings[0].Version != version ||
		!strings.Contains(r.Findings[0].Text, fmt.Sprintf("version %d already", version-3)) {
		t.Error(r)
	}
}

// Beyond what is lost, nothing is said of what relies upon it, and that is told.
func TestBlindBeyondLoss(t *testing.T) {
	k := keptStory(t)
	c := k.copied(t)
	c.sql(t, "DELETE FROM events WHERE position = (SELECT min(position) FROM events WHERE stream = (SELECT id FROM streams WHERE name LIKE 'numbering-%'))")
	r := c.audit(t, Given{})
	if r.OK || r.found(WrongNumber, WrongReceipt, WrongClaim, WrongCarry, Unregistered) > 0 || !strings.Contains(strings.Join(r.Notes, "\n"), "checked up to position") {
		t.Error(r)
	}
}
