// Package dunning carries dunning out: the run over all debtors, the sending of what it queued, the letters, a preview
// of one, and a simulation of a policy over the past. What is decided, and why, is domain/dunning's.
package dunning

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/projections"
)

// Books are what dunning works on.
type Books struct {
	Ledger *ledger.Ledger
	Views  *projections.Views
	Clock  eventstore.Clock
	// Parallel is how many debtors' commands are in flight, ParallelMax when zero. With 1 they are written in the order of
	// the debtors, so that the same books come to the same log.
	Parallel int
}

// ParallelMax bounds how many debtors' commands are in flight; each waits for its own durable write.
const ParallelMax = 64

// free is where debtors' commands take and give back their places.
func (b Books) free() chan struct{} { return make(chan struct{}, cmp.Or(b.Parallel, ParallelMax)) }

// day is the one asked for, or today in the seller's time zone.
func (b Books) day(ctx context.Context, seller domain.SellerID, asked domain.Date) (domain.Date, error) {
	settings, err := b.Ledger.Settings(ctx, seller)
	if err != nil || !asked.IsZero() {
		return asked, err
	}
	zone, err := time.LoadLocation(settings.TimeZone)
	if err != nil {
		return domain.Date{}, err
	}
	return domain.DateOf(b.Clock().In(zone)), nil
}

// until is day for what changes the case: a day that is still to come is refused, since nobody knows who will have paid
// by then. It gives today too.
func (b Books) until(ctx context.Context, seller domain.SellerID, asked domain.Date) (on, today domain.Date, err error) {
	if today, err = b.day(ctx, seller, domain.Date{}); err != nil {
		return on, today, err
	}
	on = asked
	if on.IsZero() {
		on = today
	}
	if on.After(today) {
		return on, today, rules.ErrFutureDay.With("%s, and today is %s", on, today).At("/as_of")
	}
	return on, today, nil
}

// bankDataOn is the last day whose bank data is in a seller's books.
func (b Books) bankDataOn(ctx context.Context, seller domain.SellerID) (on domain.Date, err error) {
	err = b.Ledger.Dunning(ctx, seller, func(p *rules.Policies) error {
		on = p.BankDataOn()
		return nil
	})
	return on, err
}

// space is the UUIDv5 namespace of what is derived here.
var space = uuid.MustParse("5f1b4c1e-0a5c-5a3e-9a3d-6a0f7a1f7c55")

// derived is an id that is the same whenever it is derived from the same words.
func derived(words ...string) string {
	return uuid.NewSHA1(space, []byte(strings.Join(words, "\x00"))).String()
}

// refused is the rule by which the books refused something; ok is false where they could not be asked.
func refused(err error) (rule string, ok bool) {
	var many domain.Faults
	if errors.As(err, &many) && len(many) > 0 {
		return many[0].Rule, true
	}
	var one *domain.Error
	if errors.As(err, &one) && one.Code != domain.Unavailable && one.Code != domain.Internal && one.Code != domain.Conflict {
		return one.Rule, true
	}
	return "", false
}
