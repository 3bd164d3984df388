package account

import "github.com/urikake/urikake/domain"

var (
	ErrCarriedForward = &domain.Error{
		Code: domain.Conflict, Rule: "account.carried_forward",
		Text: "the account was carried forward; it goes on in a fresh stream",
	}
	ErrSamePeriod = &domain.Error{
		Code: domain.Refused, Rule: "account.same_period",
		Text: "the account stands in this period already",
	}
	ErrTooMuchToCarry = &domain.Error{
		Code: domain.Refused, Rule: "account.too_much_to_carry",
		Text: "one payment, credit note or invoice has more movements than one event holds; carry forward once it is settled, with a later keep_since",
	}
)

// KeepDays is how far back, in days before a carry forward, settled items go along unless the command says otherwise:
// long enough for a payment to bounce or a credit note to follow.
const KeepDays = 90

// PartMax is how many records, with the moves, applications and taxes in them, one BalanceBroughtForward holds before
// the next one begins, so that it stays below the log's bound for one event and for one append. A stream that a crash
// left half brought forward is gone on with by the same bound, so it must not change.
const PartMax = 2000

// RecordMax is the most that one record may weigh, so counted, since a record is never split.
const RecordMax = 8000

// CarryForward closes the account's stream at a year end. The account goes on in a fresh stream with every open item,
// every unapplied amount and every open dispute, under their own dates, and with what moved lately. Balances, aging and
// history don't change by it; it keeps streams short.
type CarryForward struct {
	Key
	CarryOn   domain.Date `json:"on" doc:"the last day of the closed period"`
	Into      string      `json:"into" doc:"name of the period in which the account goes on, such as 2027"`
	KeepSince domain.Date `json:"keep_since,omitzero" doc:"settled items that moved on or after this day go along; 90 days before on when left out"`
}

func (CarryForward) Name() string { return "CarryForward" }

func (c CarryForward) check(f *domain.Faults) {
	date(f, "/on", c.CarryOn)
	f.Add("/into", domain.CheckID(c.Into))
}

func (c CarryForward) decide(s *State, p Parties) ([]domain.Event, error) {
	if c.Into == s.period {
		return nil, ErrSamePeriod.With("%s", c.Into).At("/into")
	}
	for _, e := range p.Earlier {
		if e.period == c.Into {
			return nil, ErrSamePeriod.With("%s was closed earlier", c.Into).At("/into")
		}
	}
	if c.KeepSince.IsZero() {
		c.KeepSince = domain.LaterOf(c.CarryOn.AddDays(-KeepDays), domain.NewDate(1900, 1, 1))
	}
	// Asked now: a closed stream that could not be brought forward would be the account's end.
	if id, weight := s.kept(c.KeepSince).heaviest(); weight > RecordMax {
		return nil, ErrTooMuchToCarry.With("%s: %d movements", id, weight)
	}
	return []domain.Event{BalanceCarriedForward{c.CarryOn, c.Into, c.KeepSince, c.money(s.openTotal), c.money(s.unappliedTotal)}}, nil
}

// BalanceCarriedForward is the last event of a stream: the account goes on in another.
type BalanceCarriedForward struct {
	CarryOn   domain.Date  `json:"on" doc:"the last day of the closed period"`
	Into      string       `json:"into" doc:"the period in which the account goes on"`
	KeepSince domain.Date  `json:"keep_since" doc:"settled items that moved on or after this day go along"`
	Open      domain.Money `json:"open" doc:"sum of the open items"`
	Unapplied domain.Money `json:"unapplied" doc:"sum of unapplied payments and credits"`
}

func (BalanceCarriedForward) Kind() string      { return "account.balance_carried_forward" }
func (e BalanceCarriedForward) On() domain.Date { return e.CarryOn }
func (BalanceCarriedForward) Effect() int64     { return 0 }
func (e BalanceCarriedForward) apply(s *State)  { s.carriedInto, s.carried = e.Into, e }

// BalanceBroughtForward opens a fresh stream, in one or several parts that are appended one after the other. Nothing
// else comes between them, and the account is used again when the last one is there.
type BalanceBroughtForward struct {
	BroughtOn domain.Date `json:"on" doc:"the last day of the closed period"`
	From      string      `json:"from" doc:"the stream that was closed"`
	Period    string      `json:"period" doc:"the period of this stream"`
	Part      int         `json:"part" doc:"1 to parts"`
	Parts     int         `json:"parts" doc:"how many parts there are"`
	Records
}

func (BalanceBroughtForward) Kind() string      { return "account.balance_brought_forward" }
func (e BalanceBroughtForward) On() domain.Date { return e.BroughtOn }
func (BalanceBroughtForward) Effect() int64     { return 0 }

func (e BalanceBroughtForward) apply(s *State) {
	s.broughtFrom, s.period, s.brought, s.parts = e.From, e.Period, e.Part, e.Parts
	s.restore(e.Records)
}

// BringForward opens the fresh stream of a closed one, or goes on with it, by one part. Only the ledger gives this
// command, right after CarryForward or, after a crash in between, when the account is next used.
// Refuses account.same_period where that part, or another, does not come next: somebody else has brought it.
type BringForward struct {
	Key
	Part BalanceBroughtForward `json:"part" doc:"one of what BroughtForward gives"`
}

func (BringForward) Name() string         { return "BringForward" }
func (BringForward) check(*domain.Faults) {}

func (c BringForward) decide(s *State, _ Parties) ([]domain.Event, error) {
	if c.Part.Part != s.brought+1 {
		return nil, ErrSamePeriod.With("%s has part %d of %d", s.period, s.brought, s.parts)
	}
	return []domain.Event{c.Part}, nil
}

// BroughtForward gives the events that open the fresh stream of a closed one: a pure function of the closed stream,
// so that whoever finds the fresh stream empty or half brought forward after a crash writes the same.
func BroughtForward(closed *State, stream string) []BalanceBroughtForward {
	parts := closed.kept(closed.carried.KeepSince).split()
	events := make([]BalanceBroughtForward, len(parts))
	for i, part := range parts {
		events[i] = BalanceBroughtForward{closed.carried.CarryOn, stream, closed.carriedInto, i + 1, len(parts), part}
	}
	return events
}

// kept is what goes along: what is open, and what moved since a day.
func (s *State) kept(since domain.Date) Records {
	return s.records(func(last domain.Date, live bool) bool { return live || !last.Before(since) })
}
