package httpapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	reminding "github.com/urikake/urikake/adapters/dunning"
	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/projections"
)

// RunWanted asks for a run over all debtors.
type RunWanted struct {
	AsOf   domain.Date      `json:"as_of,omitzero" doc:"the day that is decided for; today, in the seller's time zone, when left out"`
	DryRun bool             `json:"dry_run,omitempty" doc:"decide and count, and do nothing; the decisions themselves are at .../dunning/decisions"`
	Acting dunning.Capacity `json:"acting,omitempty" enum:"AGENCY,CREDITOR" doc:"in whose name: AGENCY (when left out) or CREDITOR, which takes the permission dunning:creditor"`
}

// RunDone is the last line of a run.
type RunDone reminding.Result

// reminding is what dunning works on.
func (a *API) reminding() reminding.Books {
	return reminding.Books{Ledger: a.books.Ledger, Views: a.books.Views, Clock: a.books.Clock}
}

// acting lets a principal act in somebody's name. Refuses a role that may not, and what is neither agency nor creditor.
func acting(ctx context.Context, id string, as dunning.Capacity) error {
	switch as {
	case "", dunning.Agency:
		return nil
	case dunning.Creditor:
		p, _ := principalOf(ctx)
		return p.May(access.ActAsCreditor, domain.SellerID(id))
	}
	return errActing(as)
}

func errActing(as dunning.Capacity) error {
	return domain.ErrUnknown.With("%.40q, want AGENCY or CREDITOR", string(as)).At("/acting")
}

type worksIn struct {
	OfSeller
	RawIn
}

// wanted reads what is asked for; an empty body asks for what is usual.
func (in *worksIn) wanted(to any) error {
	if len(in.RawBody) == 0 {
		return nil
	}
	return in.read(to)
}

func (a *API) run(ctx context.Context, in *worksIn) (*huma.StreamResponse, error) {
	var wanted RunWanted
	if err := in.wanted(&wanted); err != nil {
		return nil, err
	}
	if err := acting(ctx, in.Seller, wanted.Acting); err != nil {
		return nil, err
	}
	if _, err := a.oneSeller(ctx, domain.SellerID(in.Seller)); err != nil {
		return nil, err
	}
	p, _ := principalOf(ctx)
	return long(func(ctx context.Context, tell func(done, total int64)) (any, error) {
		r, err := reminding.Run(ctx, a.reminding(), reminding.Request{
			Seller: domain.SellerID(in.Seller), AsOf: wanted.AsOf, DryRun: wanted.DryRun, Actor: p.Actor, As: wanted.Acting,
			Progress: func(done, total int) { tell(int64(done), int64(total)) },
		})
		if err != nil {
			return nil, err
		}
		return RunDone(r), nil
	}), nil
}

// decisionSheet has a row for each debtor.
var decisionSheet = export.Sheet{Columns: export.RunDecisionColumns}

type decisionsIn struct {
	OfSeller
	Answered
	AsOf   string `query:"as_of" format:"date" doc:"the day that is decided for; today, in the seller's time zone, when left out" example:"2026-10-05"`
	Acting string `query:"acting" enum:"AGENCY,CREDITOR" default:"AGENCY" doc:"in whose name"`
}

// decisions are what a run would decide: a dry run, told debtor by debtor.
func (a *API) decisions(ctx context.Context, in *decisionsIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, Times{AsOf: in.AsOf})
	if err != nil {
		return nil, err
	}
	if _, err := a.oneSeller(ctx, domain.SellerID(in.Seller)); err != nil {
		return nil, err
	}
	out := report{
		title: fmt.Sprintf("What a dunning run for %s as of %s would decide", in.Seller, m.day), seller: in.Seller, asOf: m.day, sheet: decisionSheet,
	}
	out.rows = func(add func(...string) error) error {
		_, err := reminding.Run(ctx, a.reminding(), reminding.Request{
			Seller: domain.SellerID(in.Seller), AsOf: m.day, DryRun: true, As: dunning.Capacity(in.Acting),
			Each: func(d dunning.RunDecision) error {
				one, _, err := a.books.Views.Customer(ctx, domain.SellerID(in.Seller), d.Customer, projections.KnownAt{})
				if err != nil {
					return err
				}
				return add(export.RunDecisionCells(projections.RunDecisionRow{Name: one.Name, On: m.day, RunDecision: d})...)
			},
		})
		return a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, out)
}

func (a *API) runs(ctx context.Context, in *sellerIn) (*huma.StreamResponse, error) {
	list, err := a.books.Views.Runs(ctx, domain.SellerID(in.Seller))
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, report{title: "Dunning runs of " + in.Seller, seller: in.Seller, sheet: export.DunningRuns(list)})
}

type runIn struct {
	OfSeller
	Answered
	Run string `path:"run" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"id of the run"`
}

// oneRun is what a run decided, as it was recorded.
func (a *API) oneRun(ctx context.Context, in *runIn) (*huma.StreamResponse, error) {
	key := dunning.RunKey{Seller: domain.SellerID(in.Seller), Run: dunning.RunID(in.Run)}
	run, err := a.books.Views.DunningRun(ctx, key)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	out := report{
		title: fmt.Sprintf("What the dunning run for %s as of %s decided", in.Seller, run.On), seller: in.Seller, asOf: run.On, sheet: decisionSheet,
	}
	out.rows = func(add func(...string) error) error {
		err := a.books.Views.EachRunDecision(ctx, key, func(row projections.RunDecisionRow) error { return add(export.RunDecisionCells(row)...) })
		return a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, out)
}

func (a *API) addRuns() {
	const path = "/v1/sellers/{seller}/dunning/"
	add(a, operation{
		id: "run-dunning", method: http.MethodPost, path: path + "runs", tag: "Dunning", summary: "decide about every debtor, and queue the reminders that are due",
		about: "Every decision is recorded with its reason, also where nobody is reminded. A run may be repeated, sent twice at once, or killed and repeated: " +
			"everything is done once for a day, and a run that had ended is only counted again." + longAbout,
		permission: access.WriteDunning, body: smallBody, describe: describeLong[RunWanted, RunDone](a),
	}, a.run)
	add(a, operation{
		id: "list-dunning-decisions", method: http.MethodGet, path: path + "decisions", tag: "Dunning", summary: "what a run would decide about every debtor, and why",
		about:      "Nothing is recorded. docs/dunning.md says what the reasons mean.",
		permission: access.ReadReports, describe: describeReport("list-dunning-decisions", decisionSheet),
	}, a.decisions)
	add(a, operation{
		id: "list-dunning-runs", method: http.MethodGet, path: path + "runs", tag: "Dunning", summary: "runs, the newest first, with what came of them",
		permission: access.ReadReports, describe: describeReport("list-dunning-runs", export.DunningRuns(nil)),
	}, a.runs)
	add(a, operation{
		id: "get-dunning-run", method: http.MethodGet, path: path + "runs/{run}", tag: "Dunning", summary: "what a run decided about every debtor, and why",
		about:      "refused is the rule by which a case refused a step, as the books had changed since it was decided.",
		permission: access.ReadReports, describe: describeReport("get-dunning-run", decisionSheet),
	}, a.oneRun)
}
