package audit

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/journal"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// folded is one aggregate while it is replayed.
type folded interface {
	apply(domain.Event)
	check() error // its invariants
}

type aggregate[C, S any] struct {
	domain.Decider[C, S]
	state      S
	invariants func(S) error
}

func (a *aggregate[C, S]) apply(e domain.Event) { a.state = a.Evolve(a.state, e) }

func (a *aggregate[C, S]) check() error {
	if a.invariants == nil {
		return nil
	}
	return a.invariants(a.state)
}

func begin[C, S any](d domain.Decider[C, S], invariants func(S) error) func() folded {
	return func() folded { return &aggregate[C, S]{d, d.New(), invariants} }
}

// aggregates begin each kind of aggregate, by what its streams' names begin with.
var aggregates = map[string]func() folded{
	"account":    begin(account.Decider, (*account.State).CheckInvariants),
	"customer":   begin(customer.Decider, nil),
	"seller":     begin(seller.Decider, nil),
	"numbering":  begin(numbering.Decider, nil),
	"document":   begin(numbering.TextDecider, nil),
	"policy":     begin(dunning.PolicyDecider, nil),
	"dunning":    begin(dunning.Decider, nil),
	"dunningrun": begin(dunning.RunDecider, nil),
	"access":     begin(access.Decider, nil),
}

// streams replays every stream as commands read it, on all cores.
func (v *verification) streams(ctx context.Context, versions map[string]eventstore.Version) error {
	names := make([]string, 0, len(versions))
	for name := range versions {
		names = append(names, name)
	}
	slices.Sort(names) // neighbours lie close to each other
	v.Streams = len(names)
	next := make(chan string)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for name := range next {
				v.stream(ctx, name, versions[name])
			}
		})
	}
	for _, name := range names {
		if ctx.Err() != nil {
			break
		}
		next <- name
	}
	close(next)
	wg.Wait()
	return ctx.Err()
}

// stream replays one stream, which has so many events in the log.
func (v *verification) stream(ctx context.Context, name string, versions eventstore.Version) {
	s := &replayed{verification: v, name: name, ids: make(map[uuid.UUID]eventstore.Version)}
	category, _, _ := strings.Cut(name, "-")
	if begins := aggregates[category]; begins != nil {
		s.state = begins()
	} else {
		v.add(Finding{Rule: Invariant, Stream: name, Text: "no aggregate has streams of this name"})
	}
	for r, err := range v.Store.Read(ctx, name, 0) {
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			v.add(Finding{Rule: StreamDiffers, Stream: name, Version: s.version + 1, Text: fmt.Sprintf("reading the stream fails: %v", err)})
			break
		}
		s.event(r)
	}
	v.step(int64(s.version))
	if s.version != versions && v.found(LogLost, LogOrder) == 0 {
		v.add(Finding{Rule: StreamDiffers, Stream: name, Version: s.version, Text: fmt.Sprintf("the stream reads up to version %d; the log has %d events of it", s.version, versions)})
	}
	s.end()
}

type replayed struct {
	*verification
	name    string
	version eventstore.Version
	ids     map[uuid.UUID]eventstore.Version
	state   folded // nil once it can't be folded on
	entries int64
}

func (s *replayed) find(r eventstore.Recorded, rule, format string, args ...any) {
	s.add(Finding{Rule: rule, Position: r.Position, Stream: r.Stream, Version: r.Version, Text: fmt.Sprintf(format, args...)})
}

func (s *replayed) event(r eventstore.Recorded) {
	s.version = r.Version
	if earlier, twice := s.ids[r.ID]; twice {
		s.find(r, RepeatedID, "its id %s is that of version %d, too", r.ID, earlier)
	}
	s.ids[r.ID] = r.Version
	if _, err := eventstore.ReadMetadata(r); err != nil {
		s.find(r, Unreadable, "%v", err)
	}
	e, err := s.Codec.Decode(r)
	if err != nil {
		s.find(r, Unreadable, "%v", err)
		s.state = nil // what follows would be folded onto something else
		return
	}
	if e, ok := e.(account.Event); ok {
		s.balance(r, e)
	}
	s.fold(r, e)
}

// fold never lets a fact that does not fit end the audit.
func (s *replayed) fold(r eventstore.Recorded, e domain.Event) {
	defer func() {
		if p := recover(); p != nil {
			s.find(r, Invariant, "%s does not fit what the stream holds before it: %v", r.Kind, p)
			s.state = nil
		}
	}()
	if s.state != nil {
		s.state.apply(e)
	}
}

func (s *replayed) end() {
	s.mu.Lock()
	s.Entries += s.entries
	s.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			s.add(Finding{Rule: Invariant, Stream: s.name, Version: s.version, Text: fmt.Sprintf("its invariants can't be checked: %v", p)})
		}
	}()
	if s.state == nil {
		return
	}
	if err := s.state.check(); err != nil {
		s.add(Finding{Rule: Invariant, Stream: s.name, Version: s.version, Text: err.Error()})
	}
}

// balance adds up an event's journal entry, in its currency.
func (s *replayed) balance(r eventstore.Recorded, e account.Event) {
	defer func() {
		if p := recover(); p != nil {
			s.find(r, Unbalanced, "%s can't be posted: %v", r.Kind, p)
		}
	}()
	entry, ok := journal.Of(e)
	if !ok {
		return
	}
	s.entries++
	sums := make(map[domain.Currency]int64, 1)
	for _, line := range entry.Lines {
		minor := line.Amount.Minor()
		if minor <= 0 {
			s.find(r, Unbalanced, "%s has a line of %s on %s", r.Kind, line.Amount, line.Title)
		}
		if line.Side == journal.Credit {
			minor = -minor
		}
		sums[line.Amount.Currency()] += minor
	}
	for currency, minor := range sums {
		if minor != 0 {
			s.find(r, Unbalanced, "%s: debits exceed credits by %s", r.Kind, domain.NewMoney(minor, currency))
		}
	}
}
