package projections

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// The first and last day of random histories.
var firstDay, lastDay = domain.NewDate(2026, 1, 1), domain.NewDate(2026, 5, 31)

func anyDay() *rapid.Generator[domain.Date] {
	return rapid.Custom(func(t *rapid.T) domain.Date {
		return firstDay.AddDays(rapid.IntRange(0, lastDay.DaysSince(firstDay)).Draw(t, "day"))
	})
}

// anyCommand draws a command on one of few accounts about few documents, so that many of them meet.
func anyCommand(n int) *rapid.Generator[account.Command] {
	return rapid.Custom(func(t *rapid.T) account.Command {
		k := account.Key{
			Seller:   rapid.SampledFrom([]domain.SellerID{"S1", "S1", "S2"}).Draw(t, "seller"),
			Customer: rapid.SampledFrom([]domain.CustomerID{"C1", "C1", "C2"}).Draw(t, "customer"),
			Currency: rapid.SampledFrom([]domain.Currency{"JPY", "JPY", "USD"}).Draw(t, "currency"),
		}
		id := func(prefix string) string { return prefix + fmt.Sprint(rapid.IntRange(1, 5).Draw(t, prefix)) }
		on := anyDay().Draw(t, "on")
		amount := domain.NewMoney(rapid.SampledFrom([]int64{1, 30, 100, 100, 500, 1000}).Draw(t, "amount"), k.Currency)
		invoice, paid, credit := domain.InvoiceID(id("I")), domain.PaymentID(id("P")), domain.CreditID(id("N"))
		list := []account.Allocation{{Invoice: invoice, Amount: amount}}
		if rapid.Bool().Draw(t, "all") {
			list = nil
		}
		switch rapid.SampledFrom([]string{
			"issue", "issue", "issue", "pay", "pay", "pay", "apply", "unapply", "reverse", "credit", "credit",
			"applyCredit", "unapplyCredit", "refund", "refundCredit", "writeOff", "difference", "surplus", "dispute", "resolve", "charge", "waive", "due", "void", "carry",
		}).Draw(t, "what") {
		case "issue":
			total := rapid.SampledFrom([]int64{0, 100, 1000, 1000, 5000}).Draw(t, "total")
			return account.IssueInvoice{
				Key: k, Invoice: invoice, Number: string(invoice), IssuedOn: on,
				DueOn: on.AddDays(rapid.IntRange(0, 60).Draw(t, "net")), Total: domain.NewMoney(total, k.Currency),
			}
		case "pay":
			return account.RecordPayment{Key: k, Payment: paid, ReceivedOn: on, Amount: amount, Allocations: list}
		case "apply":
			return account.ApplyPayment{Key: k, Payment: paid, ApplyOn: on, Allocations: list}
		case "unapply":
			return account.UnapplyPayment{Key: k, Payment: paid, UnapplyOn: on, Allocations: list, Reason: "wrong"}
		case "reverse":
			return account.ReversePayment{Key: k, Payment: paid, ReverseOn: on, Reason: "bounced"}
		case "credit":
			if rapid.Bool().Draw(t, "free") {
				invoice = ""
			}
			return account.IssueCreditNote{Key: k, Credit: credit, IssuedOn: on, Invoice: invoice, Reason: account.Discount, Total: amount}
		case "applyCredit":
			return account.ApplyCredit{Key: k, Credit: credit, ApplyOn: on, Allocations: list}
		case "unapplyCredit":
			return account.UnapplyCredit{Key: k, Credit: credit, UnapplyOn: on, Allocations: list, Reason: "wrong"}
		case "refund":
			return account.IssueRefund{Key: k, Payment: paid, RefundOn: on, Amount: amount}
		case "refundCredit":
			return account.IssueRefund{Key: k, Credit: credit, RefundOn: on, Amount: amount}
		case "writeOff":
			return account.WriteOff{Key: k, Invoice: invoice, WriteOffOn: on, Amount: amount, Reason: "bankrupt", Approver: "CFO"}
		case "difference":
			return account.SettleDifference{Key: k, Invoice: invoice, SettleOn: on, Amount: amount, Reason: account.RoundingError}
		case "surplus":
			return account.SettleDifference{Key: k, Payment: paid, SettleOn: on, Amount: amount, Reason: account.RoundingError}
		case "dispute":
			return account.OpenDispute{Key: k, Dispute: domain.DisputeID(id("D")), Invoice: invoice, OpenedOn: on, Reason: account.Defective}
		case "resolve":
			return account.ResolveDispute{
				Key: k, Dispute: domain.DisputeID(id("D")), ResolvedOn: on,
				Outcome: rapid.SampledFrom([]account.Outcome{account.DisputeUpheld, account.DisputeRejected}).Draw(t, "outcome"),
			}
		case "charge":
			return account.AssessLateCharge{Key: k, Charge: domain.InvoiceID(id("L")), Invoice: invoice, Rate: 2000, To: on.AddDays(50), AssessedOn: on}
		case "waive":
			return account.WaiveLateCharge{Key: k, Charge: domain.InvoiceID(id("L")), WaiveOn: on, Reason: "goodwill", Approver: "CFO"}
		case "due":
			return account.ChangeDueDate{Key: k, Invoice: invoice, DueOn: anyDay().Draw(t, "due"), ChangeOn: on, Reason: "asked", By: "hanako"}
		case "void":
			return account.VoidInvoice{Key: k, Invoice: invoice, VoidOn: on, Reason: "twice"}
		}
		return account.CarryForward{Key: k, CarryOn: on, Into: fmt.Sprintf("Y%d", n), KeepSince: firstDay}
	})
}

