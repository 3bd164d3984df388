package demo

import (
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
)

// planPayment notes when the customer will pay an invoice, by the customer's ways.
func (c *client) planPayment(it *item) {
	days := 0
	switch c.profile {
	case prompt:
		days = -max(0, c.between(-6, 4))
	case late:
		days = c.between(1, 18)
	case chronic:
		days = c.between(12, 70)
	case parts:
		c.transferOn(it.due.AddDays(c.between(0, 5)), it, c.between(30, 65))
		days = c.between(15, 40)
	case disputer, insolvent:
		days = c.between(0, 12)
	}
	c.transferOn(it.due.AddDays(days), it, 100)
}

// transferOn notes that money for an invoice comes in on a bank day, so many percent of what will be open. The bank's
// statement is read the next day, sometimes much later.
func (c *client) transferOn(day domain.Date, it *item, percent int) {
	received := c.bank.Next(domain.LaterOf(day, c.date()))
	read := received
	switch {
	case c.chance(40):
		read = received.AddDays(c.between(4, 10))
	case c.chance(700):
		read = received.AddDays(1)
	}
	c.on(read, func() { c.receive(received, it, percent) })
}

// receive books the money that the customer sent.
func (c *client) receive(day domain.Date, it *item, percent int) {
	switch {
	case it.open == 0 || c.collapsed || it.promised:
		return
	case it.disputed: // nobody pays what is in dispute
		c.transferOn(c.date().AddDays(c.between(8, 20)), it, percent)
		return
	}
	p := account.RecordPayment{
		Key: c.Key, Payment: domain.PaymentID(c.next("P")), ReceivedOn: domain.LaterOf(day, it.last),
		Method: pick(c.world, c.methods), Payer: c.details.Kana,
	}
	p.Reference = c.next("B")
	switch {
	case percent < 100:
		c.pay(p, it, max(1, it.open*int64(percent)/100))
	case c.chance(60):
		c.payLessFee(p, it)
	case c.chance(40):
		c.payTooMuch(p, it)
	case c.chance(35):
		c.payWithoutSaying(p, it)
	case c.chance(20):
		c.payTheWrongOne(p, it)
	case c.chance(130):
		p.Amount = c.money(it.open) // the oldest due first
		c.give(p, c.cash)
		c.again(it, 25)
	default:
		c.payAll(p, it)
	}
}

// again looks after a while whether something is still to be paid.
func (c *client) again(it *item, days int) {
	if it.open > 0 {
		c.transferOn(c.date().AddDays(c.between(5, days)), it, 100)
	}
}

func (c *client) pay(p account.RecordPayment, it *item, amount int64) bool {
	p.Amount = c.money(amount)
	p.Allocations = []account.Allocation{{Invoice: it.id, Amount: c.money(min(amount, it.open))}}
	return c.give(p, c.cash) != nil
}

// payAll settles an invoice and, as one transfer, what else is overdue. The money may bounce; a long delay may cost.
func (c *client) payAll(p account.RecordPayment, it *item) {
	var sum int64
	for _, other := range append([]*item{it}, c.card.owed(it.due, it)...) {
		if other == it || !other.last.After(p.ReceivedOn) && c.profile != prompt {
			p.Allocations = append(p.Allocations, account.Allocation{Invoice: other.id, Amount: c.money(other.open)})
			sum += other.open
		}
	}
	p.Amount = c.money(sum)
	if c.give(p, c.cash) == nil {
		return
	}
	if p.Method != "TRANSFER" && p.Method != "CARD" && c.chance(100) {
		c.on(c.date().AddDays(c.between(2, 7)), func() { c.bounce(p.Payment, it) })
		return
	}
	c.demandLateCharge(it, p.ReceivedOn)
}

// payLessFee is a transfer from which the bank's fee was taken.
func (c *client) payLessFee(p account.RecordPayment, it *item) {
	fee := pick(c.world, c.fees)
	if it.open <= fee || it.shortBy > 0 {
		c.payAll(p, it)
		return
	}
	if !c.pay(p, it, it.open-fee) {
		return
	}
	c.soon(func() {
		if it.open == fee {
			c.give(account.SettleDifference{Key: c.Key, Invoice: it.id, SettleOn: it.last, Amount: c.money(fee), Reason: account.BankFee}, c.cash)
		}
	})
}

