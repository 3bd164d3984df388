package eventstore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/urikake/urikake/domain"
)

// Aggregate is a decider as the handler runs it. Snapshot and Restore may be nil: it is then always folded from its
// first event.
type Aggregate[C, S any] struct {
	domain.Decider[C, S]
	SnapshotVersion int // raised whenever S means something else
	Snapshot        func(S) ([]byte, error)
	Restore         func([]byte) (S, error)
	Size            func(S) int                // about how many bytes S takes, in O(1); nil: stateBytes
	Period          func(stream string) string // the period of one of its streams; nil: it has one stream only
}

// stateBytes is what a state takes that tells no size.
const stateBytes = 500

func (a *Aggregate[C, S]) size(state S) int {
	if a.Size == nil {
		return stateBytes
	}
	return a.Size(state)
}

func (a *Aggregate[C, S]) period(stream string) string {
	if a.Period == nil {
		return ""
	}
	return a.Period(stream)
}

// Expectation is what a client has seen of an aggregate: the stream on which it stood, and that stream's version. After
// a carry forward an account goes on in another stream, whose versions begin anew.
type Expectation struct {
	Period  string // "" the aggregate's first stream
	Version Version
}

func (x Expectation) String() string {
	if x.Period == "" {
		return fmt.Sprintf("version %d of the first period", x.Version)
	}
	return fmt.Sprintf("version %d of period %s", x.Version, x.Period)
}

// Envelope is what comes with a command: who sends it, and its idempotency key.
type Envelope struct {
	CommandID   string       // idempotency key, 1 to CommandIDMax bytes; on one stream the same key is the same command
	Name        string       // the command's wire name
	Hash        string       // hash of what the client sent; the same key with another hash is refused
	Actor       string       // who
	Correlation string       // what larger piece of work it belongs to
	Causation   string       // the event or message that led to it
	Expected    *Expectation // where the client has seen the aggregate stand; nil if it doesn't matter
	Unless      string       // refuse if the stream has seen the command by this id
	Internal    bool         // a step of the ledger's own: no command id, since it asks the state whether it is done already
}

// Receipt is the answer to a command. A repeated command gets the first one's answer.
type Receipt struct {
	Stream   string
	Version  Version  // of the stream after the command
	Position Position // of its last event; a read model that has folded it shows the command
	Events   []domain.Event
	Repeated bool // the command was there already
}

// internalPrefix begins the ids of the ledger's own steps. Nobody looks for those, so they are not remembered.
const internalPrefix = "urikake-"

// CommandIDMax is the longest idempotency key, in bytes.
const CommandIDMax = 200

// AttemptsMax bounds how often a command is decided anew because another writer came first.
const AttemptsMax = 16

var (
	ErrCommandID = &domain.Error{
		Code: domain.Invalid, Rule: "command.id_malformed",
		Text: "a command's id (idempotency key) has 1 to 200 printable ASCII characters and does not begin with urikake-",
	}
	ErrKeyReused = &domain.Error{
		Code: domain.Invalid, Rule: "command.id_reused",
		Text: "this command id was used with other content; a new command needs a new id",
	}
	ErrBusy = &domain.Error{
		Code: domain.Conflict, Rule: "command.too_many_conflicts",
		Text: "other commands kept changing the same stream; send the command again",
	}
	ErrSeen = &domain.Error{
		Code: domain.Refused, Rule: "command.seen",
		Text: "the stream has seen the command that should not have been run",
	}
)

// Handler runs every command: load, decide, append, and again if another writer came first. It is the only write path.
type Handler struct {
	store     Store
	codec     *Codec
	snapshots Snapshots
	cache     *cache
}

// NewHandler writes to store. snapshots may be nil.
func NewHandler(store Store, codec *Codec, snapshots Snapshots) *Handler {
	return &Handler{store, codec, snapshots, newCache(CacheBytesMax)}
}

// Hash of a command as the client sent it: its name and canonical JSON.
func Hash(name string, command any) (string, error) {
	b, err := json.Marshal(command)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(name+"\x00"), b...))
	return hex.EncodeToString(sum[:16]), nil
}

// Run gives a command to its aggregate. It returns when the events are durable. Refuses what decide refuses, and
// command.id_malformed, command.id_reused, command.too_many_conflicts, log.wrong_version (Envelope.Expected),
// log.unavailable.
func Run[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], cmd C, env Envelope) (Receipt, error) {
	return run(ctx, h, a, cmd, env, true)
}

