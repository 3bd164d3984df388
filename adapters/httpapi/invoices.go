package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/projections"
)

type invoicesIn struct {
	OfSeller
	Times
	OneCustomer
	OneCurrency
	Answered
	Number       string `query:"number" maxLength:"64" doc:"this document number"`
	NumberPrefix string `query:"number_prefix" maxLength:"64" doc:"document numbers that begin so" example:"INV-2026-"`
	Status       string `query:"status" enum:"open,overdue,partly_paid,disputed,paid,written_off,void" doc:"how it stood on the day: an invoice paid in May is open as of April"`
	IssuedFrom   string `query:"issued_from" format:"date" doc:"issued on this day or later"`
	IssuedTo     string `query:"issued_to" format:"date" doc:"issued on this day or earlier"`
	DueFrom      string `query:"due_from" format:"date" doc:"due on this day or later"`
	DueTo        string `query:"due_to" format:"date" doc:"due on this day or earlier"`
	AmountFrom   string `query:"amount_from" maxLength:"20" doc:"of this total or more, a plain decimal; needs currency" example:"100000"`
	AmountTo     string `query:"amount_to" maxLength:"20" doc:"of this total or less; needs currency"`
	Sort         string `query:"sort" enum:"issued_on,-issued_on,due_on,-due_on,total,-total,open,-open,days_overdue,-days_overdue,customer,-customer,number,-number" default:"issued_on" doc:"by which column; - for the largest or latest first"`
	Limit        int    `query:"limit" minimum:"1" maximum:"1000" doc:"rows of one answer; 100 in JSON and tables, all in CSV and NDJSON, when left out"`
	All          bool   `query:"all" doc:"all rows in one streamed answer, in any format"`
	Cursor       string `query:"cursor" maxLength:"2000" doc:"next of the answer before: the rows that follow it, as the first answer knew them, whatever was recorded meanwhile"`
}

// query reads what is asked for, each fault with its parameter.
func (in *invoicesIn) query(m moment) (projections.InvoicesQuery, error) {
	q := projections.InvoicesQuery{
		Seller: domain.SellerID(in.Seller), Customer: domain.CustomerID(in.Customer), AsOf: m.day, KnownAt: m.known,
		Number: in.Number, NumberPrefix: in.NumberPrefix, Status: projections.InvoiceStatus(in.Status),
		Currency: domain.Currency(in.Currency), Sort: projections.Sort(in.Sort), Limit: in.Limit, After: in.Cursor,
	}
	var faults domain.Faults
	for _, d := range []struct {
		name, text string
		to         *domain.Date
	}{
		{"issued_from", in.IssuedFrom, &q.IssuedFrom},
		{"issued_to", in.IssuedTo, &q.IssuedTo},
		{"due_from", in.DueFrom, &q.DueFrom},
		{"due_to", in.DueTo, &q.DueTo},
	} {
		if d.text != "" {
			var err error
			*d.to, err = domain.ParseDate(d.text)
			faults.Add(parameterPrefix+d.name, err)
		}
	}
	for _, m := range []struct {
		name, text string
		to         **int64
	}{{"amount_from", in.AmountFrom, &q.AmountFrom}, {"amount_to", in.AmountTo, &q.AmountUpTo}} {
		if m.text == "" {
			continue
		}
		if in.Currency == "" {
			faults.Add(parameterPrefix+m.name, ErrBadParameter.With("it needs currency, which says how many decimals an amount has"))
			continue
		}
		amount, err := domain.ParseMoney(m.text, in.Currency)
		faults.Add(parameterPrefix+m.name, err)
		minor := amount.Minor()
		*m.to = &minor
	}
	return q, faults.Err()
}

func (a *API) invoices(ctx context.Context, in *invoicesIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	if err := checkCurrency(in.Currency); err != nil {
		return nil, err
	}
	q, err := in.query(m)
	if err != nil {
		return nil, err
	}
	format, _, err := formatOf(in.Accept)
	if err != nil {
		return nil, err
	}
	out := report{what: "Invoices", seller: in.Seller, asOf: m.day, knownAt: in.KnownAt, erased: m.erased}
	if in.All || in.Limit == 0 && in.Cursor == "" && (format == export.CSV || format == export.NDJSON) {
		if out.position, err = a.books.Views.Known(ctx, q.KnownAt); err != nil {
			return nil, a.asked(ctx, err)
		}
		q.KnownAt = projections.KnownAt{Position: out.position}
		out.sheet = export.Invoices(projections.InvoicesReport{})
		out.rows = func(add func(...string) error) error {
			_, err := a.books.Views.EachInvoice(ctx, q, func(row projections.InvoiceRow) error { return add(export.InvoiceCells(row)...) })
			return a.asked(ctx, err)
		}
		return reportAnswer(in.Accept, out)
	}
	r, err := a.books.Views.Invoices(ctx, q)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	out.position, out.next, out.sheet = r.KnownAt, r.Next, export.Invoices(r)
	return reportAnswer(in.Accept, out)
}

