package trail

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore/merkle"
)

// Anchor says how far a trail went at an instant, signed by the key that signs the ledger's checkpoints.
type Anchor struct {
	Origin string // whose trail it is: the key's name
	Head
	Time time.Time // UTC, to the second
	Note string    // the signed note: what to keep
}

var (
	ErrBadAnchor = &domain.Error{
		Code: domain.Invalid, Rule: "trail.bad_anchor",
		Text: "this is no anchor of an access trail; `urikake audit trail --anchor` makes one",
	}
	ErrUnsigned = &domain.Error{
		Code: domain.Refused, Rule: "trail.bad_signature",
		Text: "the anchor is not signed by the key that is trusted",
	}
)

const (
	anchorsDir = "anchors"
	anchorEnd  = ".note"
	anchorHead = "urikake access trail of "
)

func (a Anchor) text() string {
	return fmt.Sprintf("%s%s\n%d\n%s\ntime %s\n", anchorHead, a.Origin, a.Seq, a.Hash, a.Time.UTC().Format(time.RFC3339))
}

// Anchor signs what the trail is now, with all of it on the disk, and keeps the note beside it; but only one that is
// kept elsewhere proves anything against somebody who can write there and has the key. Refuses trail.unavailable,
// audit.no_key, audit.key_open.
func (t *Trail) Anchor() (Anchor, error) {
	head, err := t.Head()
	if err != nil {
		return Anchor{}, err
	}
	a := Anchor{Head: head, Time: t.clock().UTC().Truncate(time.Second)}
	a.Note, err = merkle.Sign(filepath.Dir(t.dir), func(origin string) string {
		a.Origin = origin
		return a.text()
	})
	if err != nil {
		return a, err
	}
	if err := t.keep(a); err != nil {
		return a, ErrUnavailable.With("%v", err)
	}
	t.anchored(a)
	return a, nil
}

func (t *Trail) keep(a Anchor) error {
	dir := filepath.Join(t.dir, anchorsDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, fmt.Sprintf("%012d%s", a.Seq, anchorEnd))
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(a.Note)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(path+".new", path), syncDir(dir))
}

// Note is an anchor as it was kept.
type Note struct {
	Name string // of its file
	Text string
	Own  bool // it was kept beside the trail, by whoever could have written both
}

// Notes are the anchors that are kept beside the trail. Refuses trail.unavailable when one can't be read.
func (t *Trail) Notes() (list []Note, err error) {
	dir := filepath.Join(t.dir, anchorsDir)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, ErrUnavailable.With("%v", err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), anchorEnd) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, ErrUnavailable.With("%v", err)
		}
		list = append(list, Note{e.Name(), string(b), true})
	}
	return list, nil
}

// Keys are the public keys that stand beside the ledger.
func (t *Trail) Keys() ([]string, error) { return merkle.PublicKeys(filepath.Dir(t.dir)) }

// ParseAnchor reads a signed note. With keys, one of them must have signed it; without, the signature is not looked at.
// Refuses trail.bad_anchor, trail.bad_signature.
func ParseAnchor(signed string, keys []note.Verifier) (Anchor, error) {
	text, _, ok := strings.Cut(signed, "\n\n— ")
	if !ok {
		return Anchor{}, ErrBadAnchor.With("it has no signature")
	}
	a, err := parseText(text + "\n")
	if err != nil {
		return Anchor{}, ErrBadAnchor.With("%v", err)
	}
	a.Note = signed
	if len(keys) == 0 {
		return a, nil
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(keys...))
	switch {
	case err != nil:
		return a, ErrUnsigned.With("line %d, of %s: %v", a.Seq, a.Origin, err)
	case opened.Sigs[0].Name != a.Origin: // a key speaks for its own ledger only
		return a, ErrUnsigned.With("it is of %s, signed by %s", a.Origin, opened.Sigs[0].Name)
	}
	return a, nil
}

func parseText(text string) (a Anchor, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 {
		return a, fmt.Errorf("want whose trail it is, a line's number, its hash and a time, a line each")
	}
	a.Origin = strings.TrimPrefix(lines[0], anchorHead)
	if a.Seq, err = strconv.ParseUint(lines[1], 10, 63); err != nil {
		return a, fmt.Errorf("number %.40q", lines[1])
	}
	a.Hash = lines[2]
	if b, err := hex.DecodeString(a.Hash); err != nil || len(b) != 32 {
		return a, fmt.Errorf("hash %.80q", lines[2])
	}
	if a.Time, err = time.Parse(time.RFC3339, strings.TrimPrefix(lines[3], "time ")); err != nil {
		return a, fmt.Errorf("time %.40q", lines[3])
	}
	if a.Time = a.Time.UTC(); a.text() != text { // one way to write it only
		return a, fmt.Errorf("it is not written as it should be: %.200q", text)
	}
	return a, nil
}