// Try is Run without the append: the refusal that Run would give now, or, if the command was run before, its receipt.
func Try[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], cmd C, env Envelope) (Receipt, error) {
	return run(ctx, h, a, cmd, env, false)
}

func run[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], cmd C, env Envelope, write bool) (Receipt, error) {
	if err := checkCommandID(env.CommandID); err != nil && !env.Internal {
		return Receipt{}, err
	}
	stream := a.Stream(cmd)
	e, err := h.cache.take(ctx, stream)
	if err != nil {
		return Receipt{}, err
	}
	defer h.cache.give(e)
	for range AttemptsMax {
		if err := load(ctx, h, a, e); err != nil {
			return Receipt{}, err
		}
		if env.Internal {
			env.CommandID = internalPrefix + strconv.FormatUint(uint64(e.version), 10) // the same log gives the same ids
		} else if receipt, found, err := h.repeated(ctx, e, env); found || err != nil {
			return receipt, err
		}
		if at := (Expectation{a.period(stream), e.version}); env.Expected != nil && *env.Expected != at {
			return Receipt{}, ErrWrongVersion.With("%s stands at %s, you expect %s", stream, at, *env.Expected)
		}
		if env.Unless != "" {
			if seen, _, err := h.find(ctx, e, env.Unless); err != nil || len(seen.Events) > 0 {
				return Receipt{}, cmp.Or(err, error(ErrSeen.With("%s", env.Unless)))
			}
		}
		events, err := a.Decide(e.state.(S), cmd)
		if err != nil || !write || len(events) == 0 {
			return Receipt{Stream: stream, Version: e.version, Events: events}, err
		}
		receipt, err := appendEvents(ctx, h, a, e, events, env)
		if !errors.Is(err, ErrWrongVersion) {
			return receipt, err
		}
	}
	return Receipt{}, ErrBusy.With("%d times on %s", AttemptsMax, stream)
}

// Lookup finds the receipt of a command that a stream has seen already.
func Lookup[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], stream string, env Envelope) (Receipt, bool, error) {
	e, err := h.cache.take(ctx, stream)
	if err != nil {
		return Receipt{}, false, err
	}
	defer h.cache.give(e)
	if err := load(ctx, h, a, e); err != nil {
		return Receipt{}, false, err
	}
	return h.repeated(ctx, e, env)
}

// View lets look at a stream's state as it stands now. look must not keep or change it.
func View[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], stream string, look func(S, Version) error) error {
	e, err := h.cache.take(ctx, stream)
	if err != nil {
		return err
	}
	defer h.cache.give(e)
	if err := load(ctx, h, a, e); err != nil {
		return err
	}
	return look(e.state.(S), e.version)
}

func checkCommandID(id string) error {
	if len(id) == 0 || len(id) > CommandIDMax || strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 ||
		strings.HasPrefix(id, internalPrefix) {
		return ErrCommandID.With("%.20q, %d bytes", id, len(id)).At("/command_id")
	}
	return nil
}

// load brings an entry up to the stream's head: from its snapshot if it is cold, then the events since. An entry whose
// load broke off has no state, since evolving may have changed it in place, and is loaded anew.
func load[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], e *entry) error {
	if e.state == nil {
		e.reset(a.New())
		if err := restore(ctx, h, a, e); err != nil {
			return err
		}
	}
	state := e.state.(S)
	e.state = nil
	for r, err := range h.store.Read(ctx, e.stream, e.version) {
		if err != nil {
			return err
		}
		event, err := h.codec.Decode(r)
		if err != nil {
			return err
		}
		state = a.Evolve(state, event)
		e.version = r.Version
		id, _ := CommandOf(r)
		e.commands.note(id, r.Version)
	}
	e.state, e.size = state, a.size(state)
	return nil
}

