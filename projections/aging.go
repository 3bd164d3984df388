package projections

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// Basis is the day from which an item's age is counted.
type Basis string

const (
	ByDue   Basis = "due"   // the due date that held on the day: the default
	ByIssue Basis = "issue" // the date of the document
)

// Grouping says what one row of an aging report is.
type Grouping string

const (
	PerCustomer Grouping = "customer" // one customer in one currency: the default
	PerInvoice  Grouping = "invoice"  // one document
	PerTotal    Grouping = "total"    // one currency
)

// BucketsMax is how many edges an aging report may have.
const BucketsMax = 36

var ErrBadBuckets = &domain.Error{
	Code: domain.Invalid, Rule: "views.bad_buckets",
	Text: "bucket edges are 1 to 36 rising numbers of days such as 30,60,90",
}

// AgingQuery asks what is owed and since when, as of a day.
type AgingQuery struct {
	Seller   domain.SellerID
	Customer domain.CustomerID // all of them when empty
	AsOf     domain.Date
	KnownAt  KnownAt
	Basis    Basis
	Buckets  []int // last days of the buckets; 30, 60, 90 when empty
	GroupBy  Grouping
}

// AgingReport is the answer. The sum of a row's buckets less its unapplied is its total, and the totals are the
// account balances, on every day.
type AgingReport struct {
	AsOf     domain.Date
	KnownAt  eventstore.Position // nothing that was written later is in it
	Basis    Basis
	GroupBy  Grouping
	Columns  []string // names of the buckets: current, 1-30, 31-60, 61-90, 91+
	Edges    []int
	Rows     []AgingRow
	Invoices int // items with something open
}

// AgingRow is one customer, document or currency. Customer and Name are empty per total; Document and what follows
// up to DaysOverdue are set per invoice only.
type AgingRow struct {
	Customer    domain.CustomerID
	Name        string
	Currency    domain.Currency
	Document    string // id: of an invoice or late charge, or of a payment or credit note that is not applied
	Class       Class
	Number      string
	IssuedOn    domain.Date
	DueOn       domain.Date    // zero for payments and credit notes
	DaysOverdue int            // by the report's basis; 0 when not overdue
	Buckets     []domain.Money // what is open by age; the first is not overdue, or due that day
	Unapplied   domain.Money   // payments and credit notes that settle nothing yet: never netted into buckets
	Total       domain.Money   // buckets less unapplied
	Disputed    domain.Money   // of what is open
	OldestDueOn domain.Date    // of what is open; zero when nothing is
}

// Class is what a document is.
type Class string

const (
	Invoice    Class = "invoice"
	LateCharge Class = "late_charge"
	Payment    Class = "payment"
	CreditNote Class = "credit_note"
)

func classOf(class int, lateCharge bool) Class {
	switch {
	case class == classPayment:
		return Payment
	case class == classCredit:
		return CreditNote
	case lateCharge:
		return LateCharge
	}
	return Invoice
}

// Aging reports what was owed as of q.AsOf, as known at q.KnownAt, by age. Amounts never mix currencies; what is due
// on the day itself is current. Rows that are zero throughout are left out; the order is customer, currency, and per
// invoice issue date and id. O(documents of the seller), on two cores when they are idle; by due date, per customer or
// total, O(accounts and open items) of a day on or after which hardly anything moved, once it has been asked for.
// Refuses input.missing, input.unknown_value, views.bad_buckets, views.beyond_log, views.unknown_seller,
// views.unknown_customer, money.out_of_range, and what CatchUp refuses.
func (v *Views) Aging(ctx context.Context, q AgingQuery) (AgingReport, error) {
	report, at, err := v.beginAging(ctx, &q)
	if err != nil {
		return AgingReport{}, err
	}
	book, err := v.agingBook(ctx, q, at)
	if err != nil {
		return AgingReport{}, err
	}
	err = v.survey(ctx, func(r *reader) error {
		list, err := r.holders(q.Seller, q.Customer, at.position)
		if err != nil {
			return err
		}
		a, parts := newAging(q, at, list), spans(list, q.Customer)
		if book != nil {
			if parts, err = v.eachOpen(ctx, r, book, span{a.first, a.first + int64(len(a.byID))}, at, a.take); err != nil {
				return err
			}
		}
		if err := v.sweep(ctx, r, parts, a.read); err != nil {
			return err
		}
		report.Invoices = a.invoices
		report.Rows, err = a.rows()
		return err
	})
	return report, err
}

// agingBook is the book of a seller who had accounts, where it can answer the question; else nil.
func (v *Views) agingBook(ctx context.Context, q AgingQuery, at moment) (book *openBook, err error) {
	if q.Customer != "" || q.GroupBy == PerInvoice || q.Basis != ByDue {
		return nil, nil
	}
	err = v.look(ctx, func(r *reader) error {
		all, err := r.accountSpan(q.Seller, at)
		if all.from > 0 {
			book = v.books.of(all.from)
		}
		return err
	})
	return book, err
}

