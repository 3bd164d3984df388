package httpapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/projections"
)

type diffIn struct {
	OfSeller
	OneCustomer
	Answered
	AsOf    string `query:"as_of" format:"date" doc:"the business day that is compared; today, in the seller's time zone, when left out" example:"2026-03-31"`
	From    string `query:"from" required:"true" maxLength:"40" doc:"before: as known at a log position (0: nothing was), an instant (2026-07-03T09:00:00+09:00) or a day, which counts to its end in the seller's time zone" example:"2026-04-02"`
	To      string `query:"to" maxLength:"40" doc:"after: the same, later; now when left out"`
	Basis   string `query:"basis" enum:"due,issue" default:"due" doc:"count age from the due date or from the issue date"`
	Buckets string `query:"buckets" default:"30,60,90" maxLength:"200" doc:"last days of the buckets, as days of age; what is older has a bucket of its own"`
	After   uint64 `query:"after" doc:"the position of a receipt: wait until the read models have it, some seconds at most (views.behind)" maximum:"9007199254740991"`
}

// diff is what changed of a day between two times at which it was known. It may be long: it is written as it is read.
func (a *API) diff(ctx context.Context, in *diffIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, Times{AsOf: in.AsOf, Known: Known{After: in.After}})
	if err != nil {
		return nil, err
	}
	q := projections.DiffQuery{
		Seller: domain.SellerID(in.Seller), Customer: domain.CustomerID(in.Customer), AsOf: m.day, Basis: projections.Basis(in.Basis),
	}
	if q.Buckets, err = projections.ParseBuckets(in.Buckets); err != nil {
		return nil, named("buckets", err)
	}
	if err := a.between(ctx, in, &q); err != nil {
		return nil, a.asked(ctx, err)
	}
	from, to, err := a.books.Views.Range(ctx, q.From, q.To)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	q.From, q.To = projections.KnownAt{Position: from}, projections.KnownAt{Position: to}
	head := projections.DiffReport{AsOf: m.day, From: from, To: to, Columns: projections.BucketNames(q.Buckets)}
	out := report{
		title:  fmt.Sprintf("Changes of %s as of %s, from what was known at position %d to position %d", in.Seller, m.day, from, to),
		seller: in.Seller, asOf: m.day, erased: m.erased, position: to, sheet: export.Diff(head),
	}
	out.rows = func(add func(...string) error) error {
		_, err := a.books.Views.Diff(ctx, q, func(c projections.ChangedAccount) error {
			for _, row := range export.DiffRows(head, c) {
				if err := add(row...); err != nil {
					return err
				}
			}
			return nil
		})
		return a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, out)
}

// between reads the two times.
func (a *API) between(ctx context.Context, in *diffIn, q *projections.DiffQuery) error {
	zone, err := a.zone(ctx, domain.SellerID(in.Seller))
	if err != nil {
		return err
	}
	if in.From != "0" {
		if q.From, err = projections.ParseKnownAt(in.From, zone); err != nil {
			return named("from", err)
		}
	}
	q.To, err = projections.ParseKnownAt(in.To, zone)
	return named("to", err)
}

func (a *API) addDiff() {
	add(a, operation{
		id: "get-diff", method: http.MethodGet, path: "/v1/sellers/{seller}/diff", tag: "Reports",
		summary: "which balances and aging cells changed between two times, and by which events",
		about: "Both sides are the same business day, as it was known at two times. Each account that changed has a row as it was before, one for each event in between " +
			"with what it did to each amount, their sum as change, and one after: before + events = after, in every column.",
		permission: access.ReadHistory, describe: describeReport("get-diff", export.Diff(projections.DiffReport{Columns: []string{"current"}})),
	}, a.diff)
}
