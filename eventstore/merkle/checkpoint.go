package merkle

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// Checkpoint says what a log was at an instant.
type Checkpoint struct {
	Origin   string              // whose log it is: the signing key's name
	Size     int64               // events
	Root     tlog.Hash           // of the tree over them
	Position eventstore.Position // of the last, as its store counts
	Time     time.Time           // when it was signed; UTC, to the second
	Note     string              // the signed note: what to keep
}

// sizeMax bounds the events of a log. It is JSON's largest whole number, and far below where the arithmetic of trees ends.
const sizeMax = 1<<53 - 1

var (
	ErrBadCheckpoint = &domain.Error{
		Code: domain.Invalid, Rule: "audit.bad_checkpoint",
		Text: "this is no checkpoint of an urikake log",
	}
	ErrBadSignature = &domain.Error{
		Code: domain.Refused, Rule: "audit.bad_signature",
		Text: "the checkpoint is not signed by the key that is trusted",
	}
)

// text is what is signed: three lines as C2SP's tlog-checkpoint has them, then lines of our own.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\nposition %d\ntime %s\n", c.Origin, c.Size, c.Root, c.Position, c.Time.UTC().Format(time.RFC3339))
}

// ParseCheckpoint reads a signed note. With keys, one of them must have signed it; without, the signature is not
// looked at. Refuses audit.bad_checkpoint, audit.bad_signature.
func ParseCheckpoint(signed string, keys []note.Verifier) (Checkpoint, error) {
	text, _, ok := strings.Cut(signed, "\n\n— ")
	if !ok {
		return Checkpoint{}, ErrBadCheckpoint.With("it has no signature")
	}
	c, err := parseText(text + "\n")
	if err != nil {
		return Checkpoint{}, ErrBadCheckpoint.With("%v", err)
	}
	c.Note = signed
	if len(keys) == 0 {
		return c, nil
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(keys...))
	switch {
	case err != nil:
		return c, ErrBadSignature.With("size %d, of %s: %v", c.Size, c.Origin, err)
	case opened.Text != c.text(), !canonical(opened.Sigs[0].Base64):
		return c, ErrBadSignature.With("size %d, of %s: it is not written as it was signed", c.Size, c.Origin)
	case opened.Sigs[0].Name != c.Origin: // a key speaks for its own log only
		return c, ErrBadSignature.With("it is of %s, signed by %s", c.Origin, opened.Sigs[0].Name)
	}
	return c, nil
}

// canonical tells that base64 has no bits that mean nothing.
func canonical(text string) bool {
	_, err := base64.StdEncoding.Strict().DecodeString(text)
	return err == nil
}

func parseText(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 6 || lines[5] != "" || lines[0] == "" {
		return c, fmt.Errorf("want a name, a size, a root, a position and a time, a line each")
	}
	c.Origin = lines[0]
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 || c.Size > sizeMax {
		return c, fmt.Errorf("size %.40q", lines[1])
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return c, fmt.Errorf("root %.80q", lines[2])
	}
	position, _ := strings.CutPrefix(lines[3], "position ")
	n, err := strconv.ParseUint(position, 10, 63)
	if err != nil {
		return c, fmt.Errorf("position %.40q", lines[3])
	}
	at, _ := strings.CutPrefix(lines[4], "time ")
	if c.Time, err = time.Parse(time.RFC3339, at); err != nil {
		return c, fmt.Errorf("time %.40q", lines[4])
	}
	c.Position, c.Time = eventstore.Position(n), c.Time.UTC()
	if c.text() != text { // one way to write it only
		return c, fmt.Errorf("it is not written as it should be: %.200q", text)
	}
	return c, nil
}

// sign makes the note.
func (c Checkpoint) sign(s note.Signer) (Checkpoint, error) {
	signed, err := note.Sign(&note.Note{Text: c.text()}, s)
	c.Note = string(signed)
	return c, err
}

// keyOf is the hash by which a note names the key that signed it, as eight hex digits.
func keyOf(signed string) string {
	_, signature, _ := strings.Cut(signed, "\n\n— ")
	_, encoded, _ := strings.Cut(strings.TrimSpace(signature), " ")
	b, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(b) < 4 {
		return "unsigned"
	}
	return fmt.Sprintf("%x", b[:4])
}