type invoiceIn struct {
	OfSeller
	Times
	OneCustomer
	OneCurrency
	Answered
	Invoice string `path:"invoice" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"id of the invoice or late charge. Ids are of one account: where two have the same, name the customer and currency" example:"I00730"`
}

func (a *API) invoice(ctx context.Context, in *invoiceIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	r, err := a.books.Views.Invoice(ctx, projections.InvoiceQuery{
		Seller: domain.SellerID(in.Seller), Invoice: domain.InvoiceID(in.Invoice),
		Customer: domain.CustomerID(in.Customer), Currency: domain.Currency(in.Currency), AsOf: m.day, KnownAt: m.known,
	})
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	tag := readingTag(r.Standing, in.KnownAt, m, r.KnownAt)
	return reading(in.Accept, tag, invoiceOf(r), report{
		title: invoiceTitle(in.Seller, r), seller: in.Seller, sheet: export.Invoice(r),
	})
}

// invoiceTitle says over a table of settlements how the invoice stands.
func invoiceTitle(seller string, r projections.InvoiceReport) string {
	overdue := ""
	if r.DaysOverdue > 0 {
		overdue = fmt.Sprintf(", %d days overdue", r.DaysOverdue)
	}
	return fmt.Sprintf("Invoice %s (%s) of %s to %s %s as of %s: %s\nissued %s, due %s%s; total %s, open %s, disputed %s",
		r.Invoice, r.Number, seller, r.Customer, r.Name, r.AsOf, r.Status, r.IssuedOn, r.DueOn, overdue, r.Total, r.Open, r.Disputed)
}

type accountIn struct {
	OfSeller
	OfCustomer
	Times
	Answered
	Currency string `path:"currency" pattern:"^[A-Z]{3}$" doc:"of the account" example:"JPY"`
}

func (a *API) account(ctx context.Context, in *accountIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	key := account.Key{Seller: domain.SellerID(in.Seller), Customer: domain.CustomerID(in.Customer), Currency: domain.Currency(in.Currency)}
	r, err := a.books.Views.Account(ctx, projections.AccountQuery{Key: key, AsOf: m.day, KnownAt: m.known})
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	tag := readingTag(r.Standing, in.KnownAt, m, r.KnownAt)
	return reading(in.Accept, tag, accountOf(r), report{
		title:  fmt.Sprintf("Account of %s with %s in %s as of %s", in.Customer, in.Seller, in.Currency, m.day),
		seller: in.Seller, sheet: export.Account(r),
	})
}

// readingTag is the ETag of a reading of one account: its version first, for If-Match, then what else it depends on.
// A reading of what was known before begins otherwise: who has not seen the account as it stands can't say that it must
// not have changed.
func readingTag(s projections.Standing, knownAt string, m moment, known eventstore.Position) string {
	version := versionTag(s.Period, s.Version)
	if knownAt != "" {
		version = "past." + version
	}
	return fmt.Sprintf(`"%s.%s.%d.%d"`, version, m.day, known, m.erased)
}

// reading answers with one object, or with its rows for those who want a sheet.
func reading(accept, tag string, object any, r report) (*huma.StreamResponse, error) {
	format, _, err := formatOf(accept)
	if err != nil {
		return nil, err
	}
	if format != export.JSON {
		return reportAnswer(accept, r)
	}
	body, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	return stream(func(ctx huma.Context) {
		ctx.AppendHeader("Vary", "Accept")
		ctx.SetHeader("Cache-Control", "private, no-cache")
		if tag != "" && unchanged(ctx, tag) {
			return
		}
		ctx.SetHeader("Content-Type", typeJSON)
		_, _ = ctx.BodyWriter().Write(append(body, '\n')) // the client has gone
	}), nil
}

func (a *API) addInvoice() {
	add(a, operation{
		id: "list-invoices", method: http.MethodGet, path: "/v1/sellers/{seller}/invoices", tag: "Reports", summary: "find invoices and late charges",
		about:      "What is given must all hold. Pages show what the first one knew, whatever is recorded meanwhile: no row comes twice, and none is missed.",
		permission: access.ReadReports, describe: describeReport("list-invoices", export.Invoices(projections.InvoicesReport{})),
	}, a.invoices)
	add(a, operation{
		id: "get-invoice", method: http.MethodGet, path: "/v1/sellers/{seller}/invoices/{invoice}", tag: "Reports",
		summary: "one invoice with all that settled it", permission: access.ReadReports,
		about:    "The ETag begins with the account's version: send it as If-Match with a command that must not meet a changed account.",
		describe: also("409", describeReading[Invoice](a, "get-invoice", export.Invoice(projections.InvoiceReport{}))), // two accounts have it
	}, a.invoice)
	add(a, operation{
		id: "get-account", method: http.MethodGet, path: "/v1/sellers/{seller}/customers/{customer}/accounts/{currency}", tag: "Reports",
		summary: "how one account stands, and its version", permission: access.ReadReports,
		about:    "The ETag begins with the account's version: send it as If-Match with a command that must not meet a changed account.",
		describe: describeReading[Account](a, "get-account", export.Account(projections.AccountReport{})),
	}, a.account)
}
