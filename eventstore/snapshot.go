package eventstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
)

// Snapshots keeps folded aggregates, so that a long stream need not be read from its first event. They are
// disposable: without them everything still works, only slower, and a snapshot that can't be read is passed over.
type Snapshots interface {
	Load(stream string) (data []byte, ok bool)
	Save(stream string, data []byte)
}

// SnapshotEvery is the least number of events between two snapshots of a stream. On long streams it grows with the
// stream, so that taking them costs the same for each event however long the stream is.
const SnapshotEvery = 500

type snapshotRecord struct {
	StateVersion int             `json:"state_version"`
	Version      Version         `json:"version"`
	Last         []byte          `json:"last"`     // seal of the event at that version
	Commands     []byte          `json:"commands"` // pairs of (hash of command id, version), 16 bytes each
	State        json.RawMessage `json:"state"`
}

// seal tells the event that a snapshot ends with from that of any other log, such as one made anew by the same
// commands: a snapshot of another log is passed over. The instant is left out, which only the log knows.
func seal(position Position, p Proposed) []byte {
	h := sha256.New()
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(position))
	for _, part := range [][]byte{at[:], p.ID[:], p.Data, p.Metadata} {
		h.Write(part)
	}
	return h.Sum(nil)
}

// keep takes a snapshot when enough events came since the last one. last is the event that the state ends with.
func keep[C, S any](h *Handler, a *Aggregate[C, S], e *entry, position Position, last Proposed) {
	if h.snapshots == nil || a.Snapshot == nil || e.version-e.snapshotAt < max(SnapshotEvery, e.snapshotAt/2) {
		return
	}
	state, err := a.Snapshot(e.state.(S))
	if err != nil {
		return
	}
	rec := snapshotRecord{StateVersion: a.SnapshotVersion, Version: e.version, Last: seal(position, last), State: state}
	for at, key := range e.commands.keys {
		rec.Commands = binary.BigEndian.AppendUint64(rec.Commands, key)
		rec.Commands = binary.BigEndian.AppendUint64(rec.Commands, uint64(e.commands.firsts[at]))
	}
	data, err := json.Marshal(rec)
	if err != nil {
		return
	}
	h.snapshots.Save(e.stream, data)
	e.snapshotAt = e.version
}

// restore puts the stream's snapshot, if there is a good one, into an entry that is empty.
func restore[C, S any](ctx context.Context, h *Handler, a *Aggregate[C, S], e *entry) error {
	if h.snapshots == nil || a.Restore == nil {
		return nil
	}
	data, ok := h.snapshots.Load(e.stream)
	if !ok {
		return nil
	}
	var rec snapshotRecord
	if json.Unmarshal(data, &rec) != nil || rec.StateVersion != a.SnapshotVersion || rec.Version == 0 || len(rec.Commands)%16 != 0 {
		return nil
	}
	ours, err := rec.endsIn(ctx, h.store, e.stream)
	if err != nil || !ours {
		return err
	}
	state, err := a.Restore(rec.State)
	if err != nil {
		return nil
	}
	e.state, e.version, e.snapshotAt = state, rec.Version, rec.Version
	for b := rec.Commands; len(b) > 0; b = b[16:] {
		e.commands.add(binary.BigEndian.Uint64(b), Version(binary.BigEndian.Uint64(b[8:])))
	}
	return nil
}

// endsIn tells whether the log has the event that the snapshot ends with.
func (rec snapshotRecord) endsIn(ctx context.Context, store Store, stream string) (bool, error) {
	for r, err := range store.Read(ctx, stream, rec.Version-1) {
		return err == nil && bytes.Equal(rec.Last, seal(r.Position, r.Proposed)), err
	}
	return false, nil
}
