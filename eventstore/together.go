package eventstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/urikake/urikake/domain"
)

// Order is a command with what comes with it.
type Order[C any] struct {
	Command C
	Envelope
}

// Failed says which of several commands was refused, or why it could not be done. None of them was.
type Failed struct {
	Index int // from 0
	Err   error
}

func (f *Failed) Error() string { return fmt.Sprintf("command %d of the group: %v", f.Index+1, f.Err) }
func (f *Failed) Unwrap() error { return f.Err }

// TogetherBytesMax bounds what several commands write in one append, in bytes as EventMax counts them.
const TogetherBytesMax = 8 << 20

var (
	ErrGroupTooLarge = &domain.Error{
		Code: domain.Invalid, Rule: "command.group_too_large",
		Text: "the commands would write more than 8 MiB together; send them in smaller groups",
	}
	errStreams = &domain.Error{Code: domain.Internal, Rule: "command.several_streams", Text: "commands done together are on one stream"}
)

// RunTogether gives several commands on one stream to their aggregate, all or none: each is decided on what those before
// it have stated, and their events are written by one append, each as if its command had come alone. Commands that were
// done before get their first answers, also within the group, and only the others are decided. Envelope.Expected counts
// what those before it write. Refuses, as Failed, what Run refuses, and command.group_too_large.
func RunTogether[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], orders []Order[C]) ([]Receipt, error) {
	return runAll(ctx, h, a, orders, true)
}

// TryTogether is RunTogether without the append. Of more than one command the aggregate is loaded anew afterwards.
func TryTogether[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], orders []Order[C]) ([]Receipt, error) {
	return runAll(ctx, h, a, orders, false)
}

func runAll[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], orders []Order[C], write bool) ([]Receipt, error) {
	if len(orders) == 0 {
		return nil, nil
	}
	stream := a.Stream(orders[0].Command)
	for i := range orders {
		if err := checkCommandID(orders[i].CommandID); err != nil && !orders[i].Internal {
			return nil, &Failed{i, err}
		}
		if other := a.Stream(orders[i].Command); other != stream {
			return nil, &Failed{i, errStreams.With("%s, and %s", stream, other)}
		}
	}
	e, err := h.cache.take(ctx, stream)
	if err != nil {
		return nil, err
	}
	defer h.cache.give(e)
	for range AttemptsMax {
		if err := load(ctx, h, a, e); err != nil {
			return nil, err
		}
		g := group[C, S]{h: h, a: a, e: e, orders: orders, state: e.state.(S)}
		err := g.decide(ctx)
		if err != nil || !write || g.facts == 0 {
			g.drop()
			return g.receipts, err
		}
		if err = g.write(ctx); !errors.Is(err, ErrWrongVersion) {
			return g.receipts, err
		}
	}
	return nil, ErrBusy.With("%d times on %s", AttemptsMax, stream)
}

// group is some commands on one stream on their way through one attempt.
type group[C, S any] struct {
	h      *Handler
	a      *Aggregate[C, S]
	e      *entry
	orders []Order[C]

	state    S              // of the entry, and by what the group has stated but for pending
	pending  []domain.Event // evolved only when somebody looks: what is refused first, or comes alone, leaves the state as it was
	facts    int            // stated so far
	receipts []Receipt      // of those that were decided: at the version before, without position
	seen     map[string]int // by command id, where in the group it is decided; nil for one alone
	twins    map[int]int    // repeats within the group: where the first is
}

func (g *group[C, S]) decide(ctx context.Context) error {
	g.receipts = make([]Receipt, 0, len(g.orders))
	if len(g.orders) > 1 {
		g.seen, g.twins = make(map[string]int, len(g.orders)), make(map[int]int)
	}
	for i := range g.orders {
		receipt, err := g.next(ctx, i)
		if err != nil {
			g.receipts = nil
			return &Failed{i, err}
		}
		g.receipts = append(g.receipts, receipt)
	}
	return nil
}

// next answers one command from the log, or decides it.
func (g *group[C, S]) next(ctx context.Context, i int) (Receipt, error) {
	o := &g.orders[i]
	if !o.Internal {
		if receipt, found, err := g.h.repeated(ctx, g.e, o.Envelope); found || err != nil {
			return receipt, err
		}
		if first, twin := g.seen[o.CommandID]; twin {
			g.twins[i] = first
			receipt := g.receipts[first]
			receipt.Repeated = true
			return receipt, o.sameAs(g.orders[first].Envelope)
		}
	}
	at := g.e.version + Version(g.facts)
	if err := g.admit(ctx, o.Envelope, at); err != nil {
		return Receipt{}, err
	}
	g.evolve()
	events, err := g.a.Decide(g.state, o.Command)
	if err != nil {
		return Receipt{}, err
	}
	if g.seen != nil && !o.Internal {
		g.seen[o.CommandID] = i
	}
	g.pending = events
	g.facts += len(events)
	return Receipt{Stream: g.e.stream, Version: at, Events: events}, nil
}

