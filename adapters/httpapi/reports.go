package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/projections"
)

// Parameters that questions share. Their texts are read by the rules of the domain, which say more than a pattern does.
// They are exported since huma reads them by reflection.
type (
	OfSeller struct {
		Seller string `path:"seller" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"whose receivables" example:"YAMATO"`
	}
	OfCustomer struct {
		Customer string `path:"customer" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"the customer who owes" example:"K101"`
	}
	OneCustomer struct {
		Customer string `query:"customer" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"one customer only" example:"K101"`
	}
	OneCurrency struct {
		Currency string `query:"currency" pattern:"^[A-Z]{3}$" doc:"one currency only" example:"JPY"`
	}
	// Times is when: every question may be asked as of any day, as known at any other time.
	Times struct {
		AsOf string `query:"as_of" format:"date" doc:"the business day that is reported; today, in the seller's time zone, when left out" example:"2026-03-31"`
		Known
	}
	// Known is when what is told was known; master data has no business day.
	Known struct {
		KnownAt string `query:"known_at" maxLength:"40" doc:"leave out what was recorded later: a log position, an instant (2026-07-03T09:00:00+09:00) or a day, which counts to its end in the seller's time zone"`
		After   uint64 `query:"after" doc:"the position of a receipt: wait until the read models have it, some seconds at most (views.behind)" maximum:"9007199254740991"`
	}
	Answered struct {
		Accept string `header:"Accept" doc:"application/json, text/csv, application/x-ndjson, or text/plain for a table to look at"`
		Etag   string `header:"If-None-Match" doc:"the ETag of an answer that you have: 304 if it still holds"`
	}
)

// afterMax is how long a question waits for a position.
const afterMax = 10 * time.Second

// moment is a question's two times, read.
type moment struct {
	day    domain.Date
	known  projections.KnownAt
	erased int64 // how many customers: their names are gone, whatever is known at
}

// at reads the times, and waits for what the client has seen.
func (a *API) at(ctx context.Context, id string, t Times) (moment, error) {
	if t.After > 0 {
		wait, cancel := context.WithTimeout(ctx, afterMax)
		defer cancel()
		go func() { // a server that shuts down waits for nobody
			select {
			case <-Draining(ctx):
				cancel()
			case <-wait.Done():
			}
		}()
		if _, err := a.books.Views.WaitFor(wait, eventstore.Position(t.After)); err != nil {
			return moment{}, err
		}
	}
	var m moment
	var err error
	if m.erased, err = a.books.Views.Erasures(ctx); err != nil {
		return m, err
	}
	zone := time.UTC
	if t.AsOf == "" || t.KnownAt != "" {
		if zone, err = a.zone(ctx, domain.SellerID(id)); err != nil {
			return m, err
		}
	}
	if t.AsOf == "" {
		m.day = domain.DateOf(a.books.Clock().In(zone))
	} else if m.day, err = domain.ParseDate(t.AsOf); err != nil {
		return m, named("as_of", err)
	}
	m.known, err = projections.ParseKnownAt(t.KnownAt, zone)
	return m, named("known_at", err)
}

// zone is a seller's time zone. Refuses views.unknown_seller.
func (a *API) zone(ctx context.Context, id domain.SellerID) (*time.Location, error) {
	s, err := a.oneSeller(ctx, id)
	if err != nil {
		return nil, err
	}
	if zone, ok := a.zones.Load(s.TimeZone); ok {
		return zone.(*time.Location), nil
	}
	zone, err := time.LoadLocation(s.TimeZone)
	if err == nil {
		a.zones.Store(s.TimeZone, zone) // there are some hundreds
	}
	return zone, err
}

// named says which parameter a refusal is about.
func named(name string, err error) error {
	var e *domain.Error
	if err == nil || !asError(err, &e) {
		return err
	}
	c := *e
	c.Field = parameterPrefix + name
	return &c
}

type agingIn struct {
	OfSeller
	Times
	OneCustomer
	Answered
	Basis   string `query:"basis" enum:"due,issue" default:"due" doc:"count age from the due date or from the issue date"`
	Buckets string `query:"buckets" default:"30,60,90" maxLength:"200" doc:"last days of the buckets, as days of age; what is older has a bucket of its own"`
	GroupBy string `query:"group_by" enum:"customer,invoice,total" default:"customer" doc:"one row for each customer, each invoice, or each currency"`
}

