package httpapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/projections"
)

// What a creditor must know of claims that are late: until when they can be enforced, and what their delay costs.

type limitationsIn struct {
	OfSeller
	Times
	OneCustomer
	Answered
}

func (a *API) limitations(ctx context.Context, in *limitationsIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	position, err := a.books.Views.Known(ctx, m.known)
	if err != nil {
		return nil, parameter(err)
	}
	q := projections.LimitationsQuery{
		Seller: domain.SellerID(in.Seller), Customer: domain.CustomerID(in.Customer), AsOf: m.day, KnownAt: projections.KnownAt{Position: position},
	}
	out := report{
		what: "Limitation", seller: in.Seller, asOf: m.day, knownAt: in.KnownAt, erased: m.erased, position: position, sheet: export.Limitations(nil),
	}
	out.rows = func(add func(...string) error) error {
		_, err := a.books.Views.EachLimitation(ctx, q, func(row projections.LimitationRow) error { return add(export.LimitationCells(row)...) })
		return a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, out)
}

// LateCharges is what delay has cost so far.
type LateCharges struct {
	AsOf     domain.Date       `json:"as_of" doc:"the last day that is charged"`
	Customer domain.CustomerID `json:"customer" doc:"the debtor"`
	Items    []LateInvoice     `json:"items" doc:"overdue invoices by currency and due date"`
	Totals   []domain.Money    `json:"totals" doc:"what has accrued, by currency"`
}

// LateInvoice is one overdue invoice.
type LateInvoice struct {
	Invoice    domain.InvoiceID        `json:"invoice" doc:"id within the account"`
	Number     string                  `json:"number" doc:"document number"`
	DueOn      domain.Date             `json:"due_on" doc:"the due date that holds on the day"`
	Open       domain.Money            `json:"open" doc:"what is left to pay"`
	DaysLate   int                     `json:"days_late" doc:"days since the due date"`
	Rate       domain.Rate             `json:"rate" doc:"percent a year, as it may be charged"`
	DayCount   domain.DayCount         `json:"day_count" doc:"ACT_365 or CALENDAR_YEAR"`
	Terms      domain.LateSource       `json:"terms" enum:"CUSTOMER,SELLER,STATUTORY,GIVEN" doc:"where rate and day count come from: the customer's terms, the seller's, the law, or this question"`
	Agreed     domain.Rate             `json:"agreed,omitzero" doc:"the contract's rate; absent: none is agreed"`
	CappedBy   domain.RateCap          `json:"capped_by,omitempty" doc:"law that makes rate smaller than what is agreed: CONSUMER, INSTALMENT or DIRECT"`
	AssessedTo domain.Date             `json:"assessed_to,omitzero" doc:"the last day that is assessed already; absent: none is"`
	Segments   []account.ChargeSegment `json:"segments" doc:"how it was computed: a segment for each amount that was open"`
	Accrued    domain.Money            `json:"accrued" doc:"the late charge that is not assessed yet: the sum of the segments"`
}

func lateChargesOf(in *lateChargesIn, day domain.Date, list []account.Accrual) LateCharges {
	out := LateCharges{AsOf: day, Customer: domain.CustomerID(in.Customer), Items: []LateInvoice{}, Totals: []domain.Money{}}
	for _, l := range list {
		segments := append([]account.ChargeSegment{}, l.Segments...)
		out.Items = append(out.Items, LateInvoice{
			l.Invoice, l.Number, l.DueOn, l.Open, l.Days, l.Rule.Rate, l.Rule.DayCount, l.Rule.Source, l.Rule.Agreed, l.Rule.CappedBy,
			l.AssessedTo, segments, l.Accrued,
		})
	}
	out.Totals = append(out.Totals, export.Accrued(list)...)
	return out
}

