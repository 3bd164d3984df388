package main

import (
	"encoding/json"
	"fmt"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// step is one thing that a client does, in plain values: the auditor reads them and never the domain's commands.
type step struct {
	N      int    // its place in the run; command ids and faults come from it
	Node   int    // asked first; a repeat after a lost answer goes to the next one
	What   string // see command
	Of     int    `json:",omitempty"` // of an again or a reuse: the step that was done before
	Seller string
	acct   // that it is about

	Doc    string  `json:",omitempty"` // id of what it makes
	About  string  `json:",omitempty"` // id of what it is about
	Fund   string  `json:",omitempty"` // payment (P…) or credit note (N…) that it moves
	Number string  `json:",omitempty"` // given by hand
	Amount int64   `json:",omitempty"` // minor units; of lines, the net price
	On     int     // day
	Until  int     `json:",omitempty"` // another day: due, to, until
	Shares []share `json:",omitempty"`
	Mode   string  `json:",omitempty"`

	Expects int    `json:",omitempty"` // the version that the client has seen: 1 the right one, -1 a wrong one
	Crash   bool   `json:",omitempty"` // the node that lost an answer is started anew before the command is repeated
	Between []step `json:",omitempty"` // done by other nodes before its first appends
	Group   []step `json:",omitempty"` // of a group: done together
}

// acct names an account; a seller's customer where the step is about one.
type acct struct{ Customer, Currency string }

// share is how much goes to an invoice.
type share struct {
	Item   string
	Amount int64
}

// text is the step as one line of a transcript.
func (s step) text() string {
	b, _ := json.Marshal(s)
	return string(b)
}

func (s step) id() string { return fmt.Sprint("k", s.N) }

func (s step) key() account.Key {
	return account.Key{Seller: domain.SellerID(s.Seller), Customer: domain.CustomerID(s.Customer), Currency: domain.Currency(s.Currency)}
}

// date is a day of the run. The first is 2026-01-01.
func date(day int) domain.Date { return domain.NewDate(2026, 1, 1).AddDays(day) }

func (s step) money(minor int64) domain.Money {
	return domain.NewMoney(minor, domain.Currency(s.Currency))
}

// amount is the step's, left out where it is zero.
func (s step) amount() domain.Money {
	if s.Amount == 0 {
		return domain.Money{}
	}
	return s.money(s.Amount)
}

func (s step) allocations() (list []account.Allocation) {
	for _, a := range s.Shares {
		list = append(list, account.Allocation{Invoice: domain.InvoiceID(a.Item), Amount: s.money(a.Amount)})
	}
	return list
}

// rate of late charges, in hundredths of a percent a year.
const rate = 14_60

// policy is the id of the levels' policy, which every seller has.
func policy(seller string) dunning.SetDunningPolicy {
	level := func(id dunning.LevelID, days int) dunning.Level {
		return dunning.Level{ID: id, DaysAfterDue: days, Channel: dunning.Letter, Template: "plain", Tone: dunning.Friendly, Who: dunning.Agency}
	}
	return dunning.SetDunningPolicy{
		Seller: domain.SellerID(seller), ID: dunning.DefaultID, On: date(0), Reason: "agreed",
		Policy: dunning.Policy{Language: domain.English, Levels: []dunning.Level{level("R1", 1), level("R2", 8), level("R3", 20)}},
	}
}

// command is what the step sends to the ledger.
func (s step) command() interface{ Name() string } {
	if c := s.onAccount(); c != nil {
		return c
	}
	order := dunning.Order{Key: dunning.Key(s.key()), On: date(s.On)}
	customers := customer.Key{Seller: domain.SellerID(s.Seller), Customer: domain.CustomerID(s.Customer)}
	switch s.What {
	case "deactivate":
		return customer.DeactivateCustomer{Key: customers, Reason: "x"}
	case "reactivate":
		return customer.ReactivateCustomer{Key: customers, Reason: "x"}
	case "hold":
		return dunning.HoldDunning{Order: order, Hold: dunning.HoldID(s.Doc), Kind: dunning.PromiseHold, Until: date(s.Until), Reason: "x"}
	case "release":
		return dunning.ReleaseHold{Order: order, Hold: dunning.HoldID(s.About), Reason: "x"}
	case "promise":
		return dunning.RecordPromise{Order: order, Promise: dunning.PromiseID(s.Doc), Amount: s.money(s.Amount), Day: date(s.Until)}
	case "contact":
		return dunning.RecordContact{Order: order, Contact: dunning.ContactID(s.Doc), By: dunning.ByCall, Direction: dunning.Inbound, Outcome: dunning.Spoke}
	case "remind":
		return dunning.EscalateReminder{Order: order, Reminder: dunning.ReminderID(s.Doc), Run: "RUN"}
	case "sent":
		return dunning.SendReminder{Order: order, Reminder: dunning.ReminderID(s.About), TextHash: textHash, Channel: dunning.Letter, Result: dunning.Accepted}
	case "drop":
		return dunning.DropReminder{Order: order, Reminder: dunning.ReminderID(s.About), Reason: dunning.DropChanged}
	}
	panic("urikakesim: no such step: " + s.What)
}

const textHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// onAccount is the command of a step that is about an account's books, nil of any other.
func (s step) onAccount() account.Command {
	for _, of := range []func() account.Command{s.onItem, s.onFund, s.onLoss, s.onDispute} {
		if c := of(); c != nil {
			return c
		}
	}
	if s.What == "carry" {
		return account.CarryForward{Key: s.key(), CarryOn: date(s.On), Into: s.Doc, KeepSince: date(-1)}
	}
	return nil
}

// onItem is of invoices and late charges.
func (s step) onItem() account.Command {
	k, on, item := s.key(), date(s.On), domain.InvoiceID(s.About)
	switch s.What {
	case "issue":
		c := account.IssueInvoice{Key: k, Invoice: domain.InvoiceID(s.Doc), Number: s.Number, IssuedOn: on, DueOn: date(s.Until), Total: s.money(s.Amount)}
		if s.Mode == "lines" {
			c.Total = domain.Money{}
			c.Lines = []account.Line{{
				Description: "x", Quantity: domain.DecimalOf(1), UnitPrice: domain.DecimalOf(s.Amount), Category: account.Standard, Rate: 10_00,
			}}
		}
		return c
	case "void":
		return account.VoidInvoice{Key: k, Invoice: item, VoidOn: on, Reason: "x"}
	case "due":
		return account.ChangeDueDate{Key: k, Invoice: item, DueOn: date(s.Until), ChangeOn: on, Reason: "x", By: "y"}
	case "charge":
		return account.AssessLateCharge{Key: k, Charge: domain.InvoiceID(s.Doc), Invoice: item, Rate: rate, To: date(s.Until), AssessedOn: on}
	case "waive":
		return account.WaiveLateCharge{Key: k, Charge: item, WaiveOn: on, Amount: s.amount(), Reason: "x", Approver: "y"}
	}
	return nil
}

// onFund is of payments and credit notes.
func (s step) onFund() account.Command {
	k, on, list := s.key(), date(s.On), s.allocations()
	pay, note := domain.PaymentID(s.Fund), domain.CreditID(s.Fund)
	switch s.What {
	case "pay":
		c := account.RecordPayment{Key: k, Payment: domain.PaymentID(s.Doc), ReceivedOn: on, Amount: s.money(s.Amount), Allocations: list}
		if s.Mode == "none" {
			c.Allocate = account.Nothing
		}
		if s.Mode == "currency" {
			c.Amount = domain.NewMoney(s.Amount, "EUR")
		}
		return c
	case "apply":
		return account.ApplyPayment{Key: k, Payment: pay, ApplyOn: on, Allocations: list}
	case "unapply":
		return account.UnapplyPayment{Key: k, Payment: pay, UnapplyOn: on, Allocations: list, Reason: "x"}
	case "reverse":
		return account.ReversePayment{Key: k, Payment: pay, ReverseOn: on, Reason: "x"}
	case "credit":
		return account.IssueCreditNote{
			Key: k, Credit: domain.CreditID(s.Doc), Number: s.Number, IssuedOn: on, Invoice: domain.InvoiceID(s.About), Reason: account.Discount,
			Total: s.money(s.Amount),
		}
	case "apply-credit":
		return account.ApplyCredit{Key: k, Credit: note, ApplyOn: on, Allocations: list}
	case "unapply-credit":
		return account.UnapplyCredit{Key: k, Credit: note, UnapplyOn: on, Allocations: list, Reason: "x"}
	case "refund":
		c := account.IssueRefund{Key: k, Refund: domain.RefundID(s.Doc), RefundOn: on, Amount: s.money(s.Amount)}
		if isPayment(s.Fund) {
			c.Payment = pay
		} else {
			c.Credit = note
		}
		return c
	}
	return nil
}

// onLoss is of write-offs, what comes of them after all, and small differences.
func (s step) onLoss() account.Command {
	k, on, item := s.key(), date(s.On), domain.InvoiceID(s.About)
	switch s.What {
	case "write-off":
		return account.WriteOff{
			Key: k, WriteOff: domain.WriteOffID(s.Doc), Invoice: item, WriteOffOn: on, Amount: s.money(s.Amount), Reason: "x", Approver: "y",
		}
	case "recover":
		return account.RecoverWriteOff{Key: k, Recovery: domain.RecoveryID(s.Doc), WriteOff: domain.WriteOffID(s.About), RecoverOn: on, Amount: s.money(s.Amount)}
	case "difference":
		return account.SettleDifference{
			Key: k, Invoice: item, Payment: domain.PaymentID(s.Fund), SettleOn: on, Amount: s.money(s.Amount), Reason: account.BankFee,
		}
	}
	return nil
}

func (s step) onDispute() account.Command {
	k, on := s.key(), date(s.On)
	switch s.What {
	case "dispute":
		return account.OpenDispute{
			Key: k, Dispute: domain.DisputeID(s.Doc), Invoice: domain.InvoiceID(s.About), OpenedOn: on, Amount: s.amount(), Reason: account.Defective,
		}
	case "resolve":
		c := account.ResolveDispute{Key: k, Dispute: domain.DisputeID(s.About), ResolvedOn: on, Outcome: account.DisputeRejected}
		if s.Doc != "" {
			c.Outcome, c.Credit, c.Amount = account.DisputeUpheld, domain.CreditID(s.Doc), s.amount()
		}
		return c
	}
	return nil
}

func isPayment(fund string) bool { return fund != "" && fund[0] == 'P' }

// envelope comes with the step's command.
func (s step) envelope() eventstore.Envelope {
	return eventstore.Envelope{CommandID: s.id(), Actor: "urikakesim"}
}