// beginAging is a report without its rows, and its moment.
func (v *Views) beginAging(ctx context.Context, q *AgingQuery) (report AgingReport, at moment, err error) {
	if err := q.settle(); err != nil {
		return report, at, err
	}
	at, err = v.moment(ctx, q.AsOf, q.KnownAt)
	return AgingReport{
		AsOf: q.AsOf, KnownAt: eventstore.Position(at.position), Basis: q.Basis, GroupBy: q.GroupBy,
		Columns: BucketNames(q.Buckets), Edges: q.Buckets,
	}, at, err
}

// settle fills in defaults and refuses what makes no sense.
func (q *AgingQuery) settle() error {
	q.Basis, q.GroupBy = cmp.Or(q.Basis, ByDue), cmp.Or(q.GroupBy, PerCustomer)
	q.Buckets = edgesOf(q.Buckets)
	var faults domain.Faults
	faults.Require(q.Basis == ByDue || q.Basis == ByIssue, "/basis", domain.ErrUnknown.With("%q, want due or issue", string(q.Basis)))
	faults.Require(slices.Contains([]Grouping{PerCustomer, PerInvoice, PerTotal}, q.GroupBy), "/group_by",
		domain.ErrUnknown.With("%q, want customer, invoice or total", string(q.GroupBy)))
	rising := len(q.Buckets) <= BucketsMax
	for i, edge := range q.Buckets {
		rising = rising && edge > 0 && (i == 0 || edge > q.Buckets[i-1])
	}
	faults.Require(rising, "/buckets", ErrBadBuckets)
	return faults.Err()
}

// ParseBuckets reads bucket edges such as "30,60,90". Refuses views.bad_buckets.
func ParseBuckets(text string) (edges []int, err error) {
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil, ErrBadBuckets.With("%q", text)
		}
		edges = append(edges, n)
	}
	q := AgingQuery{Buckets: edges}
	return edges, q.settle()
}

// edgesOf are the edges that count: 30, 60, 90 when none are given.
func edgesOf(edges []int) []int {
	if len(edges) == 0 {
		return []int{30, 60, 90}
	}
	return edges
}

// BucketNames are the columns that a report with these edges has.
func BucketNames(edges []int) []string {
	names, from := []string{"current"}, 1
	for _, edge := range edgesOf(edges) {
		names = append(names, strconv.Itoa(from)+"-"+strconv.Itoa(edge))
		from = edge + 1
	}
	return append(names, strconv.Itoa(from)+"+")
}

// aging collects a report. Spans are read side by side; each account lies in one of them.
type aging struct {
	q       AgingQuery
	at      moment
	holders []holder
	first   int64 // the lowest account number
	byID    []int // account number - first: place in holders, -1: none
	width   int
	cells   []int64 // by holder: buckets, unapplied, disputed, oldest due

	mu       sync.Mutex
	invoices int
	kept     first[AgingRow] // per invoice
	after    *AgingRow       // nil: from the first
}

func newAging(q AgingQuery, at moment, list []holder) *aging {
	a := &aging{q: q, at: at, holders: list, width: len(q.Buckets) + 5, kept: first[AgingRow]{compare: compareAged}}
	a.cells = make([]int64, len(list)*a.width)
	if len(list) == 0 {
		return a
	}
	byID := func(x, y holder) int { return cmp.Compare(x.id, y.id) }
	a.first = slices.MinFunc(list, byID).id
	a.byID = make([]int, slices.MaxFunc(list, byID).id-a.first+1)
	for i, h := range list {
		a.byID[h.id-a.first] = i
	}
	return a
}