type lateChargesIn struct {
	OfSeller
	OfCustomer
	OneCurrency
	Answered
	AsOf     string `query:"as_of" format:"date" doc:"the last day that is charged; today, in the seller's time zone, when left out" example:"2026-10-31"`
	Rate     string `query:"rate" maxLength:"20" doc:"a yearly rate in percent to compute with; when left out, what the contract says for each delay, else the statutory rate that was in force when it began" example:"14.6"`
	DayCount string `query:"day_count" enum:"ACT_365,CALENDAR_YEAR" doc:"how days become a part of a year; when left out ACT_365 with a rate, and without one as the contract or the law has it"`
}

// given are the rate and the day count that were asked for, instead of what is agreed.
func (in *lateChargesIn) given() (terms domain.LateTerms, err error) {
	terms.DayCount = domain.DayCount(in.DayCount)
	if in.Rate == "" {
		return terms, nil
	}
	if terms.Rate, err = domain.ParseRate(in.Rate); err == nil && terms.Rate == 0 {
		err = domain.ErrBadRate.With("%s %%", terms.Rate)
	}
	return terms, named("rate", err)
}

// lateCharges reads the accounts themselves: which days are assessed stands in no read model.
func (a *API) lateCharges(ctx context.Context, in *lateChargesIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, Times{AsOf: in.AsOf})
	if err != nil {
		return nil, err
	}
	given, err := in.given()
	if err != nil {
		return nil, err
	}
	if err := checkCurrency(in.Currency); err != nil {
		return nil, err
	}
	key := account.Key{Seller: domain.SellerID(in.Seller), Customer: domain.CustomerID(in.Customer)}
	currencies, err := a.books.Views.Currencies(ctx, key.Seller, key.Customer, projections.KnownAt{})
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	var list []account.Accrual
	for _, key.Currency = range currencies {
		if in.Currency != "" && in.Currency != string(key.Currency) {
			continue
		}
		accrued, err := a.books.Ledger.LateCharges(ctx, key, m.day, given)
		if err != nil {
			return nil, a.asked(ctx, err)
		}
		list = append(list, accrued...)
	}
	return reading(in.Accept, "", lateChargesOf(in, m.day, list), report{
		title:  fmt.Sprintf("Late charges accrued by %s with %s to %s", in.Customer, in.Seller, m.day),
		seller: in.Seller, asOf: m.day, sheet: export.LateCharges(list),
	})
}

func (a *API) addClaims() {
	add(a, operation{
		id: "get-limitations", method: http.MethodGet, path: "/v1/sellers/{seller}/limitations", tag: "Reports",
		summary: "claims whose limitation ends within 12 months or has ended, the soonest first",
		about: "limitation_on is the last day of the period (消滅時効): five years from the due date. A payment that settles a part of the item begins a new period " +
			"on the day it was received; a reminder sent by REGISTERED_LETTER that lists the item is a demand (催告), which holds the end up for six months, once. " +
			"Other acts are not in the books yet: claims in court, written acknowledgements, negotiations; where there was one, the true end is another. " +
			"LIMITATION_REACHED is a warning: the claim is there until the debtor invokes the end. OLD_LAW is due before 2020-04-01, when periods depended on the trade.",
		permission: access.ReadReports, describe: describeReport("get-limitations", export.Limitations(nil)),
	}, a.limitations)
	add(a, operation{
		id: "get-late-charges", method: http.MethodGet, path: "/v1/sellers/{seller}/customers/{customer}/late-charges", tag: "Reports",
		summary: "late charges that have accrued to a day and are not assessed",
		about: "For each overdue invoice, on what was open on each day from the day after the due date, or after what is assessed, to the day asked for. Nothing is written: " +
			"AssessLateCharge makes it owed. Rate and day count are those of AgreeLateTerms or SetLateTerms that hold for delays of that day, else the law's; " +
			"capped_by names the law where less may be charged than is agreed. It is told as the account is known now.",
		permission: access.ReadReports, describe: describeReading[LateCharges](a, "get-late-charges", export.LateCharges(nil)),
	}, a.lateCharges)
}
