package audit

import (
	"context"
	"io"
	"iter"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
)

var (
	ErrNotEmpty = &domain.Error{
		Code: domain.Refused, Rule: "import.not_empty",
		Text: "a log is taken over into an empty ledger, or into one that holds the beginning of the same log",
	}
	ErrOutOfOrder = &domain.Error{
		Code: domain.Invalid, Rule: "import.out_of_order",
		Text: "the events don't follow each other",
	}
	ErrFromTheFuture = &domain.Error{
		Code: domain.Refused, Rule: "import.from_the_future",
		Text: "the event was recorded later than this machine's clock is; instants would go back",
	}
)

// CheckExport reads a whole export and writes nothing: every event can be decoded, follows the one before, and is one
// of those that the trailer counts and hashes. Refuses what ReadExport refuses, import.out_of_order,
// import.from_the_future, log.unreadable_event. tell is told of events, and may be nil.
func CheckExport(in io.Reader, codec *eventstore.Codec, keys []note.Verifier, now time.Time, tell func(done int64)) (Trailer, error) {
	versions := make(map[string]eventstore.Version)
	var last eventstore.Recorded
	return ReadExport(in, keys, func(index int64, r eventstore.Recorded) error {
		switch {
		case codec.Foreign(r.Stream):
			return ErrBadExport.With("%s is no stream of a ledger", r.Stream)
		case r.Position <= last.Position:
			return ErrOutOfOrder.With("position %d stands after position %d", r.Position, last.Position)
		case r.Version != versions[r.Stream]+1:
			return ErrOutOfOrder.With("version %d of %s stands after version %d", r.Version, r.Stream, versions[r.Stream])
		case r.At.Before(last.At):
			return ErrOutOfOrder.With("%s stands after %s", r.At.Format(time.RFC3339Nano), last.At.Format(time.RFC3339Nano))
		case r.At.After(now):
			return ErrFromTheFuture.With("%s", r.At.Format(time.RFC3339Nano))
		}
		versions[r.Stream], last = r.Version, r
		if tell != nil && index%progressEvery == 0 {
			tell(index)
		}
		_, err := codec.Decode(r)
		return err
	})
}

const (
	importEvents = 1000    // that are handed to the store at once, at most
	importBytes  = 4 << 20 // of them
)

// Import takes a whole log over into a store that is empty or has the beginning of it, with every instant, id and
// byte. open gives the export from its beginning; it is read twice or three times, and must be the same. What the store
// holds in the end is read again and hashed. Refuses what CheckExport refuses, before anything is written;
// import.not_empty; what the store refuses, after which it may be called again; import.mismatch when the store does not
// give back what it was given. O(events).
func Import(ctx context.Context, store eventstore.Store, open func() (io.ReadCloser, error), codec *eventstore.Codec, keys []note.Verifier,
	now time.Time, tell func(done, total int64),
) (Trailer, error) {
	t, err := read(open, func(in io.Reader) (Trailer, error) {
		return CheckExport(in, codec, keys, now, func(done int64) { tell(done, 0) })
	})
	if err != nil {
		return t, err
	}
	have, err := beginning(ctx, store, open, codec, t)
	if err != nil {
		return t, err
	}
	if err := write(ctx, store, open, t, have, tell); err != nil {
		return t, err
	}
	return t, compareWhole(ctx, store, codec, t)
}

func read(open func() (io.ReadCloser, error), work func(io.Reader) (Trailer, error)) (Trailer, error) {
	in, err := open()
	if err != nil {
		return Trailer{}, err
	}
	defer in.Close()
	return work(in)
}

// beginning counts the events that the store holds already, and asks that they are those of the export.
func beginning(ctx context.Context, store eventstore.Store, open func() (io.ReadCloser, error), codec *eventstore.Codec, t Trailer) (have int64, err error) {
	head, err := store.Head(ctx)
	if err != nil || head == 0 {
		return 0, err
	}
	next, stop := iter.Pull2(eventstore.Own(eventstore.Events(ctx, store), codec.Foreign))
	defer stop()
	over, hasher := false, merkle.NewHasher()
	_, err = read(open, func(in io.Reader) (Trailer, error) {
		return ReadExport(in, nil, func(index int64, want eventstore.Recorded) error {
			r, err, more := next()
			if over = over || !more; over || err != nil {
				return err
			}
			if hasher.Leaf(index, &r) != hasher.Leaf(index, &want) {
				return ErrNotEmpty.With("it holds another event at position %d", r.Position)
			}
			have++
			return nil
		})
	})
	if err != nil {
		return have, err
	}
	if _, _, more := next(); more {
		return have, ErrNotEmpty.With("it holds events after the %d of the file", t.Count)
	}
	return have, nil
}

// write hands the events that are missing to the store.
func write(ctx context.Context, store eventstore.Store, open func() (io.ReadCloser, error), t Trailer, have int64, tell func(done, total int64)) error {
	importer, ok := store.(eventstore.Importer)
	if !ok {
		importer = eventstore.Carried(store).(eventstore.Importer)
	}
	var batch []eventstore.Recorded
	size := 0
	flush := func(done int64) error {
		err := importer.Import(ctx, batch)
		batch, size = batch[:0], 0
		tell(done, t.Count)
		return err
	}
	_, err := read(open, func(in io.Reader) (Trailer, error) {
		return ReadExport(in, nil, func(index int64, r eventstore.Recorded) error {
			if index < have {
				return ctx.Err()
			}
			batch, size = append(batch, r), size+r.Size()
			if len(batch) == importEvents || size >= importBytes {
				return flush(index + 1)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return flush(t.Count)
}

// compareWhole asks that the store gives back what it was given.
func compareWhole(ctx context.Context, store eventstore.Store, codec *eventstore.Codec, t Trailer) error {
	var edge merkle.Frontier
	for leaf, err := range merkle.Hashing(eventstore.Own(eventstore.Events(ctx, store), codec.Foreign), 0) {
		if err != nil {
			return err
		}
		edge.Add(leaf.Hash)
	}
	if edge.Size() != t.Count || edge.Root() != t.Root {
		return ErrMismatch.With("the ledger gives %d events with root %s, the file has %d with root %s", edge.Size(), edge.Root(), t.Count, t.Root)
	}
	return nil
}
