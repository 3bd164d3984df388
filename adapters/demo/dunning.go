package demo

import (
	"context"
	"math/rand/v2"
	"time"

	reminding "github.com/urikake/urikake/adapters/dunning"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// RunDunning is a step that is no command: a run over a seller's debtors, and the sending of what it queued.
type RunDunning struct {
	Seller domain.SellerID
	On     domain.Date
	As     dunning.Capacity
}

func (RunDunning) Name() string { return "RunDunning" }

// Do gives a step to books whose clock shows the step's instant. Letters go into the outbox.
func (s Step) Do(ctx context.Context, b reminding.Books, outbox func(domain.SellerID) reminding.Outbox) (eventstore.Receipt, error) {
	run, ok := s.Command.(RunDunning)
	if !ok {
		return b.Ledger.Execute(ctx, s.Command, eventstore.Envelope{CommandID: s.CommandID, Actor: s.Actor})
	}
	b.Parallel = 1 // the same log each time
	_, err := reminding.Run(ctx, b, reminding.Request{Seller: run.Seller, AsOf: run.On, Actor: s.Actor, As: run.As})
	if err == nil {
		_, err = reminding.Send(ctx, b, reminding.SendRequest{Seller: run.Seller, Outbox: outbox(run.Seller), On: run.On, Actor: s.Actor, As: run.As})
	}
	return eventstore.Receipt{}, err
}

// Weeks is for how long a house has reminded its debtors.
const Weeks = 8

// desk is what a house does about late payers. It has a chance of its own, so that what it does changes nothing else.
type desk struct {
	*house
	rng *rand.Rand
}

// dun notes what happens at the desk: the policies some days before the first run, a run a week, the last one in the
// creditor's name besides, and calls between them.
func (h *house) dun() {
	d := desk{h, rand.New(rand.NewPCG(uint64(h.seed), uint64(len(h.id))))}
	d.at(h.today.AddDays(-7*Weeks-5), 10, d.agree)
	for week := range Weeks + 1 {
		day := h.bank.Next(h.today.AddDays(-7 * (Weeks - week)))
		d.at(day, 17, func() {
			h.record(dunning.RecordBankData{Seller: h.id, On: day, Through: day.AddDays(-1)}, h.cash)
			h.record(RunDunning{h.id, day, dunning.Agency}, h.billing)
			if week == Weeks {
				h.record(RunDunning{h.id, day, dunning.Creditor}, h.manager)
			}
		})
	}
	d.at(h.today.AddDays(-30), 11, d.keptPromise)
	d.at(h.today.AddDays(-23), 14, d.brokenPromise)
	d.at(h.today.AddDays(-16), 15, d.hold)
	d.at(h.today.AddDays(-2), 15, d.call)
}

// at notes something for an hour of a day at the seller's, or of the next business day.
func (d desk) at(day domain.Date, hour int, do func()) {
	day = d.bank.Next(day)
	d.note(time.Date(day.Year(), day.Month(), day.Day(), hour, d.rng.IntN(60), d.rng.IntN(60), 0, d.zone), do)
}

// opening are the terms that a house has from the beginning: where to pay, and what delay costs.
func (h *house) opening() {
	h.record(seller.SetPayees{Seller: h.id, Payees: []seller.Payee{h.payee}, Reason: h.words["payee"][0]}, h.manager)
	terms := []domain.LateTerms{{From: h.first, Rate: h.lateRate}}
	h.record(seller.SetLateTerms{Seller: h.id, Terms: terms, Reason: h.words["terms"][0]}, h.manager)
}

// agree sets the policy for all, and a gentle one for a customer who pays in parts.
func (d desk) agree() {
	set := dunning.SetDunningPolicy{
		Seller: d.id, ID: dunning.DefaultID, On: d.date(), Policy: dunning.DefaultPolicy(d.settings.Language), Reason: d.words["policy"][0],
	}
	set.Policy.BankDays = d.settings.BankDays
	d.record(set, d.manager)
	gentle := set
	gentle.ID, gentle.Policy.Levels = "gentle", append([]dunning.Level(nil), set.Policy.Levels[:3]...)
	for i := range gentle.Policy.Levels {
		gentle.Policy.Levels[i].DaysAfterDue += 7 * i
	}
	d.record(gentle, d.manager)
	for _, c := range d.clients {
		if c.profile == parts {
			d.record(dunning.AssignDunningPolicy{
				Seller: d.id, ID: gentle.ID, Customer: c.Customer, On: d.date(), Reason: d.words["gentle"][0],
			}, d.manager)
			return
		}
	}
}

// overdue is a customer who owes something undisputed for some days, and the oldest of it. Whoever is insolvent is wanted
// or is not.
func (d desk) overdue(days int, insolvent bool) (*client, *item) {
	for _, c := range d.clients {
		if c.collapsed != insolvent || c.waits {
			continue
		}
		if list := c.card.owed(d.date().AddDays(-days), nil); len(list) > 0 {
			c.waits = true // for one thing at a time
			return c, list[0]
		}
	}
	return nil, nil
}

// order is an order about a customer's case, taken today.
func (d desk) order(c *client, acting dunning.Capacity) dunning.Order {
	return dunning.Order{Key: dunning.Key(c.Key), On: d.date(), Acting: acting}
}

// promise notes a call in which a customer promises to pay an item by a day.
func (d desk) promise(c *client, it *item, by domain.Date) {
	d.record(dunning.RecordContact{
		Order: d.order(c, dunning.Agency), Contact: dunning.ContactID(d.next("T")), By: dunning.ByCall, Direction: dunning.Outbound,
		Outcome: dunning.Spoke, Notes: d.words["call"][0],
	}, d.billing)
	d.record(dunning.RecordPromise{
		Order: d.order(c, dunning.Agency), Promise: dunning.PromiseID(d.next("PR")), Amount: d.money(it.open), Day: by, By: c.details.Contacts[0].Name,
	}, d.billing)
}

// keptPromise: a customer promises to pay in ten days, and does. Where nobody is late it is tried the next day.
func (d desk) keptPromise() {
	c, it := d.overdue(3, false)
	if c == nil {
		d.at(d.date().AddDays(1), 11, d.keptPromise)
		return
	}
	by := d.bank.Next(d.date().AddDays(10))
	d.promise(c, it, by)
	it.promised = true
	d.at(d.date().AddDays(8), 13, func() {
		if it.open > 0 {
			c.pay(account.RecordPayment{
				Key: c.Key, Payment: domain.PaymentID(c.next("P")), ReceivedOn: domain.LaterOf(c.date(), it.last), Method: c.methods[0], Payer: c.details.Kana,
			}, it, it.open)
		}
		c.waits, it.promised = false, false
	})
}

// brokenPromise: one who can pay nothing any more promises it all the same.
func (d desk) brokenPromise() {
	if c, it := d.overdue(0, true); c != nil {
		d.promise(c, it, d.bank.Next(d.date().AddDays(9)))
	}
}

// hold: the seller wants to see to a customer himself for a while, and lets another one wait for a few days.
func (d desk) hold() {
	for i, until := range []domain.Date{d.today.AddDays(14), d.date().AddDays(5)} {
		c, _ := d.overdue(1, false)
		if c == nil {
			return
		}
		d.record(dunning.HoldDunning{
			Order: d.order(c, dunning.Creditor), Hold: dunning.HoldID(d.next("H")), Kind: dunning.CreditorsHold, Until: until, Reason: d.words["hold"][i],
		}, d.manager)
	}
}

// call: somebody is called and does not answer.
func (d desk) call() {
	c, _ := d.overdue(1, false)
	if c == nil {
		return
	}
	d.record(dunning.RecordContact{
		Order: d.order(c, dunning.Agency), Contact: dunning.ContactID(d.next("T")), By: dunning.ByCall, Direction: dunning.Outbound, Outcome: dunning.NoAnswer,
	}, d.billing)
	d.record(dunning.AssignCollector{Order: d.order(c, dunning.Agency), Collector: d.billing}, d.manager)
}