func (a *API) aging(ctx context.Context, in *agingIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	edges, err := projections.ParseBuckets(in.Buckets)
	if err != nil {
		return nil, named("buckets", err)
	}
	q := projections.AgingQuery{
		Seller: domain.SellerID(in.Seller), Customer: domain.CustomerID(in.Customer), AsOf: m.day, KnownAt: m.known,
		Basis: projections.Basis(in.Basis), Buckets: edges, GroupBy: projections.Grouping(in.GroupBy),
	}
	out := report{what: "Aging", seller: in.Seller, asOf: m.day, knownAt: in.KnownAt, erased: m.erased}
	format, _, err := formatOf(in.Accept)
	if err != nil {
		return nil, err
	}
	if q.GroupBy == projections.PerInvoice && format != export.Table {
		return a.openItems(ctx, in, q, out)
	}
	r, err := a.books.Views.Aging(ctx, q)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	out.position, out.sheet = r.KnownAt, export.Aging(r)
	return reportAnswer(in.Accept, out)
}

// openItems is the aging per invoice, which may be long: it is written as it is read.
func (a *API) openItems(ctx context.Context, in *agingIn, q projections.AgingQuery, out report) (*huma.StreamResponse, error) {
	position, err := a.books.Views.Known(ctx, q.KnownAt)
	if err != nil {
		return nil, parameter(err)
	}
	q.KnownAt, out.position = projections.KnownAt{Position: position}, position
	out.sheet = export.Aging(projections.AgingReport{GroupBy: q.GroupBy, Columns: projections.BucketNames(q.Buckets)})
	out.rows = func(add func(...string) error) error {
		_, err := a.books.Views.EachAged(ctx, q, func(row projections.AgingRow) error { return add(export.AgingCells(q.GroupBy, row)...) })
		return a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, out)
}

type balancesIn struct {
	OfSeller
	Times
	OneCustomer
	Answered
}

func (a *API) balances(ctx context.Context, in *balancesIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	q := projections.BalancesQuery{Seller: domain.SellerID(in.Seller), Customer: domain.CustomerID(in.Customer), AsOf: m.day, KnownAt: m.known}
	r, err := a.books.Views.Balances(ctx, q)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, report{what: "Balances", seller: in.Seller, asOf: m.day, knownAt: in.KnownAt, erased: m.erased, position: r.KnownAt, sheet: export.Balances(r)})
}

func (a *API) unapplied(ctx context.Context, in *balancesIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	q := projections.UnappliedQuery{Seller: domain.SellerID(in.Seller), Customer: domain.CustomerID(in.Customer), AsOf: m.day, KnownAt: m.known}
	r, err := a.books.Views.Unapplied(ctx, q)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, report{what: "Unapplied money", seller: in.Seller, asOf: m.day, knownAt: in.KnownAt, erased: m.erased, position: r.KnownAt, sheet: export.Unapplied(r)})
}

type receiptsIn struct {
	OfSeller
	Times
	Answered
}

func (a *API) receipts(ctx context.Context, in *receiptsIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	r, err := a.books.Views.Receipts(ctx, projections.ReceiptsQuery{Seller: domain.SellerID(in.Seller), AsOf: m.day, KnownAt: m.known})
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, report{what: "Receipts without a known payer", seller: in.Seller, asOf: m.day, knownAt: in.KnownAt, erased: m.erased, position: r.KnownAt, sheet: export.Receipts(r)})
}

type statementIn struct {
	OfSeller
	OfCustomer
	Times
	OneCurrency
	Answered
	From string `query:"from" format:"date" doc:"first day of the statement; from the beginning when left out" example:"2026-05-01"`
}

func (a *API) statement(ctx context.Context, in *statementIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	q := projections.StatementQuery{
		Seller: domain.SellerID(in.Seller), Customer: domain.CustomerID(in.Customer), Currency: domain.Currency(in.Currency),
		To: m.day, KnownAt: m.known,
	}
	if in.From != "" {
		if q.From, err = domain.ParseDate(in.From); err != nil {
			return nil, named("from", err)
		}
	}
	if err := checkCurrency(in.Currency); err != nil {
		return nil, err
	}
	r, err := a.books.Views.Statement(ctx, q)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, report{
		what: "Statement of " + in.Customer, seller: in.Seller, asOf: m.day, knownAt: in.KnownAt, erased: m.erased,
		position: r.KnownAt, sheet: export.Statement(r),
	})
}

type historyIn struct {
	OfSeller
	OfCustomer
	Times
	OneCurrency
	Answered
	From    string `query:"from" format:"date" doc:"first business day; events of earlier ones are left out, and their amounts are in the balances all the same" example:"2026-05-01"`
	Invoice string `query:"invoice" maxLength:"64" doc:"what touched this invoice or late charge only: its own events, what settled, credited or disputed it, reminders, promises and plans that name it, and how those went on" example:"I-0831"`
	Kind    string `query:"kind" maxLength:"2000" doc:"events of these kinds only, with commas; one that ends in a dot, account. or dunning., stands for all that begin so" example:"account.payment_recorded,dunning."`
}

