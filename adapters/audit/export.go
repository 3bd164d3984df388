package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
)

// An export is a whole log as NDJSON: a line for each event, then a trailer, which says how many there were and what
// they hash to. Whoever reads it knows whether he has all of it, and with a public key whether it is the ledger's.

// Trailer is the last line of an export.
type Trailer struct {
	Count      int64               `json:"count"`
	Position   eventstore.Position `json:"position"`             // of the last event
	Root       tlog.Hash           `json:"root"`                 // of the tree over all
	Checkpoint string              `json:"checkpoint,omitempty"` // a signed note of the same
}

type trailerLine struct {
	Trailer *Trailer `json:"trailer"`
}

var (
	ErrBadExport = &domain.Error{
		Code: domain.Invalid, Rule: "import.bad_file",
		Text: "this is no whole export; make it with `urikake events export`",
	}
	ErrMismatch = &domain.Error{
		Code: domain.Refused, Rule: "import.mismatch",
		Text: "the events are not those that were exported",
	}
)

// Sealer passes lines of an export on and hashes their events, for the trailer.
type Sealer struct {
	to       io.Writer
	edge     merkle.Frontier
	position eventstore.Position
	rest     []byte // of a line that is not whole yet
	hasher   *merkle.Hasher
}

// NewSealer passes lines on to w.
func NewSealer(w io.Writer) *Sealer { return &Sealer{to: w, hasher: merkle.NewHasher()} }

// Count is how many events have passed.
func (s *Sealer) Count() int64 { return s.edge.Size() }

// Write refuses lines that are no events.
func (s *Sealer) Write(b []byte) (int, error) {
	lines := append(s.rest, b...)
	for {
		end := bytes.IndexByte(lines, '\n')
		if end < 0 {
			break
		}
		if err := s.line(lines[:end]); err != nil {
			return 0, err
		}
		lines = lines[end+1:]
	}
	s.rest = append(s.rest[:0], lines...)
	return s.to.Write(b)
}

func (s *Sealer) line(b []byte) error {
	r, err := eventOf(b)
	if err != nil {
		return err
	}
	s.edge.Add(s.hasher.Leaf(s.edge.Size(), &r))
	s.position = r.Position
	return nil
}

func eventOf(b []byte) (eventstore.Recorded, error) {
	var l eventstore.Line
	if err := json.Unmarshal(b, &l); err != nil {
		return eventstore.Recorded{}, eventstore.ErrBadLine.With("%v", err)
	}
	return l.Recorded()
}

// Seal writes the trailer, with a checkpoint of the ledger's if there is one. Refuses import.mismatch for one that is
// not of these events.
func (s *Sealer) Seal(checkpoint string) error {
	t := Trailer{Count: s.edge.Size(), Position: s.position, Root: s.edge.Root(), Checkpoint: checkpoint}
	if err := t.signed(nil); err != nil {
		return err
	}
	line, err := json.Marshal(trailerLine{&t})
	if err != nil {
		return err
	}
	_, err = s.to.Write(append(line, '\n'))
	return err
}

// signed asks that the checkpoint, where there is one, says the same as the trailer.
func (t Trailer) signed(keys []note.Verifier) error {
	if t.Checkpoint == "" {
		if len(keys) > 0 {
			return merkle.ErrBadSignature.With("the export is not signed; the ledger had no key when it was made")
		}
		return nil
	}
	c, err := merkle.ParseCheckpoint(t.Checkpoint, keys)
	if err == nil && (c.Size != t.Count || c.Root != t.Root) {
		err = ErrMismatch.With("the checkpoint has %d events with root %s, the file %d with root %s", c.Size, c.Root, t.Count, t.Root)
	}
	return err
}

// lineMax bounds a line: an event's bytes as JSON and in base64 beside it.
const lineMax = 8 * eventstore.EventMax

// ReadExport gives the events of an export in their order, and compares with the trailer at the end; with keys, one of
// them must have signed it. Refuses import.bad_file, log.bad_line, import.mismatch, audit.bad_signature, and what each
// refuses; lines are named by their number.
func ReadExport(in io.Reader, keys []note.Verifier, each func(index int64, r eventstore.Recorded) error) (t Trailer, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<20), lineMax)
	var edge merkle.Frontier
	var last eventstore.Position
	hasher := merkle.NewHasher()
	number := 0
	for lines.Scan() {
		number++
		if bytes.HasPrefix(lines.Bytes(), []byte(`{"trailer":`)) {
			if t, err = readTrailer(lines.Bytes()); err == nil && lines.Scan() {
				err = ErrBadExport.With("line %d comes after the trailer", number+1)
			}
			if err = errors.Join(err, lines.Err()); err != nil {
				return t, err
			}
			if root := edge.Root(); t.Root != root || t.Count != edge.Size() || t.Position != last {
				return t, ErrMismatch.With("the trailer says %d events up to position %d with root %s; there are %d up to position %d with root %s",
					t.Count, t.Position, t.Root, edge.Size(), last, root)
			}
			return t, t.signed(keys)
		}
		r, err := eventOf(lines.Bytes())
		if err != nil {
			return t, atLine(err, number)
		}
		if err := each(edge.Size(), r); err != nil {
			return t, atLine(err, number)
		}
		edge.Add(hasher.Leaf(edge.Size(), &r))
		last = r.Position
	}
	if err := lines.Err(); err != nil {
		return t, ErrBadExport.With("line %d: %v", number+1, err)
	}
	return t, ErrBadExport.With("it ends after line %d without a trailer: it was cut off, or is a part of a log", number)
}

func readTrailer(b []byte) (Trailer, error) {
	var line trailerLine
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&line); err != nil || line.Trailer == nil {
		return Trailer{}, ErrBadExport.With("its trailer can't be read: %v", err)
	}
	return *line.Trailer, nil
}

// atLine says in which line a refusal arose.
func atLine(err error, number int) error {
	var refusal *domain.Error
	if !errors.As(err, &refusal) {
		return err
	}
	if refusal.Detail == "" {
		return refusal.With("line %d", number)
	}
	return refusal.With("line %d: %s", number, refusal.Detail)
}
