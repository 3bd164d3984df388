package journal

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
)

// Any history balances, entry by entry; and at the end of every day Accounts receivable is what is open and Advances
// received is what is unapplied, by the account's own books.
func TestAnyHistoryBalances(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := &books{state: account.Decider.New()}
		for n := range rapid.IntRange(1, 80).Draw(rt, "length") {
			_ = b.do(anyCommand(rt, n)) // a refusal posts nothing
		}
		var effect int64
		for _, event := range b.events {
			e, _ := Of(event)
			if d := difference(e); d != 0 {
				rt.Fatalf("%s %+v: debits and credits differ by %d: %+v", event.Kind(), event, d, e)
			}
			for _, l := range e.Lines {
				if l.Amount.CheckPositive() != nil {
					rt.Fatalf("%s: %+v", event.Kind(), l)
				}
			}
			effect += event.Effect()
		}
		open, unapplied := b.byDay(rt)
		for day := on("05-31"); !day.After(on("08-31")); day = day.AddDays(1) {
			if got, want := b.stands(Receivable, day), open.at(day); got != want {
				rt.Fatalf("%s: accounts receivable %d, open %d", day, got, want)
			}
			if got, want := -b.stands(Advances, day), unapplied.at(day); got != want {
				rt.Fatalf("%s: advances received %d, unapplied %d", day, got, want)
			}
		}
		if net := b.stands(Receivable, on("12-31")) + b.stands(Advances, on("12-31")); net != b.state.Balance() || net != effect {
			rt.Fatalf("receivable less advances %d, balance %d, effects %d", net, b.state.Balance(), effect)
		}
	})
}

// stands is a title's debits less its credits at the end of a day.
func (b *books) stands(title Title, day domain.Date) (sum int64) {
	for _, event := range b.events {
		e, _ := Of(event)
		for _, l := range e.Lines {
			if l.Title == title && !e.On.After(day) {
				sum += signed(l)
			}
		}
	}
	return sum
}

// movements are changes by day.
type movements []account.MoveRecord

func (m movements) at(day domain.Date) (sum int64) {
	for _, move := range m {
		if !move.On.After(day) {
			sum += move.Minor
		}
	}
	return sum
}

