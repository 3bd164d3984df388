package projections

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// ErrUnknownCase refuses a question about a case on which nothing was ever recorded.
var ErrUnknownCase = &domain.Error{
	Code: domain.NotFound, Rule: "views.unknown_case",
	Text: "no dunning was ever recorded about such an account",
}

// PromiseState says how the promise stands that was made last.
type PromiseState string

const (
	PromiseOpen  PromiseState = "OPEN"
	PromiseEnded PromiseState = "ENDED" // with the case, before anybody found what came of it; else as dunning.PromiseOutcome
)

// CaseRow is how one case stands: what was done about one debtor in one currency.
type CaseRow struct {
	dunning.Key
	Name       string
	Version    eventstore.Version // of the case's stream
	Generation int                // how often dunning began afresh
	Begun      bool               // the generation is not closed
	Open       bool               // there is something to close: see dunning.State
	Level      int                // sent last in this generation; 0: none
	LevelID    dunning.LevelID
	LastSentOn domain.Date // over all generations
	Reminders  int         // sent, over all generations
	Pending    dunning.ReminderID

	HoldKind                     dunning.HoldKind // of the hold that stands on the day: one in dispute first, then the one placed first
	HoldReason                   string
	HoldFrom, HoldUntil          domain.Date
	Promise                      dunning.PromiseID // the one that was made last
	PromiseState                 PromiseState
	PromiseAmount                domain.Money
	PromiseMadeOn, PromiseDay    domain.Date
	PromisePayBy                 domain.Date    // until when money for it is waited for
	PromisesKept, PromisesBroken int            // broken: in whole or in part
	Plan                         dunning.PlanID // that runs
	PlanAmount                   domain.Money
	PlanAgreedOn, PlanEndsOn     domain.Date
	PlanInstalments, PlanMissed  int
	PlanEffectiveOn              domain.Date // from when all of it is due
	Returned                     bool        // to the creditor
	HandedTo                     dunning.HandOverTo
	Taker                        string
	Collector                    string
	LastContactOn                domain.Date
	LastContactBy                dunning.ContactBy
	LastContactOutcome           dunning.ContactOutcome
	ClosedOn                     domain.Date // of the generation before; of this one when it is not begun
	ClosedFor                    dunning.CloseReason
}

// CaseQuery asks how one case stood.
type CaseQuery struct {
	dunning.Key
	AsOf    domain.Date
	KnownAt KnownAt
}

// CaseReport is the answer.
type CaseReport struct {
	AsOf    domain.Date
	KnownAt eventstore.Position
	CaseRow
}

// Case tells how a case stood as known at q.KnownAt, with the hold that stands on q.AsOf and the last contact up to it;
// what else was done counts as soon as it is known. O(log n), or O(events of the case) for what was known earlier.
// Refuses views.unknown_case, and what Aging refuses of a moment.
func (v *Views) Case(ctx context.Context, q CaseQuery) (CaseReport, error) {
	at, err := v.moment(ctx, q.AsOf, q.KnownAt)
	if err != nil {
		return CaseReport{}, err
	}
	report := CaseReport{AsOf: q.AsOf, KnownAt: eventstore.Position(at.position)}
	var file *caseFile
	err = v.look(ctx, func(r *reader) error {
		if at, err = r.newest(at, q.KnownAt); err != nil {
			return err
		}
		if report.Name, err = r.name(q.Seller, q.Customer, at.position); err == nil {
			file, err = r.caseFile(q.Key)
		}
		return err
	})
	if err == nil && file != nil && file.position > at.position {
		file, err = v.caseFileAt(ctx, q.Key, at)
	}
	if err == nil && file == nil {
		err = ErrUnknownCase.With("%s", q.Stream())
	}
	if err != nil {
		return CaseReport{}, err
	}
	file.name = report.Name
	report.KnownAt, report.CaseRow = eventstore.Position(at.position), file.row(at)
	return report, nil
}

// CasesQuery asks how cases stood; what is given must be true.
type CasesQuery struct {
	Seller    domain.SellerID
	Customer  domain.CustomerID
	Collector string
	Open      bool // only those that are not closed
	AsOf      domain.Date
	KnownAt   KnownAt
}

// EachCase yields the seller's cases as Case tells them, by customer and currency, and returns the position that they
// show. While yield runs nothing in the tables is held. An error of yield ends it and is returned. Flat memory.
// Refuses views.unknown_seller, and what Aging refuses of a moment.
func (v *Views) EachCase(ctx context.Context, q CasesQuery, yield func(CaseRow) error) (eventstore.Position, error) {
	at, err := v.moment(ctx, q.AsOf, q.KnownAt)
	if err != nil {
		return 0, err
	}
	wanted := func(row CaseRow) error {
		if row.Version == 0 || q.Collector != "" && row.Collector != q.Collector || q.Open && !row.Open {
			return nil
		}
		return yield(row)
	}
	err = eachPage(max(1, v.pageRows/20), wanted, func(after *CaseRow, most int) ([]CaseRow, error) {
		return v.casePage(ctx, q, at, after, most)
	})
	return eventstore.Position(at.position), err
}

// casePage reads the next cases; one that was not known yet has version 0.
func (v *Views) casePage(ctx context.Context, q CasesQuery, at moment, after *CaseRow, most int) (page []CaseRow, err error) {
	if _, err := v.Wait(ctx, eventstore.Position(at.position)); err != nil { // the file may have been made anew
		return nil, err
	}
	var files []*caseFile
	err = v.look(ctx, func(r *reader) error {
		if err := r.knows(q.Seller, q.Customer, at.position); err != nil {
			return err
		}
		keys, err := r.caseKeys(q, after, most)
		for _, key := range keys {
			file, err := r.caseFile(key)
			if err != nil {
				return err
			}
			if file.name, err = r.name(key.Seller, key.Customer, at.position); err != nil {
				return err
			}
			files = append(files, file)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if file.position > at.position {
			then, err := v.caseFileAt(ctx, file.key, at)
			if err != nil {
				return nil, err
			}
			if then == nil {
				then = &caseFile{key: file.key}
			}
			then.name, file = file.name, then
		}
		page = append(page, file.row(at))
	}
	return page, nil
}

func (r *reader) caseKeys(q CasesQuery, after *CaseRow, most int) (keys []dunning.Key, err error) {
	query, args := "SELECT customer, currency FROM dunning_cases WHERE seller = ?", []Value{Str(q.Seller)}
	if q.Customer != "" {
		query, args = query+" AND customer = ?", append(args, Str(q.Customer))
	}
	if after != nil {
		query, args = query+" AND (customer, currency) > (?, ?)", append(args, Str(after.Customer), Str(after.Currency))
	}
	err = r.each(query+" ORDER BY customer, currency LIMIT ?", append(args, Int(most)), func(c *cursor) error {
		keys = append(keys, dunning.Key{Seller: q.Seller, Customer: domain.CustomerID(c.text(0)), Currency: domain.Currency(c.text(1))})
		return nil
	})
	return keys, err
}
