package demo

import (
	"slices"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
)

// billFrom notes the next invoice: on the next closing day, or in two to five weeks.
func (c *client) billFrom(day domain.Date) {
	dated := c.terms.Closing(day)
	if c.terms.Kind == domain.TermsNet {
		dated = day.AddDays(c.between(14, 33))
	}
	recorded := dated
	if c.chance(60) {
		recorded = dated.AddDays(c.between(2, 7)) // the books were kept late
	}
	c.on(recorded, func() {
		if c.closed {
			return
		}
		c.bill(dated, c.basket(dated))
		c.billFrom(dated.AddDays(1))
	})
}

// basket is what the customer bought this time.
func (c *client) basket(dated domain.Date) (lines []account.Line) {
	for range c.between(1, 4) {
		a := pick(c.world, c.articles)
		price, _ := domain.ParseDecimal(a.price)
		line := account.Line{
			Description: a.name, Quantity: domain.DecimalOf(int64(c.between(1, a.most) * c.size)), UnitPrice: price,
			Category: a.category, Rate: a.rate,
		}
		if a.most <= 3 { // a service
			line.Period = domain.Period{From: dated.AddDays(-29), To: dated}
		}
		if c.chance(40) {
			line.Discount = domain.DecimalOf(int64(c.between(1, 9)))
		}
		lines = append(lines, line)
	}
	return lines
}

func (c *client) bill(dated domain.Date, lines []account.Line) {
	id := domain.InvoiceID(c.next("I"))
	if c.give(account.IssueInvoice{Key: c.Key, Invoice: id, IssuedOn: dated, Lines: lines}, c.billing) == nil {
		return
	}
	it := c.card.item(id)
	if c.chance(12) {
		c.on(c.date().AddDays(c.between(1, 3)), func() { c.void(it, lines) })
		return
	}
	c.useUp(it)
	c.complain(it)
	if c.chance(35) {
		c.on(dated.AddDays(c.between(4, 50)), func() { c.takeBack(it) })
	}
	if c.counters["I"]%50 == 10 {
		c.on(c.date().AddDays(c.between(1, 20)), c.goodwill)
	}
	if (c.profile == late || c.profile == chronic) && c.chance(50) {
		c.on(it.due.AddDays(c.between(-8, 2)), func() { c.extend(it) })
	}
	c.planPayment(it)
}

// void cancels an invoice that was wrong and issues the right one.
func (c *client) void(it *item, lines []account.Line) {
	if it.open != it.total || it.total == 0 || c.closed {
		return
	}
	on := domain.LaterOf(c.date(), it.last)
	c.give(account.VoidInvoice{Key: c.Key, Invoice: it.id, VoidOn: on, Reason: c.say("void")}, c.billing)
	c.soon(func() { c.bill(on, lines) })
}

// takeBack credits a part of an invoice: goods that came back, or a discount. What was paid already is left over.
func (c *client) takeBack(it *item) {
	if it.disputed || it.promised || it.noted > 0 || it.open == 0 && c.chance(700) || c.collapsed {
		return
	}
	on := domain.LaterOf(c.date(), it.last)
	note := account.IssueCreditNote{Key: c.Key, Credit: domain.CreditID(c.next("N")), IssuedOn: on, Invoice: it.id}
	line := it.lines[c.rng.IntN(len(it.lines))]
	if pieces := line.Quantity.IntPart() / 4; pieces > 0 && c.chance(500) {
		line.Quantity, line.Discount = domain.DecimalOf(pieces), domain.Decimal{}
		note.Lines, note.Reason, note.Note = []account.Line{line}, account.Return, c.say("return")
	} else {
		note.Total = c.money(max(1, it.total*int64(c.between(3, 12))/100))
		note.Reason, note.Note = account.Discount, c.say("discount")
	}
	if c.give(note, c.billing) == nil {
		return
	}
	if f := c.card.credits[note.Credit]; f.unapplied > 0 {
		c.leftOver(f)
	}
}

// goodwill gives credit that belongs to no invoice; the next one is settled with it.
func (c *client) goodwill() {
	note := account.IssueCreditNote{
		Key: c.Key, Credit: domain.CreditID(c.next("N")), IssuedOn: c.date(), Reason: account.Goodwill,
		Total: c.money(int64(c.between(2, 20)) * c.unit),
	}
	if !c.closed && c.give(note, c.manager) != nil {
		c.waiting = append(c.waiting, c.card.credits[note.Credit])
	}
}

// extend gives the customer more time.
func (c *client) extend(it *item) {
	if it.open == 0 || c.collapsed || it.promised {
		return
	}
	c.give(account.ChangeDueDate{
		Key: c.Key, Invoice: it.id, DueOn: it.due.AddDays(c.between(14, 31)), ChangeOn: domain.LaterOf(c.date(), it.last),
		Reason: c.say("extend"), By: c.manager,
	}, c.billing)
}

// keepHouse notes what happens to master data now and then.
func (c *client) keepHouse(key customer.Key) {
	if c.profile == chronic || c.profile == insolvent {
		c.on(c.first.AddDays(c.between(200, 600)), func() {
			limit := []domain.Money{c.money(int64(c.between(100, 900)) * 10 * c.unit)}
			if !slices.Equal(limit, c.limit) {
				c.limit = limit
				c.record(customer.SetCreditLimit{Key: key, CreditLimit: limit, Reason: c.say("limit")}, c.manager)
			}
		})
	}
	if c.chance(120) {
		c.on(c.date().AddDays(c.between(60, 400)), func() {
			d := c.details
			d.Contacts = []customer.Contact{{Name: d.Contacts[0].Name, Email: "billing." + d.Contacts[0].Email, Phone: d.Contacts[0].Phone, Role: d.Contacts[0].Role}}
			c.details = d
			c.record(customer.ChangeCustomer{Key: key, Details: d, Reason: c.say("contact")}, c.billing)
		})
	}
	if c.terms.Kind == domain.TermsNet && c.chance(200) {
		c.on(c.first.AddDays(c.between(340, 400)), func() {
			c.terms.NetDays += 15
			c.record(customer.SetPaymentTerms{Key: key, Terms: c.terms, Reason: c.say("terms")}, c.manager)
		})
	}
}