// byHand is an account computed straight from its events: those of a business day on or before a day and of a position
// up to another.
type byHand struct {
	items     map[domain.InvoiceID]*itemByHand
	unapplied map[string]int64
	balance   int64
}

type itemByHand struct{ open, due, changedOn, disputed int64 }

func computeByHand(facts []fact, k account.Key, day domain.Date, known eventstore.Position) byHand {
	h := byHand{map[domain.InvoiceID]*itemByHand{}, map[string]int64{}, 0}
	settle := func(list []account.Allocation, sign int64) (sum int64) {
		for _, a := range list {
			h.items[a.Invoice].open -= sign * a.Amount.Minor()
			sum += a.Amount.Minor()
		}
		return sign * sum
	}
	for _, f := range facts {
		if f.key != k || f.position > known || f.event.On().After(day) {
			continue
		}
		h.balance += f.event.Effect()
		switch e := f.event.(type) {
		case account.InvoiceIssued:
			h.items[e.Invoice] = &itemByHand{open: e.Total.Minor(), due: e.DueOn.DayNumber()}
		case account.LateChargeAssessed:
			h.items[e.Charge] = &itemByHand{open: e.Amount.Minor(), due: e.DueOn.DayNumber()}
		case account.InvoiceVoided:
			h.items[e.Invoice].open -= e.Amount.Minor()
		case account.WrittenOff:
			h.items[e.Invoice].open -= e.Amount.Minor()
		case account.LateChargeWaived:
			h.items[e.Charge].open -= e.Amount.Minor()
		case account.DueDateChanged:
			if it := h.items[e.Invoice]; e.ChangeOn.DayNumber() >= it.changedOn {
				it.due, it.changedOn = e.DueOn.DayNumber(), e.ChangeOn.DayNumber()
			}
		case account.DisputeOpened:
			h.items[e.Invoice].disputed += e.Amount.Minor()
		case account.DisputeResolved:
			h.items[e.Invoice].disputed -= e.Amount.Minor()
		case account.PaymentRecorded:
			h.unapplied["P"+string(e.Payment)] = e.Amount.Minor() - settle(e.Allocations, 1)
		case account.PaymentApplied:
			h.unapplied["P"+string(e.Payment)] -= settle(e.Allocations, 1)
		case account.PaymentUnapplied:
			h.unapplied["P"+string(e.Payment)] -= settle(e.Allocations, -1)
		case account.PaymentReversed:
			h.unapplied["P"+string(e.Payment)] -= settle(e.Released, -1) + e.Amount.Minor()
		case account.CreditNoteIssued:
			h.unapplied["N"+string(e.Credit)] = e.Total.Minor() - settle(e.Applied, 1)
		case account.CreditApplied:
			h.unapplied["N"+string(e.Credit)] -= settle(e.Allocations, 1)
		case account.CreditUnapplied:
			h.unapplied["N"+string(e.Credit)] -= settle(e.Allocations, -1)
		case account.RefundIssued:
			if e.Payment != "" {
				h.unapplied["P"+string(e.Payment)] -= e.Amount.Minor()
			} else {
				h.unapplied["N"+string(e.Credit)] -= e.Amount.Minor()
			}
		case account.DifferenceSettled:
			if e.Payment != "" {
				h.unapplied["P"+string(e.Payment)] -= e.Amount.Minor()
			} else {
				h.items[e.Invoice].open -= e.Amount.Minor()
			}
		}
	}
	return h
}

