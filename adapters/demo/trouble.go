package demo

import (
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
)

// complain notes that the customer will object to an invoice: disputers to every third, others seldom.
func (c *client) complain(it *item) {
	perMille := 12
	switch c.profile {
	case disputer:
		perMille = 330
	case insolvent:
		return
	}
	if c.chance(perMille) {
		c.on(it.last.AddDays(c.between(3, 14)), func() { c.dispute(it) })
	}
}

func (c *client) dispute(it *item) {
	most := min(it.open, it.total-it.noted)
	if most <= 0 || it.disputed || it.promised {
		return
	}
	reason := pick(c.world, []account.DisputeReason{account.NotDelivered, account.Defective, account.WrongPrice, account.WrongAmount})
	d := account.OpenDispute{
		Key: c.Key, Dispute: domain.DisputeID(c.next("D")), Invoice: it.id, OpenedOn: domain.LaterOf(c.date(), it.last),
		Amount: c.money(most), Reason: reason, Note: c.say("dispute"),
	}
	if c.chance(600) {
		d.Amount = c.money(max(1, most*int64(c.between(20, 70))/100))
	}
	if c.give(d, c.billing) != nil {
		c.on(c.date().AddDays(c.between(8, 45)), func() { c.resolve(d.Dispute, it) })
	}
}

// resolve ends disputes in all three ways in turn.
func (c *client) resolve(id domain.DisputeID, it *item) {
	r := account.ResolveDispute{Key: c.Key, Dispute: id, ResolvedOn: domain.LaterOf(c.date(), it.last), Note: c.say("resolve")}
	switch c.counters["D-resolved"]++; c.counters["D-resolved"] % 3 {
	case 0:
		r.Outcome = account.DisputeWithdrawn
	case 1:
		r.Outcome, r.Credit = account.DisputeUpheld, domain.CreditID(c.next("N"))
	case 2:
		r.Outcome = account.DisputeRejected
	}
	c.give(r, c.manager)
	c.again(it, 15)
}

// bounce takes a payment back; the customer pays again, under the old due date.
func (c *client) bounce(payment domain.PaymentID, it *item) {
	on := domain.LaterOf(c.date(), c.card.payments[payment].last)
	events := c.give(account.ReversePayment{Key: c.Key, Payment: payment, ReverseOn: on, Reason: c.say("bounce")}, c.cash)
	for _, e := range events {
		for _, a := range e.(account.PaymentReversed).Released {
			c.again(c.card.item(a.Invoice), 20)
		}
	}
}

// demandLateCharge charges for a long delay once the invoice is paid; it is waived, paid, or stays open.
func (c *client) demandLateCharge(it *item, paidOn domain.Date) {
	if paidOn.DaysSince(it.due) < 30 || it.open > 0 || it.reopened || it.charge || !c.chance(500) {
		return
	}
	c.on(c.date().AddDays(c.between(1, 6)), func() {
		if it.reopened {
			return
		}
		charge := account.AssessLateCharge{
			Key: c.Key, Charge: domain.InvoiceID(c.next("L")), Invoice: it.id, Rate: domain.ChargeRate(c.lateRate),
			To: paidOn, AssessedOn: c.date(), DueOn: c.date().AddDays(30),
		}
		if c.give(charge, c.billing) == nil {
			return
		}
		owed := c.card.item(charge.Charge)
		switch c.counters["L"] % 3 {
		case 1:
			c.on(c.date().AddDays(c.between(3, 12)), func() { c.waive(owed) })
		case 2:
			c.transferOn(owed.due.AddDays(c.between(-5, 10)), owed, 100)
		}
	})
}

func (c *client) waive(charge *item) {
	if charge.open == 0 {
		return
	}
	w := account.WaiveLateCharge{Key: c.Key, Charge: charge.id, WaiveOn: domain.LaterOf(c.date(), charge.last), Reason: c.say("waive"), Approver: c.manager}
	if c.chance(300) {
		w.Amount = c.money(max(1, charge.open/2))
	}
	c.give(w, c.manager)
}

// collapse: the customer stops paying, is closed for new invoices some weeks later, and in half a year what is open is
// given up; a little comes in after all.
func (c *client) collapse() {
	c.collapsed = true
	c.on(c.date().AddDays(c.between(50, 70)), func() {
		c.closed = true
		key := customer.Key{Seller: c.Seller, Customer: c.Customer}
		c.record(customer.DeactivateCustomer{Key: key, Reason: c.say("closed")}, c.manager)
	})
	c.on(c.date().AddDays(c.between(160, 185)), c.giveUp)
}

func (c *client) giveUp() {
	reason := c.say("writeoff")
	for _, it := range c.card.items {
		if it.open == 0 {
			continue
		}
		c.soon(func() {
			w := account.WriteOff{
				Key: c.Key, WriteOff: domain.WriteOffID(c.next("W")), Invoice: it.id, WriteOffOn: domain.LaterOf(c.date(), it.last),
				Amount: c.money(it.open), Reason: reason, Approver: c.manager,
			}
			if c.give(w, c.manager) == nil || c.counters["W"]%2 == 0 {
				return
			}
			c.on(c.date().AddDays(c.between(30, 90)), func() {
				dividend := max(1, w.Amount.Minor()*int64(c.between(4, 18))/100)
				c.give(account.RecoverWriteOff{
					Key: c.Key, Recovery: domain.RecoveryID(c.next("V")), WriteOff: w.WriteOff,
					RecoverOn: c.date(), Amount: c.money(dividend),
				}, c.cash)
			})
		})
	}
}
