package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/projections"
)

type sellersIn struct{ Answered }

// sellers lists those that the principal may know of.
func (a *API) sellers(ctx context.Context, in *sellersIn) (*huma.StreamResponse, error) {
	list, err := a.books.Views.Sellers(ctx)
	if err != nil {
		return nil, err
	}
	p, _ := principalOf(ctx)
	var mine []projections.Seller
	for _, s := range list {
		if p.May(access.ReadReports, s.Seller) == nil {
			mine = append(mine, s)
		}
	}
	return reportAnswer(in.Accept, report{title: "Sellers", sheet: export.Sellers(mine)})
}

type sellerIn struct {
	OfSeller
	Answered
}

type sellerThenIn struct {
	OfSeller
	Known
	Answered
}

func (a *API) seller(ctx context.Context, in *sellerThenIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, Times{Known: in.Known})
	if err != nil {
		return nil, err
	}
	s, err := a.books.Views.Seller(ctx, domain.SellerID(in.Seller), m.known)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	return reading(in.Accept, "", s, report{
		title: "Seller " + in.Seller + knownText(in.KnownAt), seller: in.Seller, sheet: export.Sellers([]projections.Seller{s}),
	})
}

// oneSeller finds a seller. Whoever may know of all sellers is told which there are. Refuses views.unknown_seller.
func (a *API) oneSeller(ctx context.Context, id domain.SellerID) (projections.Seller, error) {
	s, err := a.books.Views.Seller(ctx, id, projections.KnownAt{})
	return s, a.asked(ctx, err)
}

// asked turns what a read model refuses into a refusal of parameters. Whoever may know of all sellers and asks for one
// that there isn't is told which there are.
func (a *API) asked(ctx context.Context, err error) error {
	if p, _ := principalOf(ctx); p.Seller != "" || !errors.Is(err, projections.ErrUnknownSeller) {
		return parameter(err)
	}
	var refusal *domain.Error
	errors.As(err, &refusal)
	list, listErr := a.books.Views.Sellers(ctx)
	if listErr != nil {
		return listErr
	}
	names := make([]string, 0, sellersNamed+1)
	for i, s := range list {
		if i == sellersNamed {
			names = append(names, "...")
			break
		}
		names = append(names, string(s.Seller))
	}
	if len(names) == 0 {
		names = []string{"none yet"}
	}
	return parameter(refusal.With("%s; there are: %s", refusal.Detail, strings.Join(names, ", ")))
}

// sellersNamed is how many sellers a refusal names.
const sellersNamed = 20

type customersIn struct {
	OfSeller
	Known
	Answered
}

func (a *API) customers(ctx context.Context, in *customersIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, Times{Known: in.Known})
	if err != nil {
		return nil, err
	}
	list, position, err := a.books.Views.Customers(ctx, domain.SellerID(in.Seller), m.known)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, report{
		title: "Customers of " + in.Seller + knownText(in.KnownAt), seller: in.Seller, position: position, erased: m.erased, sheet: export.Customers(list),
	})
}

type customerIn struct {
	OfSeller
	OfCustomer
	Known
	Answered
}

func (a *API) customer(ctx context.Context, in *customerIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, Times{Known: in.Known})
	if err != nil {
		return nil, err
	}
	one, position, err := a.books.Views.Customer(ctx, domain.SellerID(in.Seller), domain.CustomerID(in.Customer), m.known)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	return reading(in.Accept, fmt.Sprintf(`W/"%d.%d"`, position, m.erased), one, report{
		title: "Customer " + in.Customer + " of " + in.Seller + knownText(in.KnownAt), seller: in.Seller, position: position, erased: m.erased,
		sheet: export.Customers([]projections.Customer{one}),
	})
}

func (a *API) addParties() {
	add(a, operation{
		id: "list-sellers", method: http.MethodGet, path: "/v1/sellers", tag: "Parties", summary: "the sellers that your key may know of",
		permission: access.ReadReports, describe: describeReport("list-sellers", export.Sellers(nil)),
	}, a.sellers)
	add(a, operation{
		id: "get-seller", method: http.MethodGet, path: "/v1/sellers/{seller}", tag: "Parties", summary: "one seller",
		permission: access.ReadReports, describe: describeReading[projections.Seller](a, "get-seller", export.Sellers(nil)),
	}, a.seller)
	add(a, operation{
		id: "list-customers", method: http.MethodGet, path: "/v1/sellers/{seller}/customers", tag: "Parties", summary: "a seller's customers",
		permission: access.ReadReports, describe: describeReport("list-customers", export.Customers(nil)),
	}, a.customers)
	add(a, operation{
		id: "get-customer", method: http.MethodGet, path: "/v1/sellers/{seller}/customers/{customer}", tag: "Parties", summary: "one customer",
		permission: access.ReadReports, describe: describeReading[projections.Customer](a, "get-customer", export.Customers(nil)),
	}, a.customer)
}
