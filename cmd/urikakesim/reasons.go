package main

import "strings"

// reasons are all rules that speak against a step. The ledger refuses with one of them; without any it does the step.
func (a *auditor) reasons(s step) []string {
	b, r := a.of(s), rules{}
	switch s.What {
	case "deactivate", "reactivate":
		r.when(a.inactive[s.Seller+"."+s.Customer] == (s.What == "deactivate"), "customer.nothing_new")
	case "hold", "release", "promise", "contact", "remind", "sent", "drop":
		b.Case.reasons(s, &r)
		r.when(s.What == "promise" && !b.owes(s.On), "dunning.nothing_open")
	default:
		a.onAccount(s, b, &r)
	}
	return r
}

// rules gathers what speaks against a step.
type rules []string

func (r *rules) when(broken bool, rule string) {
	if broken {
		*r = append(*r, rule)
	}
}

func (a *auditor) onAccount(s step, b *books, r *rules) {
	i, f := b.Items[s.About], b.Funds[s.Fund]
	if i == nil {
		i = &item{}
	}
	if f == nil {
		f = &fund{}
	}
	needsAmount := strings.Contains(" pay refund credit write-off recover difference ", " "+s.What+" ")
	r.when(needsAmount && s.Amount <= 0, "money.not_positive")
	switch s.What {
	case "issue":
		r.when(a.inactive[s.Seller+"."+s.Customer], "account.customer_deactivated")
		a.mayHaveNumber(s, r)
		b.mayIssue(s, r)
	case "credit":
		a.mayHaveNumber(s, r)
		b.credits(s, s.About, s.Amount, r)
	case "void", "due":
		b.onInvoice(s, i, r)
	case "pay":
		r.when(s.Mode == "currency", "account.wrong_currency")
		r.when(b.Funds[s.Doc] != nil, "account.repeated_id")
		b.affords(s, s.Amount, r)
	case "apply", "apply-credit", "unapply", "unapply-credit", "reverse", "refund":
		b.hasFund(s, r)
		b.onFund(s, f, r)
	case "write-off", "recover", "difference":
		b.onLoss(s, i, f, r)
	case "dispute":
		b.mayDispute(s, i, r)
	case "resolve":
		b.mayResolve(s, r)
	case "charge", "waive":
		b.onCharge(s, i, r)
	case "carry":
		r.when(b.Used["period "+s.Doc], "account.same_period")
	}
}

func (a *auditor) mayHaveNumber(s step, r *rules) {
	r.when(s.Number != "" && a.numbers[s.Seller+" "+s.Number], "numbering.number_taken")
}

func (b *books) mayIssue(s step, r *rules) {
	r.when(b.Items[s.Doc] != nil, "account.repeated_id")
	r.when(s.Until < s.On, "account.due_before_issue")
}

// onInvoice is of voids and other due dates.
func (b *books) onInvoice(s step, i *item, r *rules) {
	b.knows(s.About, r)
	r.when(s.On < i.Issued, "account.before_issue")
	if s.What == "void" {
		r.when(i.Charge, "account.late_charge_not_voided")
		r.when(i.Voided || low(i.Open, s.On) != i.Total || i.Credited > 0 || b.inDispute(s.About) > 0, "account.something_settled")
		return
	}
	r.when(s.Until < i.Issued, "account.due_before_issue")
	r.when(s.Until == i.due(lastDay), "account.same_due_date")
	r.when(len(i.Dues) > 0 && s.On < i.Dues[len(i.Dues)-1].On, "account.due_date_changed_later")
}

// onFund is of what is done with a payment or a credit note that is there.
func (b *books) onFund(s step, f *fund, r *rules) {
	switch s.What {
	case "apply", "apply-credit":
		r.when(s.On < f.On, "account.before_issue")
		b.affords(s, low(f.Left, s.On), r)
		r.when(len(s.Shares) == 0 && len(b.oldest(s.On, low(f.Left, s.On))) == 0, "account.no_allocations")
	case "unapply", "unapply-credit":
		f.mayRelease(s, r)
	case "reverse":
		r.when(f.Undone, "account.already_reversed")
		r.when(f.Gone > 0, "account.partly_refunded")
		for day := range f.Left {
			r.when(s.On < day, "account.before_applied")
		}
	case "refund":
		r.when(b.Used["refund "+s.Doc], "account.repeated_id")
		r.when(s.Amount > low(f.Left, s.On), "account.exceeds_unapplied")
	}
}

func (f *fund) mayRelease(s step, r *rules) {
	list := f.shares(s.Shares)
	r.when(len(list) == 0, "account.not_applied")
	for _, x := range list {
		was := f.Applied[x.Item]
		r.when(was == nil || x.Amount > was.Amount, "account.not_applied")
		r.when(was != nil && s.On < was.On, "account.before_applied")
		r.when(x.Amount <= 0, "money.not_positive")
	}
}

// onLoss is of write-offs, what comes of them after all, and small differences.
func (b *books) onLoss(s step, i *item, f *fund, r *rules) {
	switch s.What {
	case "write-off":
		r.when(b.WriteOffs[s.Doc] != nil, "account.repeated_id")
		b.bears(s, r)
	case "recover":
		w := b.WriteOffs[s.About]
		r.when(w == nil, "account.unknown_write_off")
		r.when(b.Used["recovery "+s.Doc], "account.repeated_id")
		if w != nil {
			r.when(s.On < w.On, "account.before_issue")
			r.when(s.Amount > w.Amount-w.Recovered, "account.exceeds_write_off")
		}
	case "difference":
		if s.Fund != "" {
			b.hasFund(s, r)
			r.when(s.Amount > tolerance-f.Taken, "account.beyond_tolerance")
			r.when(s.Amount > low(f.Left, s.On), "account.exceeds_unapplied")
			break
		}
		r.when(s.Amount > tolerance-i.Differences, "account.beyond_tolerance")
		b.bears(s, r)
	}
}

