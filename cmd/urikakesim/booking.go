package main

// book does a step that the ledger has done.
func (a *auditor) book(s step) {
	if a.wrong == s.What {
		s.Amount++
	}
	b := a.of(s)
	switch s.What {
	case "deactivate":
		a.inactive[s.Seller+"."+s.Customer] = true
	case "reactivate":
		delete(a.inactive, s.Seller+"."+s.Customer)
	case "issue", "void", "due", "charge", "waive":
		b.bookItem(s, b.Items[s.About])
	case "pay", "credit":
		b.bookMoney(s)
	case "apply", "apply-credit", "unapply", "unapply-credit", "reverse", "refund":
		b.bookFund(s, b.Funds[s.Fund])
	case "write-off", "recover", "difference":
		b.bookLoss(s, b.Items[s.About], b.Funds[s.Fund])
	case "dispute", "resolve":
		b.bookDispute(s, b.Items[s.About])
	case "carry":
		b.Used["period "+s.Doc] = true
	default:
		b.Case.book(s)
	}
}

// bookItem is of invoices and late charges.
func (b *books) bookItem(s step, i *item) {
	switch s.What {
	case "issue":
		b.Items[s.Doc] = newItem(s.On, s.Until, s.total())
	case "void":
		i.Open[s.On] -= i.Total
		i.Voided, i.GivenUp = true, i.GivenUp+i.Total
	case "due":
		i.Dues = append(i.Dues, dueChange{s.On, s.Until})
	case "charge":
		charge := newItem(s.On, s.On, i.lateCharge(i.chargedFrom(), s.Until))
		charge.Charge = true
		b.Items[s.Doc] = charge
		i.ChargedTo = max(i.ChargedTo, s.Until)
	case "waive":
		amount := s.Amount
		if amount == 0 {
			amount = low(i.Open, s.On)
		}
		i.Open[s.On] -= amount
		i.GivenUp += amount
	}
}

// bookMoney is of payments and credit notes that come.
func (b *books) bookMoney(s step) {
	if s.What == "credit" {
		b.credit(s.Doc, s.About, s.On, s.Amount)
		return
	}
	f := newFund(s.On, s.Amount)
	b.Funds[s.Doc] = f
	list := s.Shares
	if len(list) == 0 && s.Mode != "none" {
		list = b.oldest(s.On, s.Amount)
	}
	b.settle(f, s.On, list)
}

// bookFund is of what is done with them afterwards.
func (b *books) bookFund(s step, f *fund) {
	switch s.What {
	case "apply", "apply-credit":
		list := s.Shares
		if len(list) == 0 {
			list = b.oldest(s.On, low(f.Left, s.On))
		}
		b.settle(f, s.On, list)
	case "unapply", "unapply-credit":
		b.release(f, s.On, f.shares(s.Shares))
	case "reverse":
		b.release(f, s.On, f.shares(nil))
		f.Left[s.On] -= f.Amount
		f.Undone = true
	case "refund":
		b.Used["refund "+s.Doc] = true
		f.Left[s.On] -= s.Amount
		f.Gone += s.Amount
	}
}

// bookLoss is of write-offs, what comes of them after all, and small differences.
func (b *books) bookLoss(s step, i *item, f *fund) {
	switch s.What {
	case "write-off":
		b.WriteOffs[s.Doc] = &writeOff{On: s.On, Amount: s.Amount}
		i.Open[s.On] -= s.Amount
		i.GivenUp += s.Amount
	case "recover":
		b.Used["recovery "+s.Doc] = true
		b.WriteOffs[s.About].Recovered += s.Amount
	case "difference":
		if s.Fund != "" {
			f.Left[s.On] -= s.Amount
			f.Gone, f.Taken = f.Gone+s.Amount, f.Taken+s.Amount
			break
		}
		i.Open[s.On] -= s.Amount
		i.Differences += s.Amount
	}
}

func (b *books) bookDispute(s step, i *item) {
	if s.What == "dispute" {
		amount := s.Amount
		if amount == 0 {
			amount = low(i.Open, s.On) - b.inDispute(s.About)
		}
		b.Disputes[s.Doc] = &dispute{Item: s.About, On: s.On, Amount: amount}
		return
	}
	d := b.Disputes[s.About]
	if s.Doc != "" {
		b.credit(s.Doc, d.Item, s.On, upheld(s, d))
	}
	d.Over, d.OverOn = true, s.On
}

// total is what an invoice comes to: lines bear ten percent of tax, rounded down.
func (s step) total() int64 {
	if s.Mode == "lines" {
		return s.Amount + s.Amount/10
	}
	return s.Amount
}

func newItem(issued, due int, total int64) *item {
	return &item{Issued: issued, Due: due, Total: total, Open: map[int]int64{issued: total}}
}

func newFund(on int, amount int64) *fund {
	return &fund{On: on, Amount: amount, Left: map[int]int64{on: amount}, Applied: make(map[string]*applied)}
}

func (b *books) settle(f *fund, on int, list []share) {
	for _, x := range list {
		b.Items[x.Item].Open[on] -= x.Amount
		f.Left[on] -= x.Amount
		if f.Applied[x.Item] == nil {
			f.Applied[x.Item] = &applied{On: on}
		}
		f.Applied[x.Item].Amount += x.Amount
		f.Applied[x.Item].On = max(f.Applied[x.Item].On, on)
	}
}

func (b *books) release(f *fund, on int, list []share) {
	for _, x := range list {
		b.Items[x.Item].Open[on] += x.Amount
		f.Left[on] += x.Amount
		if f.Applied[x.Item].Amount -= x.Amount; f.Applied[x.Item].Amount == 0 {
			delete(f.Applied, x.Item)
		}
	}
}

// credit issues a credit note; against an item it settles at once what is open there.
func (b *books) credit(id, against string, on int, amount int64) {
	f := newFund(on, amount)
	b.Funds[id] = f
	if i := b.Items[against]; i != nil {
		i.Credited += amount
		if part := min(amount, low(i.Open, on)); part > 0 {
			b.settle(f, on, []share{{against, part}})
		}
	}
}

func (c *dunningCase) book(s step) {
	if s.Doc != "" {
		c.Used[s.What+" "+s.Doc] = true
	}
	switch s.What {
	case "hold":
		for id, h := range c.Holds {
			if h.Until < s.On {
				delete(c.Holds, id)
			}
		}
		c.Holds[s.Doc] = span{s.On, s.Until}
	case "release":
		delete(c.Holds, s.About)
	case "promise":
		c.Promise = true
	case "remind":
		c.Pending = s.Doc
	case "sent", "drop":
		c.Pending = ""
	}
}
