package httpapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/dunning"
)

// DunningPolicy is a policy in its newest version; its members are those of SetDunningPolicy.
type DunningPolicy struct {
	ID      dunning.PolicyID `json:"policy" doc:"its id; the one called default holds where no other is assigned"`
	Version int              `json:"version" doc:"1 for the first"`
	dunning.Policy
}

// DunningPolicies are all policies of a seller.
type DunningPolicies struct {
	Policies []DunningPolicy `json:"policies" doc:"by id"`
}

func (a *API) policies(ctx context.Context, in *sellerIn) (*huma.StreamResponse, error) {
	list, err := a.policiesOf(ctx, domain.SellerID(in.Seller))
	if err != nil {
		return nil, err
	}
	out := DunningPolicies{Policies: make([]DunningPolicy, len(list))}
	for i, p := range list {
		out.Policies[i] = DunningPolicy(p)
	}
	return reading(in.Accept, "", out, report{title: "Dunning policies of " + in.Seller, seller: in.Seller, sheet: export.Policies(list)})
}

func (a *API) policiesOf(ctx context.Context, id domain.SellerID) ([]dunning.Versioned, error) {
	if _, err := a.oneSeller(ctx, id); err != nil {
		return nil, err
	}
	return a.books.Ledger.Policies(ctx, id)
}

type policyIn struct {
	OfSeller
	Answered
	Policy string `path:"policy" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"id of the policy" example:"default"`
}

func (a *API) policy(ctx context.Context, in *policyIn) (*huma.StreamResponse, error) {
	list, err := a.policiesOf(ctx, domain.SellerID(in.Seller))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(p dunning.Versioned) bool { return p.ID == dunning.PolicyID(in.Policy) })
	if i < 0 {
		return nil, named("policy", dunning.ErrUnknownPolicy.With("%s", in.Policy))
	}
	return reading(in.Accept, "", DunningPolicy(list[i]), report{
		title: "Dunning policy " + in.Policy + " of " + in.Seller, seller: in.Seller, sheet: export.Policies(list[i : i+1]),
	})
}

type suggestedIn struct {
	OfSeller
	Answered
	Language string `query:"language" enum:"ja,en" doc:"of the reminders; the seller's when left out"`
}

// suggested is a policy to begin with.
func (a *API) suggested(ctx context.Context, in *suggestedIn) (*huma.StreamResponse, error) {
	s, err := a.oneSeller(ctx, domain.SellerID(in.Seller))
	if err != nil {
		return nil, err
	}
	if in.Language == "" {
		in.Language = string(s.Language)
	}
	settings, err := a.books.Ledger.Settings(ctx, domain.SellerID(in.Seller))
	if err != nil {
		return nil, err
	}
	p := dunning.DefaultPolicy(domain.Language(in.Language))
	p.BankDays = settings.BankDays
	return reading(in.Accept, "", p, report{
		title: "A dunning policy to begin with", seller: in.Seller, sheet: export.Policies([]dunning.Versioned{{Policy: p}}),
	})
}

func (a *API) addPolicies() {
	const path = "/v1/sellers/{seller}/dunning/"
	sheet := export.Policies(nil)
	add(a, operation{
		id: "list-dunning-policies", method: http.MethodGet, path: path + "policies", tag: "Dunning", summary: "how a seller's debtors are reminded",
		about: "Every policy in its newest version; sheets have a row for each level.", permission: access.ReadReports,
		describe: describeReading[DunningPolicies](a, "list-dunning-policies", sheet),
	}, a.policies)
	add(a, operation{
		id: "get-dunning-policy", method: http.MethodGet, path: path + "policies/{policy}", tag: "Dunning", summary: "one policy",
		permission: access.ReadReports, describe: describeReading[DunningPolicy](a, "get-dunning-policy", sheet),
	}, a.policy)
	add(a, operation{
		id: "suggest-dunning-policy", method: http.MethodGet, path: path + "suggested-policy", tag: "Dunning", summary: "a policy to begin with",
		about: "Seven levels, from a notice before the due date to a final one by registered letter. Days and amounts are convention: " +
			"change them to what was agreed with the client, and send the whole as SetDunningPolicy.",
		permission: access.ReadReports, describe: describeReading[dunning.Policy](a, "suggest-dunning-policy", sheet),
	}, a.suggested)
}
