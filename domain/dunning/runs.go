package dunning

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/urikake/urikake/domain"
)

// Limits of one part of a run: what is recorded at once, well below the log's limit for one event.
const (
	PartMax      = 250  // decisions
	PartStepsMax = 1000 // steps of them all
)

// RunKey names one run of a seller over all debtors.
type RunKey struct {
	Seller domain.SellerID `json:"seller" doc:"the seller"`
	Run    RunID           `json:"run" doc:"the run"`
}

// Of is the key itself; commands have it by embedding RunKey.
func (k RunKey) Of() RunKey { return k }

// Stream is where the run stands.
func (k RunKey) Stream() string { return "dunningrun-" + string(k.Seller) + "." + string(k.Run) }

// ParseRunStream is the inverse of Stream.
func ParseRunStream(stream string) (key RunKey, ok bool) {
	rest, ok := strings.CutPrefix(stream, "dunningrun-")
	seller, run, two := strings.Cut(rest, ".")
	key = RunKey{domain.SellerID(seller), RunID(run)}
	if !ok || !two || domain.CheckID(key.Seller) != nil || domain.CheckID(key.Run) != nil {
		return RunKey{}, false
	}
	return key, true
}

// RunCommand is an order about a run; RunEvent what it records. Whoever runs gives them: none is a client's.
type (
	RunCommand interface {
		Name() string // wire name
		Of() RunKey
		check(*domain.Faults)
		decide(*RunState) ([]domain.Event, error)
	}
	RunEvent interface {
		domain.Event
		Of() RunKey
		On() domain.Date
		audit(*RunState) error // why it can't stand next; nil if it can
		apply(*RunState)
	}
)

// RunState is how far a run has come. A part is recorded before it is carried out, and the part after it only once that
// is done: so a run that was killed, or that runs twice, needs to go on with Last alone.
type RunState struct {
	Begun      bool
	Ended      bool
	BegunOn    domain.Date
	Acting     Capacity
	BankDataOn domain.Date
	Parts      int           // recorded so far
	Last       []RunDecision // the last part
	Debtors    int           // decided so far
	Refusals   int           // orders that were refused when they were carried out
	whys       map[Why]int
	steps      map[Action]int
}

// Through is the debtor that was decided last; run decisions stand in the order of customer and currency. ok is false
// before the first.
func (s *RunState) Through() (d RunDecision, ok bool) {
	if len(s.Last) == 0 {
		return RunDecision{}, false
	}
	return s.Last[len(s.Last)-1], true
}

// Counts are the debtors by the reason of the decision, and the steps by what they do, each in the order of their names.
func (s *RunState) Counts() (whys []RunCount, steps []RunCount) {
	return counts(s.whys), counts(s.steps)
}

func counts[K ~string](of map[K]int) (list []RunCount) {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		list = append(list, RunCount{string(name), of[name]})
	}
	return list
}

// Size is about how many bytes the state takes. O(1).
func (s *RunState) Size() int { return 2000 + 700*cap(s.Last) }

// RunDecider runs runs. That the seller is registered is asked by whoever gives it the command.
var RunDecider = domain.Decider[RunCommand, *RunState]{
	Stream: func(c RunCommand) string { return c.Of().Stream() },
	New:    func() *RunState { return &RunState{whys: make(map[Why]int), steps: make(map[Action]int)} },
	Decide: func(s *RunState, c RunCommand) ([]domain.Event, error) {
		if err := CheckRun(c); err != nil {
			return nil, err
		}
		return c.decide(s)
	},
	Evolve: func(s *RunState, e domain.Event) *RunState {
		e.(RunEvent).apply(s)
		return s
	},
	Audit: auditRun,
}

// CheckRun refuses a command whose shape is wrong, naming every wrong field.
func CheckRun(c RunCommand) error {
	var f domain.Faults
	f.Add("/seller", domain.CheckID(c.Of().Seller))
	f.Add("/run", domain.CheckID(c.Of().Run))
	c.check(&f)
	return f.Err()
}

