package httpapi

import (
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/projections"
)

// Invoice is one invoice or late charge with all that happened to it.
type Invoice struct {
	AsOf           domain.Date               `json:"as_of" doc:"the business day that is reported"`
	KnownAt        eventstore.Position       `json:"known_at" doc:"log position: nothing recorded later is in it"`
	AccountVersion eventstore.Version        `json:"account_version" doc:"of the account's stream, now"`
	AccountPeriod  string                    `json:"account_period,omitempty" doc:"the period of that stream, after a carry forward"`
	Customer       domain.CustomerID         `json:"customer" doc:"who owes it"`
	Name           string                    `json:"name" doc:"the customer's name"`
	Invoice        domain.InvoiceID          `json:"invoice" doc:"id within the account"`
	Number         string                    `json:"number" doc:"document number"`
	Kind           projections.Class         `json:"kind" enum:"invoice,late_charge" doc:"what it is"`
	IssuedOn       domain.Date               `json:"issued_on" doc:"the day of issue"`
	DueOn          domain.Date               `json:"due_on" doc:"the due date that holds on the day"`
	DaysOverdue    int                       `json:"days_overdue" doc:"0 when not overdue, or nothing is open"`
	Total          domain.Money              `json:"total" doc:"as issued"`
	Open           domain.Money              `json:"open" doc:"what is left to pay"`
	Disputed       domain.Money              `json:"disputed" doc:"of what is open"`
	Status         projections.InvoiceStatus `json:"status" enum:"void,written_off,paid,disputed,overdue,partly_paid,open" doc:"in one word"`
	Reference      string                    `json:"reference,omitempty" doc:"the buyer's"`
	Settlements    []Settlement              `json:"settlements" doc:"what changed the open amount since issue, by day"`
	DueDates       []DueDate                 `json:"due_date_changes" doc:"by day; the last one holds"`
	Disputes       []DisputeMove             `json:"disputes" doc:"opened and resolved, by day"`
}

// Settlement is one change of what is open of an invoice.
type Settlement struct {
	On       domain.Date         `json:"on" doc:"the business day"`
	Position eventstore.Position `json:"position" doc:"of the event in the log"`
	Event    string              `json:"event" doc:"the event's wire name"`
	Kind     projections.Class   `json:"kind" doc:"of what moved it: payment, credit_note, write_off, difference, void, waiver"`
	Document string              `json:"document,omitempty" doc:"its id"`
	Amount   domain.Money        `json:"amount" doc:"below zero when it settles, above when that is taken back"`
	Open     domain.Money        `json:"open" doc:"after it"`
}

// DueDate is a change of a due date.
type DueDate struct {
	On       domain.Date         `json:"on" doc:"from which day it holds"`
	Position eventstore.Position `json:"position" doc:"of the event in the log"`
	DueOn    domain.Date         `json:"due_on" doc:"the new due date"`
}

// DisputeMove is a dispute that was opened or resolved.
type DisputeMove struct {
	On       domain.Date         `json:"on" doc:"the business day"`
	Position eventstore.Position `json:"position" doc:"of the event in the log"`
	Event    string              `json:"event" doc:"the event's wire name"`
	Dispute  domain.DisputeID    `json:"dispute" doc:"its id"`
	Amount   domain.Money        `json:"amount" doc:"in dispute from then on, or no longer"`
}

func invoiceOf(r projections.InvoiceReport) Invoice {
	i := Invoice{
		AsOf: r.AsOf, KnownAt: r.KnownAt, AccountVersion: r.Version, AccountPeriod: r.Period, Customer: r.Customer, Name: r.Name,
		Invoice: r.Invoice, Number: r.Number, Kind: r.Class, IssuedOn: r.IssuedOn, DueOn: r.DueOn, DaysOverdue: r.DaysOverdue,
		Total: r.Total, Open: r.Open, Disputed: r.Disputed, Status: r.Status, Reference: r.Reference,
		Settlements: make([]Settlement, len(r.Settlements)), DueDates: make([]DueDate, len(r.DueDates)), Disputes: make([]DisputeMove, len(r.Disputes)),
	}
	for n, s := range r.Settlements {
		i.Settlements[n] = Settlement{s.On, s.Position, s.Kind, s.Class, s.Document, s.Amount, s.Open}
	}
	for n, d := range r.DueDates {
		i.DueDates[n] = DueDate(d)
	}
	for n, d := range r.Disputes {
		i.Disputes[n] = DisputeMove{d.On, d.Position, d.Kind, d.Dispute, d.Amount}
	}
	return i
}

// Account is how one account stands.
type Account struct {
	AsOf        domain.Date         `json:"as_of" doc:"the business day that is reported"`
	KnownAt     eventstore.Position `json:"known_at" doc:"log position: nothing recorded later is in it"`
	Version     eventstore.Version  `json:"version" doc:"of its stream, now"`
	Period      string              `json:"period,omitempty" doc:"of that stream, after a carry forward"`
	Customer    domain.CustomerID   `json:"customer" doc:"who owes"`
	Name        string              `json:"name" doc:"the customer's name"`
	Currency    domain.Currency     `json:"currency" doc:"of the account"`
	Balance     domain.Money        `json:"balance" doc:"open less unapplied"`
	Open        domain.Money        `json:"open" doc:"invoices and late charges"`
	Unapplied   domain.Money        `json:"unapplied" doc:"payments and credit notes that settle nothing yet"`
	Overdue     domain.Money        `json:"overdue" doc:"of what is open: due before the day"`
	Disputed    domain.Money        `json:"disputed" doc:"of what is open"`
	OldestDueOn domain.Date         `json:"oldest_due_on,omitzero" doc:"of what is open"`
}

func accountOf(r projections.AccountReport) Account {
	return Account{
		AsOf: r.AsOf, KnownAt: r.KnownAt, Version: r.Version, Period: r.Period, Customer: r.Customer, Name: r.Name, Currency: r.Currency,
		Balance: r.Balance, Open: r.Open, Unapplied: r.Unapplied, Overdue: r.Overdue, Disputed: r.Disputed, OldestDueOn: r.OldestDueOn,
	}
}
