package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	reminding "github.com/urikake/urikake/adapters/dunning"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/dunning"
)

// SimulationWanted asks what a policy would have done.
type SimulationWanted struct {
	Policy  dunning.Policy   `json:"policy" doc:"instead of all that the seller has"`
	From    domain.Date      `json:"from" doc:"first day"`
	To      domain.Date      `json:"to" doc:"last day; not in the future"`
	Acting  dunning.Capacity `json:"acting,omitempty" enum:"AGENCY,CREDITOR" doc:"in whose name: CREDITOR (when left out, so that every level is seen) or AGENCY"`
	Within  int              `json:"within,omitempty" minimum:"0" maximum:"365" doc:"days within which a payment counts as one that would have come anyway; 7 when left out"`
	AsKnown bool             `json:"as_known,omitempty" doc:"decide each day by what the books knew on that day, not by what they know now"`
	Reach   *bool            `json:"assume_reachable,omitempty" doc:"take every debtor as one whom every channel reaches; true when left out: an address can be found, and a policy shows what it would do. false: only those who have an address"`
}

// Simulated is the last line of a simulation.
type Simulated reminding.Comparison

func (w SimulationWanted) check() error {
	var faults domain.Faults
	faults.Add("/policy", w.Policy.Check())
	faults.Require(!w.From.IsZero(), "/from", domain.ErrMissing)
	faults.Require(!w.To.IsZero(), "/to", domain.ErrMissing)
	if w.Acting != "" && w.Acting != dunning.Agency && w.Acting != dunning.Creditor {
		faults.Add("", errActing(w.Acting))
	}
	faults.Require(w.Within >= 0 && w.Within <= 365, "/within", domain.ErrOutOfRange)
	return faults.Err()
}

// simulate writes nothing, so whoever may read may ask.
func (a *API) simulate(ctx context.Context, in *worksIn) (*huma.StreamResponse, error) {
	var wanted SimulationWanted
	if err := in.read(&wanted); err != nil {
		return nil, err
	}
	if err := wanted.check(); err != nil {
		return nil, err
	}
	if _, err := a.oneSeller(ctx, domain.SellerID(in.Seller)); err != nil {
		return nil, err
	}
	return long(func(ctx context.Context, tell func(done, total int64)) (any, error) {
		r, err := reminding.Simulate(ctx, a.reminding(), reminding.SimulationRequest{
			Seller: domain.SellerID(in.Seller), Policy: wanted.Policy, From: wanted.From, To: wanted.To, As: wanted.Acting,
			Within: wanted.Within, AsKnown: wanted.AsKnown, Reachable: wanted.Reach == nil || *wanted.Reach,
			Progress: func(done, total int) { tell(int64(done), int64(total)) },
		})
		if err != nil {
			return nil, err
		}
		return Simulated(r), nil
	}), nil
}

func (a *API) addSimulations() {
	add(a, operation{
		id: "simulate-dunning", method: http.MethodPost, path: "/v1/sellers/{seller}/dunning/simulations", tag: "Dunning", summary: "what a policy would have done in the past",
		about: "Decides every day from the first to the last as a run would, by the policy that is tried and by those that the seller has today, and compares them, " +
			"and what was done: reminders, debtors, those who paid soon after anyway, and how long it took. Nothing is recorded. How a debtor would have " +
			"answered a reminder that was never sent, nobody knows: they pay when they paid." + longAbout,
		permission: access.ReadReports, body: bodyMax, describe: describeLong[SimulationWanted, Simulated](a),
	}, a.simulate)
}