var (
	ErrUnknownRun = &domain.Error{
		Code: domain.NotFound, Rule: "dunning.unknown_run",
		Text: "the seller has no such run",
	}
	ErrOtherRun = &domain.Error{
		Code: domain.Refused, Rule: "dunning.other_run",
		Text: "a run by this id was begun for another day or in another name",
	}
	ErrBankDataOld = &domain.Error{
		Code: domain.Refused, Rule: "dunning.bank_data_old",
		Text: "payments may have come in that the books don't show; enter them and say through which day with RecordBankData, or let the policy warn only",
	}
	ErrFutureDay = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.future_day",
		Text: "the day is still to come in the seller's time zone: what is said to have happened has happened, and nobody knows who will have paid by then; a dry run may look ahead",
	}
	ErrRunEnded = &domain.Error{
		Code: domain.Refused, Rule: "dunning.run_ended",
		Text: "the run has ended; nothing is added to it",
	}
	ErrPartMissing = &domain.Error{
		Code: domain.Refused, Rule: "dunning.part_missing",
		Text: "a run's parts are recorded one after the other, and it ends with the last",
	}
	ErrPartSize = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.part_size",
		Text: "a part of a run has 1 to 250 decisions of 1000 steps in all",
	}
	ErrPartOrder = &domain.Error{
		Code: domain.Refused, Rule: "dunning.part_order",
		Text: "a run decides each debtor once, in the order of customer and currency",
	}
)

// OldFor tells that the bank data of a day is too old on another, and whether that stops reminders or is only told.
func (p Policy) OldFor(bankDataOn, on domain.Date) (old, stops bool) {
	return p.old(Debtor{BankDataOn: bankDataOn}, on), p.OldBankData != WarnOnOldData
}

// BeginRun begins a run as of a day. One that is begun already stays as it is.
// Refuses dunning.other_run, and each field by its own rule.
type BeginRun struct {
	RunKey
	On         domain.Date `json:"on" doc:"the day as of which it decides"`
	Acting     Capacity    `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
	BankDataOn domain.Date `json:"bank_data_on,omitzero" doc:"last day whose bank data was in the books"`
}

func (BeginRun) Name() string { return "BeginRun" }

func (c BeginRun) check(f *domain.Faults) {
	date(f, "/on", c.On)
	oneOf(f, "/acting", c.Acting, Agency, Creditor)
}

func (c BeginRun) decide(s *RunState) ([]domain.Event, error) {
	switch {
	case !s.Begun:
		return []domain.Event{RunBegun{c.RunKey, c.On, c.Acting, c.BankDataOn}}, nil
	case s.BegunOn != c.On || s.Acting != c.Acting:
		return nil, ErrOtherRun.With("%s, acting %s", s.BegunOn, s.Acting)
	}
	return nil, nil
}

// RunBegun says that a run over a seller's debtors was begun as of a day.
type RunBegun struct {
	RunKey
	BegunOn    domain.Date `json:"on" doc:"the day as of which it decides"`
	Acting     Capacity    `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
	BankDataOn domain.Date `json:"bank_data_on,omitzero" doc:"last day whose bank data was in the books; absent: not known"`
}

func (RunBegun) Kind() string      { return "dunning.run_begun" }
func (e RunBegun) On() domain.Date { return e.BegunOn }

func (e RunBegun) apply(s *RunState) {
	s.Begun, s.BegunOn, s.Acting, s.BankDataOn = true, e.BegunOn, e.Acting, e.BankDataOn
}

// RecordDecisions records the next part of a run, before it is carried out. A part that is recorded already stays as it
// is, whatever is asked for.
// Refuses dunning.unknown_run, dunning.run_ended, dunning.part_missing, dunning.part_size, dunning.part_order.
type RecordDecisions struct {
	RunKey
	Part      int           `json:"part" doc:"number of the part, from 1"`
	Decisions []RunDecision `json:"decisions" doc:"one a debtor and currency, in the order of customer and currency, up to 250"`
	Refused   []RunRefusal  `json:"refused,omitempty" doc:"what of the part before it was refused when it was carried out"`
}

func (RecordDecisions) Name() string { return "RecordDecisions" }

