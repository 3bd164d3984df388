package ledger

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// Settings are a seller's as they stand. Refuses dunning.unknown_seller.
func (l *Ledger) Settings(ctx context.Context, id domain.SellerID) (settings seller.Settings, err error) {
	known := false
	err = eventstore.View(ctx, l.handler, sellers, seller.Stream(id), func(s *seller.State, _ eventstore.Version) error {
		known, settings = s.Registered, s.Settings
		return nil
	})
	if err == nil && !known {
		err = dunning.ErrUnknownSeller.With("%s", id).At("/seller")
	}
	return settings, err
}

// Dunning lets look at a seller's policies, with the assignments and the day of the bank data. look must not keep or
// change them.
func (l *Ledger) Dunning(ctx context.Context, id domain.SellerID, look func(*dunning.Policies) error) error {
	return eventstore.View(ctx, l.handler, policies, dunning.PolicyStream(id), func(s *dunning.Policies, _ eventstore.Version) error {
		return look(s)
	})
}

// EachRunPart gives the parts of a run from that number on, in order. O(the run's events).
func (l *Ledger) EachRunPart(ctx context.Context, key dunning.RunKey, from int, yield func(dunning.RunDecided) error) error {
	for r, err := range l.store.Read(ctx, key.Stream(), eventstore.Version(from)) { // the first event is the beginning, then each is a part
		if err != nil {
			return err
		}
		e, err := l.codec.Decode(r)
		if err != nil {
			return err
		}
		if part, ok := e.(dunning.RunDecided); ok && part.Part >= from {
			if err := yield(part); err != nil {
				return err
			}
		}
	}
	return nil
}

// EachCaseEvent gives what was recorded about a case, oldest first. O(the case's events).
func (l *Ledger) EachCaseEvent(ctx context.Context, key dunning.Key, yield func(dunning.Event) error) error {
	for r, err := range l.store.Read(ctx, key.Stream(), 0) {
		if err != nil {
			return err
		}
		e, err := l.codec.Decode(r)
		if err != nil {
			return err
		}
		if e, ok := e.(dunning.Event); ok {
			if err := yield(e); err != nil {
				return err
			}
		}
	}
	return nil
}
