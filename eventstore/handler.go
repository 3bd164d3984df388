package eventstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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

// AttemptsMax bounds how often a command is decided anew because another writer came first. Within one process commands
// on a stream take turns, so only other processes come between: one of five that all keep at the same stream loses so
// many times in a row once in 10^10 commands.
const AttemptsMax = 100

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
// Other processes may append to the same log: whatever is decided or looked at is first brought up to the newest event
// of its stream, so the cache spares the history and never the look whether there is more. A store that is alone with
// its log answers that look from memory.
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
	return Alone(runAll(ctx, h, a, []Order[C]{{cmd, env}}, true))
}

// Try is Run without the append: the refusal that Run would give now, or, if the command was run before, its receipt.
func Try[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], cmd C, env Envelope) (Receipt, error) {
	return Alone(runAll(ctx, h, a, []Order[C]{{cmd, env}}, false))
}

// Alone is the answer to a group of one command.
func Alone(receipts []Receipt, err error) (Receipt, error) {
	if failed := (*Failed)(nil); errors.As(err, &failed) {
		err = failed.Err
	}
	if err != nil || len(receipts) != 1 {
		return Receipt{}, err
	}
	return receipts[0], nil
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

// repeated finds a command that the stream has seen, and refuses another one by the same id.
func (h *Handler) repeated(ctx context.Context, e *entry, env Envelope) (Receipt, bool, error) {
	receipt, first, err := h.find(ctx, e, env.CommandID)
	if err != nil || len(receipt.Events) == 0 {
		return Receipt{}, false, err
	}
	if first.CommandHash != env.Hash {
		return Receipt{}, false, reused(env.CommandID, first.CommandName)
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