func (c RecordDecisions) check(f *domain.Faults) {
	steps := 0
	for _, d := range c.Decisions {
		f.Add("/decisions", d.check())
		steps += len(d.Steps)
	}
	f.Require(len(c.Decisions) > 0 && len(c.Decisions) <= PartMax && steps <= PartStepsMax, "/decisions",
		ErrPartSize.With("%d decisions, %d steps", len(c.Decisions), steps))
	f.Require(len(c.Refused) <= PartMax, "/refused", ErrPartSize.With("%d refusals", len(c.Refused)))
}

func (c RecordDecisions) decide(s *RunState) ([]domain.Event, error) {
	switch {
	case !s.Begun:
		return nil, ErrUnknownRun.With("%s", c.Run).At("/run")
	case c.Part >= 1 && c.Part <= s.Parts:
		return nil, nil
	case s.Ended:
		return nil, ErrRunEnded.With("with %d parts", s.Parts)
	case c.Part != s.Parts+1:
		return nil, ErrPartMissing.With("%d, want %d", c.Part, s.Parts+1).At("/part")
	}
	last, follows := s.Through()
	decisions := make([]RunDecision, len(c.Decisions))
	for i, d := range c.Decisions {
		if follows && last.Compare(d) >= 0 {
			return nil, ErrPartOrder.With("%s %s after %s %s", d.Customer, d.Currency, last.Customer, last.Currency).At("/decisions")
		}
		decisions[i], last, follows = d.normal(), d, true
	}
	return []domain.Event{RunDecided{c.RunKey, s.BegunOn, c.Part, decisions, c.Refused}}, nil
}

// RunDecided says what a run decided on some debtors, and why. The steps are carried out after it was recorded; which
// of them the case refused, as the books had changed meanwhile, stands in the next part or at the run's end.
type RunDecided struct {
	RunKey
	DecidedOn domain.Date   `json:"on" doc:"the day of the run"`
	Part      int           `json:"part" doc:"number of the part, from 1"`
	Decisions []RunDecision `json:"decisions" doc:"one a debtor and currency, in the order of customer and currency"`
	Refused   []RunRefusal  `json:"refused,omitempty" doc:"what of the part before it was refused when it was carried out"`
}

func (RunDecided) Kind() string      { return "dunning.run_decided" }
func (e RunDecided) On() domain.Date { return e.DecidedOn }

func (e RunDecided) apply(s *RunState) {
	s.Parts, s.Last = e.Part, e.Decisions
	s.Debtors += len(e.Decisions)
	s.Refusals += len(e.Refused)
	for _, d := range e.Decisions {
		s.whys[d.Why]++
		for _, step := range d.Steps {
			s.steps[step.Do]++
		}
	}
}

// EndRun ends a run after its last part. One that has ended stays as it is.
// Refuses dunning.unknown_run, dunning.part_missing, dunning.part_size.
type EndRun struct {
	RunKey
	Parts   int          `json:"parts" doc:"how many parts it had; 0 for a seller whom nobody owes anything"`
	Refused []RunRefusal `json:"refused,omitempty" doc:"what of the last part was refused when it was carried out"`
}

func (EndRun) Name() string { return "EndRun" }

func (c EndRun) check(f *domain.Faults) {
	f.Require(len(c.Refused) <= PartMax, "/refused", ErrPartSize.With("%d refusals", len(c.Refused)))
}

func (c EndRun) decide(s *RunState) ([]domain.Event, error) {
	switch {
	case !s.Begun:
		return nil, ErrUnknownRun.With("%s", c.Run).At("/run")
	case s.Ended:
		return nil, nil
	case c.Parts != s.Parts:
		return nil, ErrPartMissing.With("%d, want %d", c.Parts, s.Parts).At("/parts")
	}
	whys, steps := s.Counts()
	return []domain.Event{RunEnded{c.RunKey, s.BegunOn, s.Parts, s.Debtors, whys, steps, c.Refused, s.Refusals + len(c.Refused)}}, nil
}