func (b *books) mayDispute(s step, i *item, r *rules) {
	r.when(b.Disputes[s.Doc] != nil, "account.repeated_id")
	b.knows(s.About, r)
	free := low(i.Open, s.On) - b.inDispute(s.About)
	r.when(s.Amount < 0, "money.not_positive")
	r.when(s.On < i.Issued, "account.before_issue")
	r.when(s.Amount > free || free <= 0, "account.exceeds_open")
}

func (b *books) mayResolve(s step, r *rules) {
	d := b.Disputes[s.About]
	if r.when(d == nil, "account.unknown_dispute"); d == nil {
		return
	}
	r.when(d.Over, "account.dispute_resolved")
	r.when(s.On < d.On, "account.before_issue")
	r.when(s.Amount > d.Amount, "account.exceeds_dispute")
	r.when(s.Amount < 0, "money.not_positive")
	if s.Doc != "" {
		b.credits(s, d.Item, upheld(s, d), r)
	}
}

// onCharge is of late charges and their waivers.
func (b *books) onCharge(s step, i *item, r *rules) {
	b.knows(s.About, r)
	if s.What == "charge" {
		r.when(s.Until > s.On, "account.not_accrued")
		r.when(b.Items[s.Doc] != nil, "account.repeated_id")
		r.when(i.Charge, "account.charge_on_charge")
		r.when(i.Voided || i.lateCharge(i.chargedFrom(), s.Until) == 0, "account.no_late_charge")
		return
	}
	r.when(!i.Charge, "account.not_a_late_charge")
	r.when(s.Amount < 0, "money.not_positive")
	r.when(s.On < i.Issued, "account.before_issue")
	r.when(s.Amount > low(i.Open, s.On) || low(i.Open, s.On) == 0, "account.exceeds_open")
}

// owes tells that something is open on a day that is not in dispute.
func (b *books) owes(day int) bool {
	for id, i := range b.Items {
		if i.open(day) > b.disputed(id, day) {
			return true
		}
	}
	return false
}

// tolerance is up to what a difference may be settled as small.
const tolerance = 50

func upheld(s step, d *dispute) int64 {
	if s.Amount == 0 {
		return d.Amount
	}
	return s.Amount
}

func (b *books) knows(id string, r *rules) { r.when(b.Items[id] == nil, "account.unknown_invoice") }

func (b *books) hasFund(s step, r *rules) {
	rule := "account.unknown_credit_note"
	if isPayment(s.Fund) && !strings.HasSuffix(s.What, "-credit") {
		rule = "account.unknown_payment"
	}
	r.when(b.Funds[s.Fund] == nil, rule)
}

// bears asks whether so much is open on the item from the day on.
func (b *books) bears(s step, r *rules) {
	b.knows(s.About, r)
	if i := b.Items[s.About]; i != nil {
		r.when(s.On < i.Issued, "account.before_issue")
		r.when(s.Amount > low(i.Open, s.On), "account.exceeds_open")
	}
}

// affords asks whether the shares are open, and at hand.
func (b *books) affords(s step, atHand int64, r *rules) {
	for _, x := range s.Shares {
		r.when(x.Amount <= 0, "money.not_positive")
		b.knows(x.Item, r)
		if i := b.Items[x.Item]; i != nil {
			r.when(s.On < i.Issued, "account.before_issue")
			r.when(x.Amount > low(i.Open, s.On), "account.exceeds_open")
		}
		atHand -= x.Amount
		r.when(atHand < 0, "account.over_allocated")
	}
}

// credits asks whether a credit note may be issued against an item, or freely.
func (b *books) credits(s step, id string, amount int64, r *rules) {
	r.when(b.Funds[s.Doc] != nil, "account.repeated_id")
	if id == "" {
		return
	}
	b.knows(id, r)
	if i := b.Items[id]; i != nil {
		r.when(s.On < i.Issued, "account.before_issue")
		r.when(amount > i.Total-i.Credited-i.GivenUp, "account.credit_beyond_invoice")
	}
}

// shares are the given ones, or all that the fund settles.
func (f *fund) shares(given []share) []share {
	if len(given) > 0 {
		return given
	}
	var list []share
	for id, a := range f.Applied {
		list = append(list, share{id, a.Amount})
	}
	return list
}

func (c *dunningCase) reasons(s step, r *rules) {
	r.when(s.Doc != "" && c.Used[s.What+" "+s.Doc], "dunning.repeated_id")
	switch s.What {
	case "hold":
		r.when(s.Until < s.On, "dunning.bad_until")
	case "release":
		h, stands := c.Holds[s.About]
		r.when(!stands, "dunning.unknown_hold")
		r.when(stands && s.On < h.From, "dunning.before_beginning")
		r.when(stands && s.On > h.Until, "dunning.hold_over")
	case "promise":
		r.when(s.Amount <= 0, "money.not_positive")
		r.when(s.Until < s.On || s.Until > s.On+92, "dunning.bad_promise_day")
	case "remind":
		r.when(c.Pending != "", "dunning.reminder_pending")
	}
}