// payTooMuch leaves a surplus on the account.
func (c *client) payTooMuch(p account.RecordPayment, it *item) {
	surplus := int64(c.between(1, 60)) * c.unit
	if c.chance(300) {
		surplus = it.open // paid twice
	}
	if c.pay(p, it, it.open+surplus) {
		c.leftOver(c.card.payments[p.Payment])
	}
}

// payWithoutSaying is money that nobody can match at first.
func (c *client) payWithoutSaying(p account.RecordPayment, it *item) {
	p.Amount, p.Allocate, p.Reference = c.money(it.open), account.Nothing, ""
	if c.give(p, c.cash) == nil {
		return
	}
	c.on(c.date().AddDays(c.between(2, 12)), func() { c.apply(c.card.payments[p.Payment], it) })
}

// payTheWrongOne is booked on another invoice, and put right some days later.
func (c *client) payTheWrongOne(p account.RecordPayment, it *item) {
	for _, other := range c.card.owed(c.today, it) {
		if other.open < it.open || other.last.After(p.ReceivedOn) {
			continue
		}
		if amount := it.open; c.pay(p, other, amount) {
			c.on(c.date().AddDays(c.between(2, 8)), func() { c.correct(p.Payment, other, it) })
		}
		return
	}
	c.payAll(p, it)
}

func (c *client) correct(payment domain.PaymentID, wrong, right *item) {
	on := domain.LaterOf(c.date(), domain.LaterOf(wrong.last, right.last))
	c.give(account.UnapplyPayment{Key: c.Key, Payment: payment, UnapplyOn: on, Reason: c.say("misapplied")}, c.cash)
	c.again(wrong, 20)
	c.soon(func() { c.apply(c.card.payments[payment], right) })
}

// apply settles an invoice with what is unapplied of a payment or credit note; what is left over waits.
func (c *client) apply(f *fund, it *item) {
	part := min(f.unapplied, it.open)
	if part == 0 || it.disputed {
		if f.unapplied > 0 {
			c.leftOver(f)
		}
		return
	}
	on := domain.LaterOf(c.date(), domain.LaterOf(f.last, it.last))
	list := []account.Allocation{{Invoice: it.id, Amount: c.money(part)}}
	if f.payment != "" {
		c.give(account.ApplyPayment{Key: c.Key, Payment: f.payment, ApplyOn: on, Allocations: list}, c.cash)
	} else if c.give(account.ApplyCredit{Key: c.Key, Credit: f.credit, ApplyOn: on, Allocations: list}, c.cash) != nil {
		if c.counters["credits"]++; c.counters["credits"]%4 == 1 {
			c.on(c.date().AddDays(c.between(1, 6)), func() { c.uncredit(f, it) })
		}
	}
	if f.unapplied > 0 {
		c.leftOver(f)
	}
}

// uncredit takes credit off an invoice again, for the next one.
func (c *client) uncredit(f *fund, it *item) {
	if c.collapsed {
		return
	}
	events := c.give(account.UnapplyCredit{
		Key: c.Key, Credit: f.credit, UnapplyOn: domain.LaterOf(c.date(), domain.LaterOf(f.last, it.last)),
		Reason: c.say("misapplied"),
	}, c.cash)
	for _, e := range events {
		for _, a := range e.(account.CreditUnapplied).Allocations {
			c.again(c.card.item(a.Invoice), 20)
		}
	}
	c.waiting = append(c.waiting, f)
}

// leftOver decides what becomes of money that settles nothing: it waits for the next invoice, is paid back, or stays
// because nobody asks for it.
func (c *client) leftOver(f *fund) {
	switch {
	case c.chance(500):
		c.waiting = append(c.waiting, f)
		return
	case c.chance(400):
		return
	}
	c.on(c.date().AddDays(c.between(6, 20)), func() {
		if f.unapplied == 0 || c.collapsed {
			return
		}
		c.give(account.IssueRefund{
			Key: c.Key, Refund: domain.RefundID(c.next("R")), Payment: f.payment, Credit: f.credit,
			RefundOn: domain.LaterOf(c.date(), f.last), Amount: c.money(f.unapplied), Reason: c.say("refund"),
		}, c.cash)
	})
}

// useUp settles a new invoice with what waits for it.
func (c *client) useUp(it *item) {
	for _, f := range c.waiting {
		c.on(c.date().AddDays(c.between(0, 3)), func() { c.apply(f, it) })
	}
	c.waiting = nil
}