// RunEnded says that a run has decided on all debtors and carried it out.
type RunEnded struct {
	RunKey
	EndedOn  domain.Date  `json:"on" doc:"the day of the run"`
	Parts    int          `json:"parts" doc:"how many parts it had"`
	Debtors  int          `json:"debtors" doc:"how many debtors it decided on, by currency"`
	Whys     []RunCount   `json:"whys,omitempty" doc:"debtors by the reason of the decision"`
	Steps    []RunCount   `json:"steps,omitempty" doc:"steps by what they do; REMIND: the reminders"`
	Refused  []RunRefusal `json:"refused,omitempty" doc:"what of the last part was refused when it was carried out"`
	Refusals int          `json:"refusals,omitzero" doc:"how many were refused in all"`
}

func (RunEnded) Kind() string      { return "dunning.run_ended" }
func (e RunEnded) On() domain.Date { return e.EndedOn }
func (e RunEnded) apply(s *RunState) {
	s.Ended, s.Refusals, s.Last = true, e.Refusals, nil
}

// RunCount is how often something came up in a run.
type RunCount struct {
	Of    string `json:"of" doc:"a reason, or what a step does"`
	Times int    `json:"times" doc:"how often"`
}

// RunRefusal is a step that the case refused when it was carried out: the books had changed since it was decided. What
// was to follow it was left undone too.
type RunRefusal struct {
	Customer domain.CustomerID `json:"customer" doc:"the debtor"`
	Currency domain.Currency   `json:"currency" doc:"ISO 4217 code of the account"`
	Do       Action            `json:"do" doc:"the step"`
	Rule     string            `json:"rule" doc:"the rule that refused it"`
}

// RunDecision is what a run decided on one debtor in one currency; what is zero is left out.
type RunDecision struct {
	Customer domain.CustomerID `json:"customer" doc:"the debtor"`
	Currency domain.Currency   `json:"currency" doc:"ISO 4217 code of the account"`
	Policy   PolicyID          `json:"policy,omitempty" doc:"the policy that held"`
	Version  int               `json:"policy_version,omitzero" doc:"its version"`
	Finding
}

// Recorded is a decision as its run records it: without the reminder's text and items, which the case has.
func Recorded(key Key, p Versioned, d Decision) RunDecision {
	return RunDecision{key.Customer, key.Currency, p.ID, p.Version, d.Finding}.normal()
}

// normal has one way to say "none", as zero amounts are not written.
func (d RunDecision) normal() RunDecision {
	for _, m := range []*domain.Money{&d.Open, &d.Due, &d.Disputed, &d.Unapplied, &d.Unmatched, &d.Minimum} {
		if m.IsZero() {
			*m = domain.Money{}
		}
	}
	d.Steps = slices.Clone(d.Steps)
	for i := range d.Steps {
		if d.Steps[i].Received.IsZero() {
			d.Steps[i].Received = domain.Money{}
		}
	}
	return d
}

func (d RunDecision) check() error {
	var f domain.Faults
	f.Add("/customer", domain.CheckID(d.Customer))
	f.Add("/currency", d.Currency.Check())
	f.Require(d.Why != "", "/why", domain.ErrMissing)
	return f.Err()
}

// Reminds tells that a reminder was due.
func (d RunDecision) Reminds() bool {
	return slices.ContainsFunc(d.Steps, func(s Step) bool { return s.Do == Remind })
}

// Compare orders decisions by customer and currency, byte by byte.
func (d RunDecision) Compare(o RunDecision) int {
	return cmp.Or(cmp.Compare(d.Customer, o.Customer), cmp.Compare(d.Currency, o.Currency))
}

// Orders are the commands that carry the decision out on a day: see Decision.Orders.
func (d RunDecision) Orders(seller domain.SellerID, on domain.Date, as Capacity, run RunID) []Command {
	o := Order{Key: Key{seller, d.Customer, d.Currency}, Acting: as}
	steps := slices.Clone(d.Steps)
	for i := range steps {
		if steps[i].Received.IsZero() {
			steps[i].Received = o.money(0)
		}
	}
	return Decision{On: on, Finding: Finding{Steps: steps}}.Orders(o, run)
}