// row is the account's aging row in minor units, with the oldest due date last; nil when nothing stands on it.
func (h byHand) row(day domain.Date) []int64 {
	row := make([]int64, 9)
	for _, it := range h.items {
		if it.open == 0 {
			continue
		}
		overdue := day.DayNumber() - it.due
		bucket := 0
		for _, edge := range []int64{0, 30, 60, 90} {
			if overdue > edge {
				bucket++
			}
		}
		row[bucket] += it.open
		row[7] += min(it.disputed, it.open)
		if row[8] == 0 || it.due < row[8] {
			row[8] = it.due
		}
	}
	for _, n := range h.unapplied {
		row[5] += n
	}
	row[6] = row[0] + row[1] + row[2] + row[3] + row[4] - row[5]
	if slices.Max(row) == 0 {
		return nil
	}
	return row
}

// checkBooks is rapid.Check for rounds that make whole books and take seconds each under the race detector: twenty of
// them, or as many as -rapid.checks asks for.
func checkBooks(t *testing.T, round func(*rapid.T)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if asked := checks.Value.String(); asked == checks.DefValue {
		_ = checks.Value.Set("20")
		defer func() { _ = checks.Value.Set(asked) }()
	}
	rapid.Check(t, round)
}

// Aging, balances, unapplied, invoices, statements and history agree with the events, on any day, as known at any
// position, and so with each other.
func TestReportsAgreeWithTheEvents(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBooks(t)
		defer os.RemoveAll(b.dir)
		defer func() { b.views.Close() }()
		b.register()
		accepted := 0
		for n := range rapid.IntRange(1, 60).Draw(rt, "commands") {
			if b.try(anyCommand(n).Draw(rt, "command")) == nil {
				accepted++
			}
			if n%17 == 16 && rapid.Bool().Draw(rt, "fold") {
				if _, err := b.views.CatchUp(context.Background()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		if accepted == 0 {
			rt.Skip("all refused")
		}
		for range 2 {
			asOf := anyDay().Draw(rt, "as of")
			known := eventstore.Position(rapid.Uint64Range(1, uint64(b.head())).Draw(rt, "known at"))
			for _, s := range []domain.SellerID{"S1", "S2"} {
				b.compare(rt, s, asOf, known)
			}
		}
	})
}

// knownBy tells that something was written on an account up to a position.
func (b *books) knownBy(k account.Key, known eventstore.Position) bool {
	return slices.ContainsFunc(b.facts, func(f fact) bool { return f.key == k && f.position <= known })
}

func (b *books) compare(t *rapid.T, s domain.SellerID, asOf domain.Date, known eventstore.Position) {
	var keys []account.Key
	for k := range b.accounts {
		if k.Seller == s && b.knownBy(k, known) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return
	}
	slices.SortFunc(keys, func(x, y account.Key) int {
		return cmp.Or(cmp.Compare(x.Customer, y.Customer), cmp.Compare(x.Currency, y.Currency))
	})
	ctx, at := context.Background(), KnownAt{Position: known}
	report, err := b.views.Aging(ctx, AgingQuery{Seller: s, AsOf: asOf, KnownAt: at})
	if err != nil {
		t.Fatal(err)
	}
	balances, err := b.views.Balances(ctx, BalancesQuery{Seller: s, AsOf: asOf, KnownAt: at})
	if err != nil || len(balances.Rows) != len(report.Rows) {
		t.Fatal(err, balances)
	}
	place := 0
	for _, k := range keys {
		hand := computeByHand(b.facts, k, asOf, known)
		want := hand.row(asOf)
		if want != nil {
			if place >= len(report.Rows) {
				t.Fatalf("%v as of %s known at %d: no row, want %v", k, asOf, known, want)
			}
			row := report.Rows[place]
			got := append(line(row), row.OldestDueOn.DayNumber())
			if row.Customer != k.Customer || row.Currency != k.Currency || !slices.Equal(got, want) {
				t.Fatalf("%v as of %s known at %d: %v, want %v", k, asOf, known, got, want)
			}
			bal := balances.Rows[place]
			if bal.Balance.Minor() != hand.balance || bal.Open.Minor() != hand.balance+want[5] || bal.Overdue.Minor() != want[1]+want[2]+want[3]+want[4] {
				t.Fatalf("%v balance %+v, by hand %d", k, bal, hand.balance)
			}
			place++
		} else if hand.balance != 0 {
			t.Fatalf("%v: the events' effects sum to %d, nothing is open", k, hand.balance)
		}
		b.compareDetails(t, k, asOf, known, hand)
	}
	if place != len(report.Rows) {
		t.Fatalf("%d rows, want %d", len(report.Rows), place)
	}
	b.compareAmbiguous(t, s, keys, asOf, known)
	b.compareDebtors(t, s, keys, asOf, known)
}

func (b *books) compareDetails(t *rapid.T, k account.Key, asOf domain.Date, known eventstore.Position, hand byHand) {
	ctx, at := context.Background(), KnownAt{Position: known}
	from := firstDay.AddDays(40)
	if from.After(asOf) {
		from = asOf
	}
	statements, err := b.views.Statement(ctx, StatementQuery{Seller: k.Seller, Customer: k.Customer, Currency: k.Currency, From: from, To: asOf, KnownAt: at})
	if err != nil || len(statements.Accounts) != 1 {
		t.Fatal(err, statements)
	}
	s := statements.Accounts[0]
	opening, lines := computeByHand(b.facts, k, from.AddDays(-1), known).balance, 0
	for _, f := range b.facts {
		if f.key == k && f.position <= known && !f.event.On().After(asOf) && !f.event.On().Before(from) && f.event.Effect() != 0 {
			lines++
		}
	}
	if s.Opening.Minor() != opening || s.Closing.Minor() != hand.balance || len(s.Lines) != lines {
		t.Fatalf("%v statement %s to %s: %+v; by hand %d, %d, %d lines", k, from, asOf, s, opening, hand.balance, lines)
	}
	invoices, err := b.views.Invoices(ctx, InvoicesQuery{Seller: k.Seller, Customer: k.Customer, Currency: k.Currency, AsOf: asOf, KnownAt: at})
	if err != nil || len(invoices.Rows) != len(hand.items) {
		t.Fatalf("%v invoices: %v, %+v, by hand %d", k, err, invoices, len(hand.items))
	}
	for _, row := range invoices.Rows {
		if it := hand.items[row.Invoice]; it == nil || it.open != row.Open.Minor() || it.due != row.DueOn.DayNumber() || min(it.disputed, it.open) != row.Disputed.Minor() {
			t.Fatalf("%v invoice %+v, by hand %+v", k, row, it)
		}
	}
	b.comparePoints(t, k, asOf, known, hand, invoices.Rows)
	list, err := b.views.Unapplied(ctx, UnappliedQuery{Seller: k.Seller, Customer: k.Customer, AsOf: asOf, KnownAt: at})
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]int64)
	for _, row := range list.Rows {
		if row.Currency == k.Currency {
			found[map[Class]string{Payment: "P", CreditNote: "N"}[row.Class]+row.Document] = row.Unapplied.Minor()
		}
	}
	for id, n := range hand.unapplied {
		if found[id] != n {
			t.Fatalf("%v %s: %d unapplied, by hand %d", k, id, found[id], n)
		}
	}
	history, err := b.views.History(ctx, HistoryQuery{Key: k, AsOf: asOf, KnownAt: at})
	if err != nil || len(history) > 0 && history[len(history)-1].Balance.Minor() != hand.balance || len(history) == 0 && hand.balance != 0 {
		t.Fatalf("%v history: %v, %+v, by hand %d", k, err, history, hand.balance)
	}
}