// history is every event of a customer's accounts and of what was done about his debts, as the log has them.
func (a *API) history(ctx context.Context, in *historyIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	if err := checkCurrency(in.Currency); err != nil {
		return nil, err
	}
	id, customer := domain.SellerID(in.Seller), domain.CustomerID(in.Customer)
	currencies, err := a.books.Views.Currencies(ctx, id, customer, m.known)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	q := projections.HistoryQuery{KnownAt: m.known, Invoice: domain.InvoiceID(in.Invoice)}
	if in.From != "" {
		if q.From, err = domain.ParseDate(in.From); err != nil {
			return nil, named("from", err)
		}
	}
	if q.Kinds, err = kindsIn(in.Kind); err != nil {
		return nil, err
	}
	if in.AsOf != "" {
		q.AsOf = m.day
	}
	out := report{title: "History of " + in.Customer + " with " + in.Seller, seller: in.Seller, sheet: export.History(nil)}
	out.rows = func(add func(...string) error) error {
		for _, currency := range currencies {
			if in.Currency != "" && in.Currency != string(currency) {
				continue
			}
			q.Key = account.Key{Seller: id, Customer: customer, Currency: currency}
			err := a.books.Views.EachEntry(ctx, q, func(e projections.Entry) error { return add(export.EntryCells(e)...) })
			if err != nil {
				return a.asked(ctx, err)
			}
		}
		return nil
	}
	return reportAnswer(in.Accept, out)
}

// kindsIn are the kinds of events that are asked for. Refuses what no event is called or begins with.
func kindsIn(text string) (kinds []string, err error) {
	if text == "" {
		return nil, nil
	}
	for kind := range strings.SplitSeq(text, ",") {
		known := slices.ContainsFunc(catalog.Events(), func(s domain.Schema) bool {
			return s.Kind == kind || strings.HasSuffix(kind, ".") && strings.HasPrefix(s.Kind, kind)
		})
		if !known {
			return nil, named("kind", domain.ErrUnknown.With("%.80q: no event is called so; docs/events.md lists them", kind))
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// checkCurrency refuses a code that no account can have; "" stands for any currency.
func checkCurrency(code string) error {
	if code == "" {
		return nil
	}
	return named("currency", domain.Currency(code).Check())
}

// agingSheets are the forms of an aging: its rows are of a customer, an invoice or a currency.
func agingSheets() (sheets []export.Sheet) {
	for _, by := range []projections.Grouping{projections.PerCustomer, projections.PerInvoice, projections.PerTotal} {
		sheets = append(sheets, export.Aging(projections.AgingReport{GroupBy: by, Columns: []string{"current"}}))
	}
	return sheets
}

func (a *API) addReports() {
	get := func(id, path, summary, about string, p access.Permission, sheets ...export.Sheet) operation {
		return operation{
			id: id, method: http.MethodGet, path: "/v1/sellers/{seller}/" + path, tag: "Reports", summary: summary, about: about,
			permission: p, describe: describeReport(id, sheets...),
		}
	}
	add(a, get("get-aging", "aging", "what is owed, by age",
		"What is not yet due stands under current, what is overdue in the bucket of its age. Unapplied payments and credit are not netted into buckets: total = buckets - unapplied.",
		access.ReadReports, agingSheets()...), a.aging)
	add(a, get("get-balances", "balances", "what each account owes",
		"balance = open - unapplied; overdue and disputed are parts of open.", access.ReadReports, export.Balances(projections.BalancesReport{})), a.balances)
	add(a, get("get-unapplied", "unapplied", "payments and credit notes that settle nothing yet",
		"Apply them to invoices, or pay them back.", access.ReadReports, export.Unapplied(projections.UnappliedReport{})), a.unapplied)
	add(a, get("get-receipts", "receipts", "money received whose payer is not known",
		"Each with the debtors whose money it may be: by the payer's name, an invoice number in the reference, or the amount. Assign it to one, or note that it was given back.",
		access.ReadReports, export.Receipts(projections.ReceiptsReport{})), a.receipts)
	add(a, get("get-statement", "customers/{customer}/statement", "one customer's movements with a running balance",
		"The closing balance is the total of the aging on that day.", access.ReadReports, export.Statement(projections.StatementReport{})), a.statement)
	add(a, get("get-history", "customers/{customer}/history", "every event of a customer's accounts, and what was done about his debts",
		"Each event stands where it was recorded: what was typed in late or corrected is seen as it happened. What was done about the debtor, reminders, "+
			"holds, promises, plans and contacts, stands between the account's events; it has no amount and moves no balance.",
		access.ReadHistory, export.History(nil)), a.history)
}
