package projections

import (
	"context"
	"strconv"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// DebtorsQuery asks who owes something, with the facts by which dunning is decided.
type DebtorsQuery struct {
	Seller   domain.SellerID
	Customer domain.CustomerID // all of them when empty
	AsOf     domain.Date
	KnownAt  KnownAt
}

// Debtor is one account on which something was open, or whose case is not closed: such a one waits for being closed.
type Debtor struct {
	Name    string
	Kana    string       // the name's reading
	Limit   domain.Money // agreed credit limit; the zero Money where there is none
	HasCase bool         // something was ever recorded about it; without, its case is nil
	Facts   dunning.Debtor
}

// Names are the ones by which a payer may be this debtor.
func (d Debtor) Names() []string { return []string{d.Name, d.Kana} }

// EachDebtor yields every account of the seller that has anything open as of q.AsOf, as known at q.KnownAt, or a case
// that is not closed now, by customer and currency, and returns the position that they show. Facts are without receipts,
// without late charges accrued, without money that waits for its payer and without the day of the bank data: the ledger knows those.
// Names, how a customer is reached, its language and group are as known then.
// While yield runs nothing in the tables is held, so it may be slow; an error of yield ends it and is returned. Memory is
// bounded, but for what is open on some thousand accounts. Refuses what Aging refuses.
func (v *Views) EachDebtor(ctx context.Context, q DebtorsQuery, yield func(Debtor) error) (eventstore.Position, error) {
	at, err := v.moment(ctx, q.AsOf, q.KnownAt)
	if err != nil {
		return 0, err
	}
	d := debtors{v: v, q: q, at: at}
	most := max(1, v.pageRows/20)
	err = eachPage(most, d.filter(yield), func(after *debtorAccount, most int) ([]debtorAccount, error) {
		if _, err := v.Wait(ctx, eventstore.Position(at.position)); err != nil { // the file may have been made anew
			return nil, err
		}
		var page []debtorAccount
		err := v.look(ctx, func(r *reader) (err error) {
			if page, err = d.accounts(r, after, most); err != nil {
				return err
			}
			return v.sweep(ctx, r, halves(len(page)), func(r *reader, s span) error { return d.read(r, page[s.from:s.to]) })
		})
		return page, err
	})
	return eventstore.Position(at.position), err
}

// debtors goes through a seller's accounts page by page.
type debtors struct {
	v  *Views
	q  DebtorsQuery
	at moment
}

// debtorAccount is an account on its way to being a debtor.
type debtorAccount struct {
	id       int64
	caseOpen bool
	Debtor
}

// filter leaves out accounts that have neither anything open nor a case to be closed.
func (d *debtors) filter(yield func(Debtor) error) func(debtorAccount) error {
	return func(a debtorAccount) error {
		if len(a.Facts.Items) == 0 && !a.caseOpen {
			return nil
		}
		return yield(a.Debtor)
	}
}

// caseOpen tells, as SQL, that a case has something to close; see dunning.State.
const caseOpen = "(begun <> 0 OR promise_open <> 0 OR plan <> '' OR returned <> 0 OR handed_to <> '')"

var debtorColumns = "SELECT a.id, a.customer, a.currency, coalesce(d.version, 0), coalesce(" + caseOpen + ", 0), " + partyColumns(customers, "c") +
	" FROM items_accounts a LEFT JOIN parties_customers c ON c.seller = a.seller AND c.customer = a.customer" +
	" LEFT JOIN dunning_cases d ON d.seller = a.seller AND d.customer = a.customer AND d.currency = a.currency"

// accounts lists the next accounts, without what is open on them.
func (d *debtors) accounts(r *reader, after *debtorAccount, most int) (page []debtorAccount, err error) {
	query := debtorColumns + " WHERE a.seller = ? AND a.first_position <= ?"
	args := []Value{Str(d.q.Seller), Int(d.at.position)}
	if d.q.Customer != "" {
		query, args = query+" AND a.customer = ?", append(args, Str(d.q.Customer))
	}
	if after != nil {
		query, args = query+" AND (a.customer, a.currency) > (?, ?)", append(args, Str(after.Facts.Customer), Str(after.Facts.Currency))
	}
	err = r.each(query+" ORDER BY a.customer, a.currency LIMIT ?", append(args, Int(most)), func(c *cursor) error {
		one, err := d.account(r, c)
		page = append(page, one)
		return err
	})
	if err == nil && after == nil && len(page) == 0 {
		_, err = r.holders(d.q.Seller, d.q.Customer, d.at.position) // perhaps nobody knows them
	}
	return page, err
}

// account reads whose account the cursor stands on.
func (d *debtors) account(r *reader, c *cursor) (debtorAccount, error) {
	key := dunning.Key{Seller: d.q.Seller, Customer: domain.CustomerID(c.text(1)), Currency: domain.Currency(c.text(2))}
	who := columnsOf(partiesCustomers, c, 5)
	if who.int(partyPosition) > d.at.position {
		var err error
		if who, _, err = r.party(customers, d.at.position, Str(key.Seller), Str(key.Customer)); err != nil {
			return debtorAccount{}, err
		}
	}
	return debtorAccount{id: c.int(0), caseOpen: c.int(4) != 0, Debtor: Debtor{
		Name: who.text(customerName), Kana: who.text(customerKana), HasCase: c.int(3) > 0, Limit: limitIn(who.text(customerLimit), key.Currency),
		Facts: dunning.Debtor{
			Key: key, Language: domain.Language(who.text(customerLanguage)), Group: who.text(customerGroup),
			Addresses: addresses(who.int(customerMail), who.int(customerPhone)),
			Unapplied: domain.NewMoney(0, key.Currency), Credit: domain.NewMoney(0, key.Currency), Unmatched: domain.NewMoney(0, key.Currency),
		},
	}}, nil
}

// read fills in what is open on accounts.
func (d *debtors) read(r *reader, page []debtorAccount) error {
	for i := range page {
		facts := &page[i].Facts
		sheet := sheet{r: r, at: d.at}
		err := sheet.documents(page[i].id, page[i].id+1, ", number", onlyOpen, d.at.onlyOpen(), func(doc *document) error {
			return sheet.fact(facts, doc)
		})
		if err != nil {
			return err
		}
	}
	return d.elsewhere(r, page)
}

// elsewhere fills in what customers' accounts in other currencies hold that settles nothing yet. Few have several.
func (d *debtors) elsewhere(r *reader, page []debtorAccount) error {
	if len(page) == 0 {
		return nil
	}
	type account struct {
		of       *dunning.Debtor
		id       int64
		currency domain.Currency
	}
	var others []account
	of := make(map[int64]*dunning.Debtor, len(page))
	for i := range page {
		of[page[i].id] = &page[i].Facts
	}
	err := r.each("SELECT a.id, b.id, b.currency FROM items_accounts a JOIN items_accounts b ON b.seller = a.seller AND b.customer = a.customer AND b.currency <> a.currency"+
		" WHERE a.seller = ? AND a.customer >= ? AND a.customer <= ? ORDER BY a.id, b.currency",
		[]Value{Str(d.q.Seller), Str(page[0].Facts.Customer), Str(page[len(page)-1].Facts.Customer)}, func(c *cursor) error {
			if facts := of[c.int(0)]; facts != nil {
				others = append(others, account{facts, c.int(1), domain.Currency(c.text(2))})
			}
			return nil
		})
	for _, a := range others {
		var sum int64
		if err == nil {
			sheet := sheet{r: r, at: d.at}
			err = sheet.documents(a.id, a.id+1, "", onlyOpen+" AND class <> 1", d.at.onlyOpen(), func(doc *document) error {
				sum += doc.open
				return nil
			})
		}
		if sum > 0 {
			a.of.Elsewhere = append(a.of.Elsewhere, domain.NewMoney(sum, a.currency))
		}
	}
	return err
}

// fact adds a document to what is known of a debtor.
func (s *sheet) fact(facts *dunning.Debtor, doc *document) error {
	money := func(minor int64) domain.Money { return domain.NewMoney(minor, facts.Currency) }
	switch {
	case doc.open == 0:
		return nil
	case doc.class != classItem:
		facts.Unapplied = money(facts.Unapplied.Minor() + doc.open)
		if doc.class == classCredit {
			facts.Credit = money(facts.Credit.Minor() + doc.open)
		}
		return nil
	}
	disputed, err := s.disputed(doc)
	facts.Items = append(facts.Items, dunning.Item{
		ID: domain.InvoiceID(doc.id), Number: doc.row.text(detail),
		IssuedOn: domain.DateFromDayNumber(doc.issuedOn), DueOn: domain.DateFromDayNumber(doc.dueOn),
		Open: money(doc.open), Disputed: money(disputed), LateCharge: money(0),
	})
	return err
}

// halves cuts a list of n into two parts that are read side by side.
func halves(n int) []span {
	if n < 2 {
		return []span{{0, int64(n)}}
	}
	return []span{{0, int64(n / 2)}, {int64(n / 2), int64(n)}}
}

// addresses are the ways to reach a customer: who is written to by mail and who is called are contacts by number, from
// 1; letters go to the customer itself.
func addresses(mail, phone int64) (list []dunning.Address) {
	contact := func(n int64, channels ...dunning.Channel) {
		for _, c := range channels {
			list = append(list, dunning.Address{Channel: c, Recipient: "contact:" + strconv.FormatInt(n-1, 10)})
		}
	}
	if mail > 0 {
		contact(mail, dunning.Mail)
	}
	if phone > 0 {
		contact(phone, dunning.Phone, dunning.SMS)
	}
	return append(list,
		dunning.Address{Channel: dunning.Letter, Recipient: "customer"}, dunning.Address{Channel: dunning.RegisteredLetter, Recipient: "customer"})
}
