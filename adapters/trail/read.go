package trail

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urikake/urikake/domain"
)

// Raw is a line as it stands in a file.
type Raw struct {
	File   string // its name
	Number int    // of the line in it, from 1
	Bytes  []byte // with the end; valid until the next one
}

// where names a place to people.
func (r Raw) where() string {
	if r.File == "" {
		return fmt.Sprintf("line %d of the text", r.Number)
	}
	return fmt.Sprintf("%s:%d", r.File, r.Number)
}

// Lines are the trail's lines as they stand in its files, up to the last one at the call, whatever was done to them. It
// refuses trail.unavailable when a file can't be read.
func (t *Trail) Lines(ctx context.Context) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		names, end, err := t.extent()
		if err != nil {
			yield(Raw{}, ErrUnavailable.With("%v", err))
			return
		}
		for i, name := range names {
			most := int64(1 << 62)
			if i == len(names)-1 {
				most = end
			}
			f, err := os.Open(filepath.Join(t.dir, name))
			if err != nil {
				yield(Raw{}, ErrUnavailable.With("%v", err))
				return
			}
			for raw, err := range ReadLines(ctx, io.LimitReader(f, most), name) {
				if !yield(raw, err) || err != nil {
					f.Close()
					return
				}
			}
			f.Close()
		}
	}
}

// extent is which files there are and how long the last one is, when nobody is writing.
func (t *Trail) extent() (names []string, end int64, err error) {
	t.turn.Lock()
	defer t.turn.Unlock()
	err = t.locked(func() error {
		if names, err = fileNames(t.dir); err != nil || len(names) == 0 {
			return err
		}
		info, err := os.Stat(filepath.Join(t.dir, names[len(names)-1]))
		if err == nil {
			end = info.Size()
		}
		return err
	})
	return names, end, err
}

// ReadLines reads lines from a text, such as a trail that was fetched. What is longer than a line may be comes in parts.
func ReadLines(ctx context.Context, r io.Reader, name string) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		in := bufio.NewReaderSize(r, lineMax)
		for n := 1; ; n++ {
			if ctx.Err() != nil {
				yield(Raw{}, ctx.Err())
				return
			}
			b, err := in.ReadSlice('\n')
			if len(b) > 0 && !yield(Raw{name, n, b}, nil) {
				return
			}
			switch {
			case err == nil, errors.Is(err, bufio.ErrBufferFull):
			case errors.Is(err, io.EOF):
				return
			default:
				yield(Raw{}, err)
				return
			}
		}
	}
}

// Filter picks lines; what is empty picks all.
type Filter struct {
	From, To  time.Time // recorded at the first or later, and before the second
	Actor     string    // the person, the holder of the key, or both as a line has them: "person (holder)"
	Seller    domain.SellerID
	Operation string
	After     uint64 // lines of higher numbers only
}

func (f Filter) picks(l Line) bool {
	return (f.From.IsZero() || !l.At.Before(f.From)) && (f.To.IsZero() || l.At.Before(f.To)) &&
		(f.Actor == "" || isOf(l.Actor, f.Actor)) && (f.Seller == "" || l.Seller == f.Seller) &&
		(f.Operation == "" || l.Operation == f.Operation) && l.Seq > f.After
}

// isOf tells whether a line is of a person or holder. A name in brackets may pick a line too many, and never one too few.
func isOf(actor, name string) bool {
	return actor == name || strings.HasPrefix(actor, name+" (") || strings.HasSuffix(actor, " ("+name+")")
}

// Find gives the lines that a filter picks, in the order in which they were recorded. Lines that can't be read are
// passed over: Verify tells of them. O(lines).
func (t *Trail) Find(ctx context.Context, f Filter) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		for raw, err := range t.Lines(ctx) {
			if err != nil {
				yield(Line{}, err)
				return
			}
			if f.Seller != "" && !bytes.Contains(raw.Bytes, []byte(f.Seller)) { // ids are written as they are
				continue
			}
			if l, _, ok := parseLine(raw.Bytes); ok && f.picks(l) && !yield(l, nil) {
				return
			}
		}
	}
}
