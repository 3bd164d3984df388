package receipt_test

import (
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/scenario"
)

func yen(n int64) domain.Money { return domain.NewMoney(n, "JPY") }

func day(d int) domain.Date { return domain.NewDate(2026, 7, d) }

func key(id domain.ReceiptID) receipt.Key {
	return receipt.Key{Seller: "midori", Receipt: id, ReceivedOn: day(31)}
}

func record(id domain.ReceiptID) receipt.RecordReceipt {
	return receipt.RecordReceipt{Key: key(id), Amount: yen(109_340), Payer: "ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ", Reference: "INV-2026-000001", Account: "0001-001-0123456"}
}

func given(t *testing.T) *scenario.Scenario[receipt.Command, *receipt.State] {
	return scenario.For(t, receipt.Decider, receipt.Events)
}

func TestReceiptIsAssigned(t *testing.T) {
	recorded := receipt.Recorded(record("R1"))
	assign := receipt.AssignReceipt{Key: key("R1"), Customer: "C1"}
	assigned := receipt.Assigned{Key: key("R1"), Customer: "C1", Payment: "R1"}
	s := given(t).
		When(assign).RefusedAt(receipt.ErrUnknown, "/receipt").
		When(record("R1")).Then(recorded).
		When(record("R1")).RefusedAt(receipt.ErrRepeatedID, "/receipt").
		When(receipt.BookReceipt{Key: key("R1"), Token: 1}).RefusedAt(receipt.ErrReleased, "/receipt").
		When(receipt.ReleaseReceipt{Key: key("R1"), Token: 1}).RefusedAt(receipt.ErrReleased, "/receipt").
		When(assign).Then(assigned)
	r, open := s.State().Get("R1")
	if !open || r.Customer != "C1" || r.Payment != "R1" || r.Token != 2 || r.Amount != yen(109_340) {
		t.Errorf("%+v", r)
	}
	s.When(assign).RefusedAt(receipt.ErrAssigned, "/receipt").
		When(receipt.ReturnReceipt{Key: key("R1"), ReturnedOn: day(31), Reason: "x"}).RefusedAt(receipt.ErrAssigned, "/receipt").
		When(receipt.BookReceipt{Key: key("R1"), Token: 1}).RefusedAt(receipt.ErrReleased, "/receipt").
		When(receipt.ReleaseReceipt{Key: key("R1"), Token: 2, Rule: "account.repeated_id"}).
		Then(receipt.Released{Key: key("R1"), Customer: "C1", Rule: "account.repeated_id"})
	if r, _ := s.State().Get("R1"); r.Customer != "" || r.Payment != "" || r.Token != 0 {
		t.Errorf("released: %+v", r)
	}
	assign.Payment, assign.Unapplied = "P9", true
	assigned.Payment, assigned.Unapplied = "P9", true
	s.When(receipt.BookReceipt{Key: key("R1"), Token: 2}).RefusedAt(receipt.ErrReleased, "/receipt").
		When(assign).Then(assigned).
		When(receipt.BookReceipt{Key: key("R1"), Token: 4}).Then(receipt.Booked{Key: key("R1"), Customer: "C1", Payment: "P9"}).
		When(assign).RefusedAt(receipt.ErrSettled, "/receipt").
		When(record("R1")).RefusedAt(receipt.ErrRepeatedID, "/receipt")
	if _, open := s.State().Get("R1"); open {
		t.Error("a payment is open as a receipt")
	}
}

func TestReceiptIsReturned(t *testing.T) {
	back := receipt.ReturnReceipt{Key: key("R1"), ReturnedOn: domain.NewDate(2026, 8, 4), Reason: "別会社宛て"}
	other := back
	other.ReceivedOn = day(30)
	early := back
	early.ReturnedOn = day(30)
	given(t).
		Given(receipt.Recorded(record("R1"))).
		When(other).RefusedAt(receipt.ErrUnknown, "/received_on").
		When(early).RefusedAt(receipt.ErrBeforeReceived, "/on").
		When(back).Then(receipt.Returned{Key: key("R1"), ReturnedOn: back.ReturnedOn, Amount: yen(109_340), Reason: "別会社宛て"}).
		When(back).RefusedAt(receipt.ErrSettled, "/receipt")
}

func TestFields(t *testing.T) {
	for field, c := range map[string]struct {
		command receipt.Command
		want    *domain.Error
	}{
		"/seller":      {receipt.RecordReceipt{Key: receipt.Key{Seller: "a.b", Receipt: "R", ReceivedOn: day(1)}, Amount: yen(1), Payer: "x"}, domain.ErrBadID},
		"/receipt":     {receipt.AssignReceipt{Key: key("a b"), Customer: "C1"}, domain.ErrBadID},
		"/received_on": {receipt.AssignReceipt{Key: receipt.Key{Seller: "S", Receipt: "R"}, Customer: "C1"}, domain.ErrMissing},
		"/amount":      {receipt.RecordReceipt{Key: key("R"), Payer: "x"}, domain.ErrMissing},
		"/payer":       {receipt.RecordReceipt{Key: key("R"), Amount: yen(1)}, domain.ErrMissing},
		"/reference":   {receipt.RecordReceipt{Key: key("R"), Amount: yen(1), Payer: "x", Reference: strings.Repeat("x", receipt.TextMax+1)}, domain.ErrTooLong},
		"/account":     {receipt.RecordReceipt{Key: key("R"), Amount: yen(1), Payer: "x", Account: "a\nb"}, domain.ErrMalformed},
		"/customer":    {receipt.AssignReceipt{Key: key("R")}, domain.ErrBadID},
		"/payment":     {receipt.AssignReceipt{Key: key("R"), Customer: "C1", Payment: "a b"}, domain.ErrBadID},
		"/on":          {receipt.ReturnReceipt{Key: key("R"), Reason: "x"}, domain.ErrMissing},
		"/reason":      {receipt.ReturnReceipt{Key: key("R"), ReturnedOn: day(31)}, domain.ErrMissing},
	} {
		t.Run(field, func(t *testing.T) { given(t).When(c.command).RefusedAt(c.want, field) })
	}
	for _, amount := range []domain.Money{yen(0), yen(-1)} {
		c := record("R")
		c.Amount = amount
		given(t).When(c).RefusedAt(domain.ErrNotPositive, "/amount")
	}
}
