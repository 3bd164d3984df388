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

// Payee is the account that letters name for what is owed to a seller in a currency; ok is false where there is none.
func (l *Ledger) Payee(ctx context.Context, id domain.SellerID, c domain.Currency) (payee seller.Payee, ok bool, err error) {
	err = eventstore.View(ctx, l.handler, sellers, seller.Stream(id), func(s *seller.State, _ eventstore.Version) error {
		payee, ok = s.Payee(c)
		return nil
	})
	return payee, ok, err
}

// Dunning lets look at a seller's policies, with the assignments and the day of the bank data. look must not keep or
// change them.
func (l *Ledger) Dunning(ctx context.Context, id domain.SellerID, look func(*dunning.Policies) error) error {
	return eventstore.View(ctx, l.handler, policies, dunning.PolicyStream(id), func(s *dunning.Policies, _ eventstore.Version) error {
		return look(s)
	})
}

// PolicyVersion is a policy as some version of it was set; ok is false where there is no such version.
// O(1) for the newest, else O(the seller's policy events).
func (l *Ledger) PolicyVersion(ctx context.Context, id domain.SellerID, policy dunning.PolicyID, version int) (p dunning.Versioned, ok bool, err error) {
	err = l.Dunning(ctx, id, func(s *dunning.Policies) error {
		p, ok = s.Get(policy)
		return nil
	})
	if err != nil || ok && p.Version == version {
		return p, ok, err
	}
	for r, err := range l.store.Read(ctx, dunning.PolicyStream(id), 0) {
		if err != nil {
			return p, false, err
		}
		e, err := l.codec.Decode(r)
		if err != nil {
			return p, false, err
		}
		if set, is := e.(dunning.PolicySet); is && set.ID == policy && set.Version == version {
			return dunning.Versioned{ID: set.ID, Version: set.Version, Policy: set.Policy}, true, nil
		}
	}
	return p, false, nil
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