// admit asks what the envelope makes a condition.
func (g *group[C, S]) admit(ctx context.Context, env Envelope, version Version) error {
	if at := (Expectation{g.a.period(g.e.stream), version}); env.Expected != nil && *env.Expected != at {
		return ErrWrongVersion.With("%s stands at %s, you expect %s", g.e.stream, at, *env.Expected)
	}
	if env.Unless == "" {
		return nil
	}
	seen, _, err := g.h.find(ctx, g.e, env.Unless)
	if err == nil && len(seen.Events) == 0 {
		return nil
	}
	return cmp.Or(err, error(ErrSeen.With("%s", env.Unless)))
}

// evolve brings the state up to what the group has stated. The entry has no state from then on until all is written.
func (g *group[C, S]) evolve() {
	for _, event := range g.pending {
		g.e.state = nil
		g.state = g.a.Evolve(g.state, event)
	}
	g.pending = nil
}

// drop forgets an entry whose state tells what was not written.
func (g *group[C, S]) drop() {
	if g.e.state == nil {
		g.e.reset(nil)
		g.e.size = 0
	}
}

// write appends what the group states and, once it is durable, makes the receipts whole.
func (g *group[C, S]) write(ctx context.Context) error {
	proposed, err := g.propose()
	var position Position
	if err == nil {
		position, err = g.h.store.Append(ctx, g.e.stream, g.e.version, proposed...)
	}
	if err != nil { // the next load tells whether it was written after all
		g.drop()
		g.receipts = nil
		return err
	}
	before := g.e.version
	g.evolve()
	g.e.state, g.e.size = g.state, g.a.size(g.state)
	g.e.version += Version(len(proposed))
	for i := range g.receipts {
		if r := &g.receipts[i]; r.wrote() {
			g.e.commands.note(g.id(i), r.Version+1)
			r.Version += Version(len(r.Events))
			r.Position = position
		}
	}
	keep(g.h, g.a, g.e, position, proposed[len(proposed)-1])
	if len(g.orders) > 1 {
		err = g.place(ctx, before)
	}
	return err
}

func (r *Receipt) wrote() bool { return !r.Repeated && len(r.Events) > 0 }

// place reads where in the log each command's last event came to stand, since the append tells it only of the last.
func (g *group[C, S]) place(ctx context.Context, before Version) error {
	positions := make(map[Version]Position, g.facts)
	for r, err := range g.h.store.Read(ctx, g.e.stream, before) {
		if err != nil {
			g.receipts = nil
			return err
		}
		if positions[r.Version] = r.Position; len(positions) == g.facts {
			break
		}
	}
	for i := range g.receipts {
		if r := &g.receipts[i]; r.wrote() {
			r.Position = positions[r.Version]
		}
	}
	for i, first := range g.twins {
		g.receipts[i] = g.receipts[first]
		g.receipts[i].Repeated = true
	}
	return nil
}

// propose gives the events as the log takes them.
func (g *group[C, S]) propose() ([]Proposed, error) {
	proposed := make([]Proposed, 0, g.facts)
	size := 0
	for i, r := range g.receipts {
		if r.Repeated {
			continue
		}
		env := g.orders[i].Envelope
		env.CommandID = g.id(i)
		for n, event := range r.Events {
			p, err := g.h.codec.Encode(event)
			if err == nil {
				p.Data, err = g.h.codec.Seal(g.e.stream, env.CommandID, n, p)
			}
			if err == nil {
				p.Metadata, err = env.metadata(p.Schema)
			}
			if size += p.Size(); err == nil && size > TogetherBytesMax && len(g.orders) > 1 {
				err = ErrGroupTooLarge.With("%d of %d commands write %d bytes", i+1, len(g.orders), size)
			}
			if err != nil {
				return nil, &Failed{i, err}
			}
			p.ID = EventID(g.e.stream, env.CommandID, n, p.Data)
			proposed = append(proposed, p)
		}
	}
	return proposed, nil
}

// id is a command's id. The ledger's own steps are named by the version at which they were decided, as long as that
// stands in their receipt, so the same log gives the same ids.
func (g *group[C, S]) id(i int) string {
	if g.orders[i].Internal {
		return internalPrefix + strconv.FormatUint(uint64(g.receipts[i].Version), 10)
	}
	return g.orders[i].CommandID
}

func (env Envelope) metadata(schema int) ([]byte, error) {
	return json.Marshal(Metadata{
		CommandID: env.CommandID, CommandName: env.Name, CommandHash: env.Hash, Actor: env.Actor,
		Correlation: env.Correlation, Causation: env.Causation, Schema: schema,
	})
}

// sameAs refuses another command under the id of the first.
func (env Envelope) sameAs(first Envelope) error {
	if first.Hash != env.Hash {
		return reused(env.CommandID, first.Name)
	}
	return nil
}

func reused(id, first string) error {
	return ErrKeyReused.With("%s was a %s", id, first).At("/command_id")
}