// byDay asks the account itself, through the records that a carry forward would take along.
func (b *books) byDay(t *rapid.T) (open, unapplied movements) {
	snapshot, err := b.state.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	state, err := account.Restore(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	closed := &books{state: state}
	if err := closed.do(account.CarryForward{Key: acme, CarryOn: on("12-31"), Into: "2027", KeepSince: on("01-01")}); err != nil {
		t.Fatal(err)
	}
	for _, e := range account.BroughtForward(closed.state, acme.Stream()) {
		records := e.Records
		for _, item := range records.Items {
			open = append(open, item.Moves...)
		}
		for _, fund := range append(records.Payments, records.Credits...) {
			unapplied = append(unapplied, fund.Moves...)
		}
	}
	return open, unapplied
}

// anyCommand draws the nth order. There are few ids, so that most orders meet something that is there.
func anyCommand(t *rapid.T, n int) account.Command {
	id := func(prefix string) string { return fmt.Sprint(prefix, rapid.IntRange(0, 3).Draw(t, prefix)) }
	day := on("06-01").AddDays(n/2 + rapid.IntRange(-3, 3).Draw(t, "day"))
	if day.Before(on("06-01")) {
		day = on("06-01")
	}
	amount := yen(rapid.Int64Range(1, 3000).Draw(t, "amount"))
	small := yen(rapid.Int64Range(1, 400).Draw(t, "small"))
	invoice := domain.InvoiceID(id("A"))
	payment, credit := domain.PaymentID(id("P")), domain.CreditID(id("C"))
	orders := []func() account.Command{
		func() account.Command {
			return account.IssueInvoice{Key: acme, Invoice: invoice, IssuedOn: day, DueOn: day, Total: amount}
		},
		func() account.Command {
			lines := []account.Line{line(amount.Minor(), account.Standard, 10_00), line(small.Minor()-100, account.Reduced, 8_00), line(50, account.NonTaxable, 0)}
			lines[0].TaxIncluded = n%3 == 0
			return account.IssueInvoice{Key: acme, Invoice: invoice, IssuedOn: day, DueOn: day, Lines: lines}
		},
		func() account.Command {
			return account.RecordPayment{Key: acme, Payment: payment, ReceivedOn: day, Amount: amount}
		},
		func() account.Command {
			return account.RecordPayment{Key: acme, Payment: payment, ReceivedOn: day, Amount: amount, Allocate: account.Nothing}
		},
		func() account.Command { return account.ApplyPayment{Key: acme, Payment: payment, ApplyOn: day} },
		func() account.Command {
			return account.UnapplyPayment{Key: acme, Payment: payment, UnapplyOn: day, Reason: "x"}
		},
		func() account.Command {
			return account.ReversePayment{Key: acme, Payment: payment, ReverseOn: day, Reason: "x"}
		},
		func() account.Command {
			return account.IssueCreditNote{Key: acme, Credit: credit, IssuedOn: day, Invoice: invoice, Reason: account.Return, Total: small}
		},
		func() account.Command {
			return account.IssueCreditNote{
				Key: acme, Credit: credit, IssuedOn: day, Invoice: invoice, Reason: account.Return,
				Lines: []account.Line{line(small.Minor(), account.Standard, 10_00)},
			}
		},
		func() account.Command {
			return account.IssueCreditNote{Key: acme, Credit: credit, IssuedOn: day, Reason: account.Goodwill, Total: amount}
		},
		func() account.Command { return account.ApplyCredit{Key: acme, Credit: credit, ApplyOn: day} },
		func() account.Command {
			return account.UnapplyCredit{Key: acme, Credit: credit, UnapplyOn: day, Reason: "x"}
		},
		func() account.Command {
			return account.IssueRefund{Key: acme, Refund: domain.RefundID(fmt.Sprint("R", n)), Payment: payment, RefundOn: day, Amount: small}
		},
		func() account.Command {
			return account.IssueRefund{Key: acme, Refund: domain.RefundID(fmt.Sprint("R", n)), Credit: credit, RefundOn: day, Amount: small}
		},
		func() account.Command {
			return account.WriteOff{Key: acme, WriteOff: domain.WriteOffID(id("W")), Invoice: invoice, WriteOffOn: day, Amount: small, Reason: "x", Approver: "y"}
		},
		func() account.Command {
			return account.RecoverWriteOff{Key: acme, Recovery: domain.RecoveryID(fmt.Sprint("V", n)), WriteOff: domain.WriteOffID(id("W")), RecoverOn: day, Amount: yen(min(20, small.Minor()))}
		},
		func() account.Command {
			return account.SettleDifference{Key: acme, Invoice: invoice, SettleOn: day, Amount: small, Reason: account.BankFee}
		},
		func() account.Command {
			return account.SettleDifference{Key: acme, Invoice: invoice, SettleOn: day, Amount: small, Reason: account.RoundingError}
		},
		func() account.Command {
			return account.SettleDifference{Key: acme, Payment: payment, SettleOn: day, Amount: small, Reason: account.RoundingError}
		},
		func() account.Command {
			return account.AssessLateCharge{Key: acme, Charge: domain.InvoiceID(id("L")), Invoice: invoice, Rate: 900_00, To: day, AssessedOn: day}
		},
		func() account.Command {
			return account.WaiveLateCharge{Key: acme, Charge: domain.InvoiceID(id("L")), WaiveOn: day, Reason: "x", Approver: "y"}
		},
		func() account.Command {
			return account.VoidInvoice{Key: acme, Invoice: invoice, VoidOn: day, Reason: "x"}
		},
		func() account.Command {
			return account.OpenDispute{Key: acme, Dispute: domain.DisputeID(id("D")), Invoice: domain.InvoiceID(id("L")), OpenedOn: day, Reason: account.Defective}
		},
		func() account.Command {
			return account.ResolveDispute{Key: acme, Dispute: domain.DisputeID(id("D")), ResolvedOn: day, Outcome: account.DisputeUpheld, Credit: domain.CreditID(fmt.Sprint("U", n))}
		},
	}
	return rapid.SampledFrom(orders).Draw(t, "order")()
}
