package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
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
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
)

// folded is one aggregate while it is replayed.
type folded interface {
	audit(stream string, e domain.Event) error // why it can't stand next
	apply(domain.Event)
	check() error // its invariants
}

type aggregate[C, S any] struct {
	domain.Decider[C, S]
	state      S
	invariants func(S) error
}

func (a *aggregate[C, S]) audit(stream string, e domain.Event) error {
	return a.Audit(a.state, stream, e)
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
	"receipt":    begin(receipt.Decider, nil),
	"policy":     begin(dunning.PolicyDecider, nil),
	"dunning":    begin(dunning.Decider, nil),
	"dunningrun": begin(dunning.RunDecider, nil),
	"access":     begin(access.Decider, nil),
}

// partMax is about how many events there are in a part of the streams that is replayed at a time: their aggregates stand
// in memory together.
const partMax = 1_000_000

// part says which part of so many a stream belongs to. All that a seller has of one customer stands together.
func part(stream string, parts int) int {
	if parts == 1 {
		return 0
	}
	_, whose, _ := strings.Cut(stream, "-")
	if seller := strings.IndexByte(whose, '.') + 1; seller > 0 {
		if customer := strings.IndexByte(whose[seller:], '.'); customer >= 0 {
			whose = whose[:seller+customer]
		}
	}
	return int(maphash.String(partSeed, whose) % uint64(parts))
}

var partSeed = maphash.MakeSeed()

// decode reads the fact of an event, for those who replay it.
func (v *verification) decode(l *merkle.Leaf) {
	if len(l.Metadata) > 0 && (l.Metadata[0] != '{' || !json.Valid(l.Metadata)) {
		l.Bad = domain.ErrSchema.With("its metadata are no JSON object")
		return
	}
	l.Event, l.Bad = v.Codec.Decode(l.Recorded)
}

// replays are aggregates on their way through the log.
type replays struct {
	*verification
	streams map[string]*replayed
	entries int64
}

func (v *verification) replays() *replays {
	return &replays{verification: v, streams: make(map[string]*replayed)}
}

// replayed is one stream as far as it has been read.
type replayed struct {
	version eventstore.Version
	marks   []mark
	state   folded // nil once it can't be folded on
	*carried
}

// mark is what is remembered of an event to find that it, or its command, came twice.
type mark struct {
	id      uuid.UUID
	command [2]uint64 // hashes of the command's id; none where the event names no command
	at      eventstore.Position
	version eventstore.Version
}

// event takes the next event of the log.
func (p *replays) event(l merkle.Leaf) {
	s := p.streams[l.Stream]
	if s == nil {
		s = p.begin(l.Recorded)
		p.streams[l.Stream] = s
	}
	if s.version++; l.Version != s.version {
		s.state, s.version = nil, l.Version // what follows would be folded onto something else
	}
	s.marks = append(s.marks, mark{l.ID, commandOf(l.Recorded), l.Position, l.Version})
	if l.Bad != nil {
		p.find(l.Recorded, Unreadable, "%v", l.Bad)
		s.state = nil
		return
	}
	switch e := l.Event.(type) {
	case account.Event:
		p.balance(l.Recorded, func() (journal.Entry, bool) { return journal.Of(e) })
	case receipt.Event:
		p.balance(l.Recorded, func() (journal.Entry, bool) { return journal.OfReceipt(e) })
	}
	p.fold(s, l)
}

func (p *replays) begin(r eventstore.Recorded) *replayed {
	category, _, _ := strings.Cut(r.Stream, "-")
	begins := aggregates[category]
	if begins == nil {
		p.find(r, Invariant, "no aggregate has streams of this name")
		return &replayed{}
	}
	return &replayed{state: begins()}
}

// fold asks whether an event may stand where it does, and folds it. What belongs elsewhere is left out; what contradicts
// the books is folded all the same, as the ledger itself does. It never lets a fact that does not fit end the audit.
func (p *replays) fold(s *replayed, l merkle.Leaf) {
	found := false
	defer func() {
		if r := recover(); r != nil {
			if s.state = nil; !found {
				p.find(l.Recorded, Contradiction, "%s does not fit what the stream holds before it: %v", l.Kind, r)
			}
		}
	}()
	if s.state == nil {
		return
	}
	if err := s.state.audit(l.Stream, l.Event); err != nil {
		found = true
		if errors.Is(err, domain.ErrMisplaced) {
			p.find(l.Recorded, Misplaced, "%s: %s", l.Kind, told(err))
			return
		}
		p.find(l.Recorded, Contradiction, "%s: %s", l.Kind, told(err))
	}
	p.link(s, l)
	s.state.apply(l.Event)
}

// told is what was found, by the rule that refuses such a thing unless that only says that something was found.
func told(err error) string {
	var e *domain.Error
	switch {
	case !errors.As(err, &e):
		return err.Error()
	case e.Is(domain.ErrMisplaced), e.Is(domain.ErrContradiction):
		return e.Detail
	}
	plain := *e
	plain.Field = "" // of a command that there is none of
	return plain.Error()
}

// end checks what the events came to, on all cores.
func (p *replays) end() {
	names := make(chan string)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for name := range names {
				p.close(name, p.streams[name])
			}
		})
	}
	for _, name := range slices.Sorted(maps.Keys(p.streams)) {
		names <- name
	}
	close(names)
	wg.Wait()
	p.Streams += len(p.streams)
	p.Entries += p.entries
}

// close checks one aggregate.
func (p *replays) close(name string, s *replayed) {
	p.repeats(name, s.marks)
	if s.state == nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			p.add(Finding{Rule: Invariant, Stream: name, Version: s.version, Text: fmt.Sprintf("its invariants can't be checked: %v", r)})
		}
	}()
	if err := s.state.check(); err != nil {
		p.add(Finding{Rule: Invariant, Stream: name, Version: s.version, Text: err.Error()})
	}
}

// balance adds up an event's journal entry, in its currency.
func (p *replays) balance(r eventstore.Recorded, post func() (journal.Entry, bool)) {
	defer func() {
		if why := recover(); why != nil {
			p.find(r, Unbalanced, "%s can't be posted: %v", r.Kind, why)
		}
	}()
	entry, ok := post()
	if !ok {
		return
	}
	p.entries++
	sums := make(map[domain.Currency]int64, 1)
	for _, line := range entry.Lines {
		minor := line.Amount.Minor()
		if minor <= 0 {
			p.find(r, Unbalanced, "%s has a line of %s on %s", r.Kind, line.Amount, line.Title)
		}
		if line.Side == journal.Credit {
			minor = -minor
		}
		sums[line.Amount.Currency()] += minor
	}
	for currency, minor := range sums {
		if minor != 0 {
			p.find(r, Unbalanced, "%s: debits exceed credits by %s", r.Kind, domain.NewMoney(minor, currency))
		}
	}
}