func (a *aging) read(r *reader, s span) error {
	sheet := sheet{r: r, at: a.at}
	details := ""
	if a.q.GroupBy == PerInvoice {
		details = ", late_charge, number, reference"
	}
	invoices := 0
	kept := first[AgingRow]{most: a.kept.most, compare: compareAged}
	err := sheet.documents(s.from, s.to, details, onlyOpen, a.at.onlyOpen(), func(d *document) error {
		if d.open == 0 {
			return nil
		}
		disputed, err := sheet.disputed(d)
		if err != nil {
			return err
		}
		if d.class == classItem {
			invoices++
		}
		if a.q.GroupBy == PerInvoice {
			row := a.documentRow(d, disputed)
			if (a.after == nil || compareAged(&row, a.after) > 0) && kept.wants(&row) {
				kept.add(row)
			}
			return nil
		}
		place := a.byID[d.account-a.first]
		a.add(a.cells[place*a.width:][:a.width], d, disputed)
		return nil
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.invoices += invoices
	a.kept.add(kept.rows...)
	return err
}

// take counts an account as the book has it.
func (a *aging) take(id int64, o *openAccount) {
	cells := a.cells[a.byID[id-a.first]*a.width:][:a.width]
	d := document{class: classItem}
	o.items(func(due, open, disputed int64) {
		a.invoices++
		d.dueOn, d.open = due, open
		a.add(cells, &d, disputed)
	})
	cells[a.width-3] += o.unapplied
}

// add counts a document. A customer's amounts stay within the range that the account's own rules keep.
func (a *aging) add(cells []int64, d *document, disputed int64) {
	tail := cells[a.width-3:] // unapplied, disputed, oldest due
	if d.class != classItem {
		tail[0] += d.open
		return
	}
	cells[a.bucket(a.age(d))] += d.open
	tail[1] += disputed
	if tail[2] == 0 || d.dueOn < tail[2] {
		tail[2] = d.dueOn
	}
}

// age is how many days an item is overdue, or old; the day itself is 0.
func (a *aging) age(d *document) int64 {
	if a.q.Basis == ByIssue {
		return a.at.day - d.issuedOn
	}
	return a.at.day - d.dueOn
}

func (a *aging) bucket(days int64) int {
	if days <= 0 {
		return 0
	}
	for i, edge := range a.q.Buckets {
		if days <= int64(edge) {
			return i + 1
		}
	}
	return len(a.q.Buckets) + 1
}

func (a *aging) rows() ([]AgingRow, error) {
	switch a.q.GroupBy {
	case PerInvoice:
		return a.kept.sorted(), nil
	case PerTotal:
		return a.totals()
	}
	var list []AgingRow
	for i, h := range a.holders {
		if cells := a.cells[i*a.width:][:a.width]; isAny(cells) {
			list = append(list, a.row(h, cells))
		}
	}
	return list, nil
}

func isAny(cells []int64) bool {
	return slices.ContainsFunc(cells, func(n int64) bool { return n != 0 })
}

// totals sums customers by currency. Refuses money.out_of_range.
func (a *aging) totals() ([]AgingRow, error) {
	sums := make(map[domain.Currency][]int64)
	for i, h := range a.holders {
		cells := a.cells[i*a.width:][:a.width]
		if !isAny(cells) {
			continue
		}
		sum := sums[h.currency]
		if sum == nil {
			sum = make([]int64, a.width)
			sums[h.currency] = sum
		}
		oldest := a.width - 1
		for j, n := range cells[:oldest] {
			if sum[j] += n; sum[j] > domain.MinorMax {
				return nil, domain.ErrOutOfRange.With("a total in %s", h.currency)
			}
		}
		if n := cells[oldest]; n > 0 && (sum[oldest] == 0 || n < sum[oldest]) {
			sum[oldest] = n
		}
	}
	var list []AgingRow
	for currency, sum := range sums {
		list = append(list, a.row(holder{currency: currency}, sum))
	}
	slices.SortFunc(list, func(x, y AgingRow) int { return cmp.Compare(x.Currency, y.Currency) })
	return list, nil
}

func (a *aging) row(h holder, cells []int64) AgingRow {
	row := AgingRow{Customer: h.customer, Name: h.name, Currency: h.currency, Buckets: make([]domain.Money, a.width-3)}
	money := func(minor int64) domain.Money { return domain.NewMoney(minor, h.currency) }
	var total int64
	for i := range row.Buckets {
		row.Buckets[i] = money(cells[i])
		total += cells[i]
	}
	tail := cells[a.width-3:]
	row.Unapplied, row.Total, row.Disputed = money(tail[0]), money(total-tail[0]), money(tail[1])
	row.OldestDueOn = domain.DateFromDayNumber(tail[2])
	return row
}

func (a *aging) documentRow(d *document, disputed int64) AgingRow {
	cells := make([]int64, a.width)
	a.add(cells, d, disputed)
	row := a.row(a.holders[a.byID[d.account-a.first]], cells)
	row.Document, row.Class, row.Number = string(d.id), classOf(d.class, d.row.int(detail) != 0), d.row.text(detail+1)
	if row.Number == "" {
		row.Number = d.row.text(detail + 2)
	}
	row.IssuedOn = domain.DateFromDayNumber(d.issuedOn)
	if d.class == classItem {
		row.DueOn, row.DaysOverdue = domain.DateFromDayNumber(d.dueOn), int(max(0, a.age(d)))
	}
	return row
}

// compareAged is the order of rows per invoice.
func compareAged(x, y *AgingRow) int {
	return cmp.Or(cmp.Compare(x.Customer, y.Customer), cmp.Compare(x.Currency, y.Currency), x.IssuedOn.Compare(y.IssuedOn),
		cmp.Compare(x.Document, y.Document), cmp.Compare(x.Class, y.Class))
}
