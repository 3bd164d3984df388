package ledger

import (
	"bytes"
	"cmp"
	"context"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// Debtor is the facts about a debtor as of a day, read from the account itself and not from read models: what is open
// under the due dates that hold on the day, what of it is in dispute, late charges as the contract with the customer has
// them, else by law, unapplied money, receipts since the open promise or the running plan and of the last
// dunning.PromiseDaysMax days and all that settle what is open or what those two are about, and how the debtor can be
// reached, and what has come in without a known payer that may be the debtor's: see Unmatched. For Elsewhere see Elsewhere.
// O(what the account holds), and O(its events) for the numbers of the documents.
func (l *Ledger) Debtor(ctx context.Context, key dunning.Key, on domain.Date) (d dunning.Debtor, err error) {
	d = dunning.Debtor{Key: key}
	var names []string
	err = l.customer(ctx, customer.Key{Seller: key.Seller, Customer: key.Customer}, func(s *customer.State) {
		d.Group, d.Language = s.Attributes[dunning.GroupAttribute], s.Language
		names = []string{s.Name, s.Kana}
		if s.Registered {
			d.Addresses = addresses(s.Contacts)
		}
	})
	if err != nil {
		return d, err
	}
	err = eventstore.View(ctx, l.handler, policies, dunning.PolicyStream(key.Seller), func(s *dunning.Policies, _ eventstore.Version) error {
		d.BankDataOn = s.BankDataOn()
		return nil
	})
	if err != nil {
		return d, err
	}
	a, err := l.about(ctx, key, on)
	if err != nil {
		return d, err
	}
	unmatched, err := l.Unmatched(ctx, key.Seller, on) // before the account: what is booked there meanwhile is seen twice, and not never
	if err != nil {
		return d, err
	}
	if err := l.owed(ctx, &d, on, a); err != nil {
		return d, err
	}
	d.Unmatched = unmatched.Of(d, names, on)
	return d, nil
}

// addresses are one for each channel by which a customer can be reached, a contact for billing before the others.
func addresses(contacts []customer.Contact) (list []dunning.Address) {
	if to, ok := contact(contacts, func(c customer.Contact) bool { return c.Email != "" }); ok {
		list = append(list, dunning.Address{Channel: dunning.Mail, Recipient: to})
	}
	if to, ok := contact(contacts, func(c customer.Contact) bool { return c.Phone != "" }); ok {
		list = append(list, dunning.Address{Channel: dunning.Phone, Recipient: to}, dunning.Address{Channel: dunning.SMS, Recipient: to})
	}
	return append(list, dunning.Address{Channel: dunning.Letter, Recipient: itself}, dunning.Address{Channel: dunning.RegisteredLetter, Recipient: itself})
}

// contact finds one that has something, the first for billing or else the first of all.
func contact(contacts []customer.Contact, has func(customer.Contact) bool) (recipient string, ok bool) {
	for i, c := range contacts {
		billing := strings.EqualFold(c.Role, "billing")
		if has(c) && (billing || !ok) {
			recipient, ok = reference(i), true
			if billing {
				break
			}
		}
	}
	return recipient, ok
}

// about is what a debtor has promised and agreed to: money for it is asked for since its day, and whatever settled its
// items before.
type about struct {
	since domain.Date
	items map[domain.InvoiceID]bool
}

func (l *Ledger) about(ctx context.Context, key dunning.Key, on domain.Date) (a about, err error) {
	a = about{on.AddDays(-dunning.PromiseDaysMax), make(map[domain.InvoiceID]bool)}
	add := func(day domain.Date, items []dunning.Covered) {
		if day.Before(a.since) {
			a.since = day
		}
		for _, i := range items {
			a.items[i.Invoice] = true
		}
	}
	err = l.Case(ctx, key, func(s *dunning.State, _ eventstore.Version) error {
		if s.Promise != nil {
			add(s.Promise.MadeOn, s.Promise.Items)
		}
		if s.Plan != nil {
			add(s.Plan.AgreedOn, s.Plan.Items)
		}
		return nil
	})
	return a, err
}

// owed fills in what the account says.
func (l *Ledger) owed(ctx context.Context, d *dunning.Debtor, on domain.Date, a about) error {
	key := account.Key(d.Key)
	p, err := l.parties(ctx, key)
	if err != nil {
		return err
	}
	streams, err := l.standing(ctx, key, func(s *account.State, earlier []*account.State) {
		d.Items, d.Receipts = nil, nil
		for _, i := range s.OpenOn(key, on, p.Late, earlier) {
			d.Items = append(d.Items, dunning.Item{
				ID: i.ID, IssuedOn: i.IssuedOn, DueOn: i.DueOn, Open: i.Open, Disputed: i.Disputed, LateCharge: i.Accrued,
			})
			a.items[i.ID] = true
		}
		for _, r := range s.Receipts(key, a.since, on, a.items, earlier) {
			d.Receipts = append(d.Receipts, dunning.Receipt(r))
		}
		var cash domain.Money
		cash, d.Credit = s.UnappliedOn(key, on, earlier)
		d.Unapplied = domain.NewMoney(cash.Minor()+d.Credit.Minor(), key.Currency)
	})
	if err != nil {
		return err
	}
	numbers := make(map[domain.InvoiceID]*string, len(d.Items))
	for i := range d.Items {
		numbers[d.Items[i].ID] = &d.Items[i].Number
	}
	return l.number(ctx, streams, numbers)
}

// LateCharges lists the invoices of an account that are overdue at the end of a day, each with the late charge that has
// accrued to it and is not assessed yet: at the rate given, or as the contract with the customer has it, else by law; by
// the day count given, or the one that goes with the rate. It is read from the account itself, and nothing is written.
// O(what the account holds), and O(its events) for the numbers of the documents. Refuses what account.Accruals refuses.
func (l *Ledger) LateCharges(ctx context.Context, key account.Key, on domain.Date, given domain.LateTerms) (list []account.Accrual, err error) {
	p, err := l.parties(ctx, key)
	if err != nil {
		return nil, err
	}
	rules := func(delayBegan domain.Date) (rule domain.LateRule, err error) {
		if given.Rate != 0 {
			return given.Rule(delayBegan)
		}
		rule, err = p.Late(delayBegan)
		rule.DayCount = cmp.Or(given.DayCount, rule.DayCount)
		return rule, err
	}
	var refused error
	streams, err := l.standing(ctx, key, func(s *account.State, earlier []*account.State) {
		list, refused = s.Accruals(key, on, rules, earlier)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	numbers := make(map[domain.InvoiceID]*string, len(list))
	for i := range list {
		numbers[list[i].Invoice] = &list[i].Number
	}
	return list, l.number(ctx, streams, numbers)
}

// standing lets look at an account where it stands now, and at its closed streams, newest first. It gives the names of
// all of them, the live one first.
func (l *Ledger) standing(ctx context.Context, key account.Key, look func(live *account.State, earlier []*account.State)) ([]string, error) {
	for {
		live, closed, err := l.live(ctx, key)
		if err != nil {
			return nil, err
		}
		earlier := make([]*account.State, len(closed))
		for i, stream := range closed {
			if earlier[i], err = l.closed(ctx, stream); err != nil {
				return nil, err
			}
		}
		moved := false
		err = eventstore.View(ctx, l.handler, accounts, live, func(s *account.State, _ eventstore.Version) error {
			if moved = s.CarriedInto() != ""; !moved { // or it was carried forward just now
				look(s, earlier)
			}
			return nil
		})
		if err != nil || !moved {
			return append([]string{live}, closed...), err
		}
	}
}

// number reads document numbers from the log: an account's state has no room for what is seldom asked. Newer streams are
// read first, and no further than needed.
func (l *Ledger) number(ctx context.Context, streams []string, wanted map[domain.InvoiceID]*string) error {
	if len(wanted) == 0 {
		return nil
	}
	for _, stream := range streams {
		for r, err := range l.store.Read(ctx, stream, 0) {
			if err != nil {
				return err
			}
			if !mayIssue(r, wanted) {
				continue
			}
			e, err := l.codec.Decode(r)
			if err != nil {
				return err
			}
			id, number := documentIn(e)
			if to := wanted[id]; to != nil {
				*to = number
				delete(wanted, id)
			}
			if len(wanted) == 0 {
				return nil
			}
		}
	}
	return nil
}

// mayIssue tells that an event may have issued one of these. The id stands first in what the codec writes; what another
// has written is read whole.
func mayIssue(r eventstore.Recorded, wanted map[domain.InvoiceID]*string) bool {
	member, issues := documentMember[r.Kind]
	if !issues {
		return false
	}
	rest, ok := bytes.CutPrefix(r.Data, []byte(member))
	end := bytes.IndexByte(rest, '"')
	return !ok || end < 0 || wanted[domain.InvoiceID(rest[:end])] != nil
}

var documentMember = map[string]string{
	account.InvoiceIssued{}.Kind():      `{"invoice":"`,
	account.LateChargeAssessed{}.Kind(): `{"charge":"`,
}

func documentIn(e domain.Event) (id domain.InvoiceID, number string) {
	switch e := e.(type) {
	case account.InvoiceIssued:
		return e.Invoice, e.Number
	case account.LateChargeAssessed:
		return e.Charge, e.Number
	}
	return "", ""
}