// appendEvents writes the events and, once they are durable, evolves the entry's state by them.
func appendEvents[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], e *entry, events []domain.Event, env Envelope) (Receipt, error) {
	proposed := make([]Proposed, len(events))
	for i, event := range events {
		p, err := h.codec.Encode(event)
		if err != nil {
			return Receipt{}, err
		}
		if p.Metadata, err = env.metadata(p.Schema); err != nil {
			return Receipt{}, err
		}
		p.ID = EventID(e.stream, env.CommandID, i, p.Data)
		proposed[i] = p
	}
	position, err := h.store.Append(ctx, e.stream, e.version, proposed...)
	if err != nil {
		return Receipt{}, err // the next load tells whether it was written after all
	}
	state := e.state.(S)
	e.state = nil
	for _, event := range events {
		state = a.Evolve(state, event)
	}
	e.state, e.size = state, a.size(state)
	e.commands.note(env.CommandID, e.version+1)
	e.version += Version(len(events))
	keep(h, a, e, position, proposed[len(events)-1])
	return Receipt{Stream: e.stream, Version: e.version, Position: position, Events: events}, nil
}

func (env Envelope) metadata(schema int) ([]byte, error) {
	return json.Marshal(Metadata{
		CommandID: env.CommandID, CommandName: env.Name, CommandHash: env.Hash, Actor: env.Actor,
		Correlation: env.Correlation, Causation: env.Causation, Schema: schema,
	})
}

// repeated finds a command that the stream has seen, and refuses another one by the same id.
func (h *Handler) repeated(ctx context.Context, e *entry, env Envelope) (Receipt, bool, error) {
	receipt, first, err := h.find(ctx, e, env.CommandID)
	if err != nil || len(receipt.Events) == 0 {
		return Receipt{}, false, err
	}
	if first.CommandHash != env.Hash {
		return Receipt{}, false, ErrKeyReused.With("%s was a %s", env.CommandID, first.CommandName).At("/command_id")
	}
	return receipt, true, nil
}

// Find gives the receipt of the command by that id, whatever its content was; found is false if the stream has not
// seen it.
func Find[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], stream, commandID string) (receipt Receipt, found bool, err error) {
	e, err := h.cache.take(ctx, stream)
	if err != nil {
		return Receipt{}, false, err
	}
	defer h.cache.give(e)
	if err := load(ctx, h, a, e); err != nil {
		return Receipt{}, false, err
	}
	receipt, _, err = h.find(ctx, e, commandID)
	return receipt, len(receipt.Events) > 0, err
}

// find reads what a command has written, nothing if it was not seen. The index holds 64-bit hashes; the log itself
// decides.
func (h *Handler) find(ctx context.Context, e *entry, commandID string) (receipt Receipt, first Metadata, err error) {
	at, ok := e.commands.find(commandID)
	if !ok {
		return Receipt{}, Metadata{}, nil
	}
	receipt = Receipt{Stream: e.stream, Repeated: true}
	for r, err := range h.store.Read(ctx, e.stream, at-1) {
		if err != nil {
			return Receipt{}, Metadata{}, err
		}
		m, err := ReadMetadata(r)
		if err != nil {
			return Receipt{}, Metadata{}, err
		}
		if m.CommandID != commandID {
			break
		}
		event, err := h.codec.Decode(r)
		if err != nil {
			return Receipt{}, Metadata{}, err
		}
		if len(receipt.Events) == 0 {
			first = m
		}
		receipt.Events = append(receipt.Events, event)
		receipt.Version, receipt.Position = r.Version, r.Position
	}
	return receipt, first, nil
}

// CommandOf tells which command wrote an event: its id, and the hash of what was sent; "" if the metadata can't be read.
// It cuts what Envelope.metadata writes; other writers' metadata is parsed whole.
func CommandOf(r Recorded) (id, hash string) {
	id, rest, ok := cutMember(r.Metadata, `{"command_id":"`)
	if ok {
		_, rest, ok = cutMember(rest, `,"command":"`)
	}
	if ok {
		hash, _, ok = cutMember(rest, `,"command_hash":"`)
	}
	if ok {
		return id, hash
	}
	m, err := ReadMetadata(r)
	if err != nil {
		return "", ""
	}
	return m.CommandID, m.CommandHash
}

// cutMember reads one text without escapes.
func cutMember(b []byte, name string) (value string, rest []byte, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte(name))
	if !ok {
		return "", nil, false
	}
	text, rest, ok := bytes.Cut(b, []byte(`"`))
	if !ok || bytes.IndexByte(text, '\\') >= 0 {
		return "", nil, false
	}
	return string(text), rest, true
}
