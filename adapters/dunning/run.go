package dunning

import (
	"context"
	"errors"

	"github.com/urikake/urikake/domain"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/projections"
)

// Request asks for a run over all debtors of a seller.
type Request struct {
	Seller   domain.SellerID
	AsOf     domain.Date // zero: today in the seller's time zone
	DryRun   bool        // decide, and change nothing
	Actor    string
	As       rules.Capacity                // in whose name; AGENCY when empty
	Each     func(rules.RunDecision) error // unless nil, hears every decision in the order of customer and currency
	Progress func(done, total int)         // unless nil, hears how many debtors are done; how many there are nobody knows before

	partMax int // debtors in one part; rules.PartMax when zero
}

// Result is what came of a run.
type Result struct {
	Run        rules.RunID         `json:"run" doc:"the run: the same for a seller, a day and a capacity, however often it is repeated"`
	AsOf       domain.Date         `json:"as_of" doc:"the day as of which it decided"`
	Acting     rules.Capacity      `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
	DryRun     bool                `json:"dry_run,omitempty" doc:"nothing was changed"`
	Repeated   bool                `json:"repeated,omitempty" doc:"the run had ended before; nothing was decided anew"`
	BankDataOn domain.Date         `json:"bank_data_on,omitzero" doc:"last day whose bank data was in the books"`
	Warnings   []rules.Why         `json:"warnings,omitempty" doc:"codes of what spoke against the run and did not stop it"`
	Debtors    int                 `json:"debtors" doc:"debtors decided on, by currency"`
	Reminders  int                 `json:"reminders" doc:"reminders that were due"`
	Whys       []rules.RunCount    `json:"whys" doc:"debtors by the reason of the decision"`
	Steps      []rules.RunCount    `json:"steps" doc:"steps by what they do"`
	Refusals   int                 `json:"refusals,omitempty" doc:"steps that were refused when they were carried out, as the books had changed meanwhile"`
	Position   eventstore.Position `json:"position" doc:"what it was decided by: the log up to here"`
}

// Run decides on every debtor of a seller as of a day and carries it out: it settles promises, follows payment plans,
// closes cases and queues reminders, each of which is looked at once more when it is sent. Every decision is recorded
// with its reason, whether anybody is reminded or not.
//
// A run is recorded part by part, each part before it is carried out and the next only after that. The same run may so
// be repeated, given twice at once, or killed anywhere and repeated: it comes to what one run comes to. One that has
// ended is only read again. A dry run writes nothing, and decides anew each time.
//
// Memory is bounded. Refuses dunning.unknown_seller, dunning.future_day unless it is dry, dunning.bank_data_old where a policy that stops on old bank data
// holds for everybody (a dry run goes on and says it of each debtor), and what the ledger and the views refuse.
func Run(ctx context.Context, b Books, r Request) (Result, error) {
	if r.As == "" {
		r.As = rules.Agency
	}
	if r.partMax == 0 {
		r.partMax = rules.PartMax
	}
	day := b.until
	if r.DryRun { // which changes nothing
		day = func(ctx context.Context, seller domain.SellerID, asked domain.Date) (on, today domain.Date, err error) {
			on, err = b.day(ctx, seller, asked)
			return on, on, err
		}
	}
	on, _, err := day(ctx, r.Seller, r.AsOf)
	if err != nil {
		return Result{}, err
	}
	r.AsOf = on
	key := rules.RunKey{Seller: r.Seller, Run: RunOf(r.Seller, on, r.As)}
	run := &run{Books: b, Request: r, key: key, tally: newTally()}
	run.result = Result{Run: key.Run, AsOf: on, Acting: r.As, DryRun: r.DryRun}
	if run.result.BankDataOn, err = b.bankDataOn(ctx, r.Seller); err != nil {
		return Result{}, err
	}
	if r.DryRun {
		return run.dry(ctx)
	}
	return run.live(ctx)
}

// RunOf names the run of a seller on a day in somebody's name.
func RunOf(seller domain.SellerID, on domain.Date, as rules.Capacity) rules.RunID {
	return rules.RunID(derived("run", string(seller), on.String(), string(as)))
}

// run is one run on its way.
type run struct {
	Books
	Request
	key    rules.RunKey
	result Result

	parts   int                // recorded, and known here
	through rules.RunDecision  // the debtor that was decided last; none before the first part
	refused []rules.RunRefusal // what of the last part was refused
	waiting []projections.Debtor
	ended   bool
	tally   tally
}

func (r *run) dry(ctx context.Context) (Result, error) {
	stops, warns, err := r.oldBankData(ctx)
	if err != nil {
		return Result{}, err
	}
	if stops || warns {
		r.result.Warnings = append(r.result.Warnings, rules.WhyBankDataOld)
	}
	position, err := r.debtors(ctx, func(batch []projections.Debtor) error {
		decisions, err := r.decide(ctx, batch)
		if err != nil {
			return err
		}
		return r.tell(decisions)
	})
	r.result.Position = position
	return r.counted(), err
}

func (r *run) live(ctx context.Context) (Result, error) {
	if err := r.begin(ctx); err != nil || r.ended {
		return r.counted(), err
	}
	position, err := r.debtors(ctx, func(batch []projections.Debtor) error {
		r.waiting = r.after(append(r.waiting, batch...))
		for len(r.waiting) > 0 && !r.ended {
			if err := r.part(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	r.result.Position = position
	for err == nil && !r.ended {
		err = r.end(ctx)
	}
	return r.counted(), err
}

// debtors gives the debtors in batches.
func (r *run) debtors(ctx context.Context, work func([]projections.Debtor) error) (eventstore.Position, error) {
	unmatched, err := r.Ledger.Unmatched(ctx, r.Seller, r.AsOf)
	if err != nil {
		return 0, err
	}
	batch := make([]projections.Debtor, 0, r.partMax)
	q := projections.DebtorsQuery{Seller: r.Seller, AsOf: r.AsOf}
	position, err := r.Views.EachDebtor(ctx, q, func(d projections.Debtor) error {
		d.Facts.BankDataOn = r.result.BankDataOn
		d.Facts.Unmatched = unmatched.Of(d.Facts, d.Names(), r.AsOf)
		if batch = append(batch, d); len(batch) < r.partMax {
			return nil
		}
		err := work(batch)
		batch = batch[:0]
		return err
	})
	if err == nil && len(batch) > 0 {
		err = work(batch)
	}
	return position, err
}

// through says how far the bank's data goes.
func through(day domain.Date) string {
	if day.IsZero() {
		return "no bank data is recorded yet"
	}
	return "bank data goes through " + day.String()
}

// begin records the beginning, or takes up a run where it stands: what its last part says is carried out again, which
// does nothing where it is done.
func (r *run) begin(ctx context.Context) error {
	stops, warns, err := r.oldBankData(ctx)
	if err != nil {
		return err
	}
	known := false
	err = r.Ledger.DunningRun(ctx, r.key, func(s *rules.RunState, _ eventstore.Version) error { known = s.Begun; return nil })
	switch {
	case err != nil:
		return err
	case stops && !known:
		return rules.ErrBankDataOld.With("%s, and the run is as of %s", through(r.result.BankDataOn), r.AsOf)
	case warns:
		r.result.Warnings = append(r.result.Warnings, rules.WhyBankDataOld)
	}
	if err := r.record(ctx, rules.BeginRun{RunKey: r.key, On: r.AsOf, Acting: r.As, BankDataOn: r.result.BankDataOn}); err != nil {
		return err
	}
	if err := r.adopt(ctx); err != nil {
		return err
	}
	r.result.Repeated = r.ended
	return nil
}

// oldBankData tells whether the bank data is too old for all policies that stop the run, or for one that only warns.
func (r *run) oldBankData(ctx context.Context) (stops, warns bool, err error) {
	list, err := r.Ledger.Policies(ctx, r.Seller)
	stops = len(list) > 0
	for _, p := range list {
		old, stop := p.OldFor(r.result.BankDataOn, r.AsOf)
		stops = stops && old && stop
		warns = warns || old && !stop
	}
	return stops, warns, err
}

// record gives the ledger an order of the run's own: which asks the run's state whether it is done already.
func (r *run) record(ctx context.Context, c rules.RunCommand) error {
	_, err := r.Ledger.Execute(ctx, c, eventstore.Envelope{Internal: true, Actor: r.Actor, Correlation: string(r.key.Run)})
	return err
}

// part decides on debtors that wait and records it, as far as one part holds them.
func (r *run) part(ctx context.Context) error {
	decisions, err := r.decide(ctx, r.waiting)
	if err != nil {
		return err
	}
	n, steps := 0, 0
	for n < len(decisions) && n < r.partMax && (n == 0 || steps+len(decisions[n].Steps) <= rules.PartStepsMax) {
		steps += len(decisions[n].Steps)
		n++
	}
	err = r.record(ctx, rules.RecordDecisions{RunKey: r.key, Part: r.parts + 1, Decisions: decisions[:n], Refused: r.refused})
	if err != nil && !errors.Is(err, rules.ErrRunEnded) {
		return err
	}
	return r.adopt(ctx)
}

// adopt reads the parts that are not known here yet, whoever recorded them, and carries the last one out: whoever
// recorded the ones before it has done so.
func (r *run) adopt(ctx context.Context) error {
	var last []rules.RunDecision
	err := r.Ledger.EachRunPart(ctx, r.key, r.parts+1, func(p rules.RunDecided) error {
		last, r.parts, r.refused = p.Decisions, p.Part, nil
		r.through = last[len(last)-1]
		return r.tell(last)
	})
	if err != nil {
		return err
	}
	r.waiting = r.after(r.waiting)
	err = r.Ledger.DunningRun(ctx, r.key, func(s *rules.RunState, _ eventstore.Version) error {
		r.ended, r.result.Refusals, r.result.BankDataOn = s.Ended, s.Refusals, s.BankDataOn
		return nil
	})
	if err != nil || r.ended || len(last) == 0 {
		return err
	}
	r.refused, err = r.carryOut(ctx, last)
	return err
}

// after leaves out the debtors that are decided.
func (r *run) after(list []projections.Debtor) []projections.Debtor {
	for len(list) > 0 && r.parts > 0 {
		d := rules.RunDecision{Customer: list[0].Facts.Customer, Currency: list[0].Facts.Currency}
		if d.Compare(r.through) > 0 {
			break
		}
		list = list[1:]
	}
	return list
}

// end ends the run, unless another recorded more of it meanwhile.
func (r *run) end(ctx context.Context) error {
	err := r.record(ctx, rules.EndRun{RunKey: r.key, Parts: r.parts, Refused: r.refused})
	if err != nil && !errors.Is(err, rules.ErrPartMissing) {
		return err
	}
	return r.adopt(ctx)
}
