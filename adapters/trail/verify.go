package trail

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Finding is something that is not as it was recorded.
type Finding struct {
	Seq  uint64 `json:"seq,omitempty"`   // of the line that shows it, as it says itself
	At   string `json:"where,omitempty"` // file and line in it
	Text string `json:"text"`
}

// Report is what verifying a trail found.
type Report struct {
	OK       bool      `json:"ok"`
	Lines    uint64    `json:"lines"`
	Head     Head      `json:"head"`
	FirstAt  time.Time `json:"first_at,omitzero"`
	LastAt   time.Time `json:"last_at,omitzero"`
	Anchors  int       `json:"anchors"` // that were compared
	Own      int       `json:"own"`     // of them, that were kept beside the trail and so are the word of who keeps it
	Repairs  int       `json:"repairs"` // lines that tell of a torn end, after a crash
	Gaps     int       `json:"gaps"`    // lines that tell of reads that were refused, or of lines that may be lost
	Findings []Finding `json:"findings"`
	Found    int       `json:"found"`           // all of them; the first hundred are listed
	Notes    []string  `json:"notes,omitempty"` // what this verification could not know
}

const findingsMax = 100

func (r *Report) add(l Line, raw Raw, text string, args ...any) {
	if r.Found++; len(r.Findings) < findingsMax {
		f := Finding{Seq: l.Seq, Text: fmt.Sprintf(text, args...)}
		if raw.Number > 0 {
			f.At = raw.where()
		}
		r.Findings = append(r.Findings, f)
	}
}

// Verify checks every line's hash, that each follows on the one before, and that the trail is the one that the anchors
// were made of, which one of the keys must have signed if there are any. It finds lines that were changed, removed,
// slipped in or moved; a trail that was made anew from some line on, or whose end was taken away, is found by an anchor
// of a later line only. The error is that of reading. O(lines).
func Verify(lines iter.Seq2[Raw, error], anchors []Note, keys []note.Verifier) (*Report, error) {
	v := verification{Report: Report{Findings: []Finding{}}, want: start, anchors: make(map[uint64][]named)}
	for _, n := range anchors {
		a, err := ParseAnchor(n.Text, keys)
		if err != nil {
			v.add(Line{}, Raw{}, "the anchor %s: %v", n.Name, err)
			continue
		}
		v.anchors[a.Seq] = append(v.anchors[a.Seq], named{a, n})
	}
	for raw, err := range lines {
		if err != nil {
			return nil, err
		}
		v.line(raw)
	}
	if v.closed {
		v.add(Line{Seq: v.want.Seq}, Raw{}, "the file that follows on line %d is missing", v.want.Seq)
	}
	for _, seq := range slices.Sorted(maps.Keys(v.anchors)) {
		for _, a := range v.anchors[seq] {
			v.held(a)
			v.add(Line{Seq: a.Seq}, Raw{}, "the trail ends at line %d; the anchor %s says that line %d was there: its end was taken away", v.top, a, a.Seq)
		}
	}
	v.Head, v.OK = v.want, v.Found == 0
	return &v.Report, nil
}

type verification struct {
	Report
	want    Head   // what the next line must follow on
	top     uint64 // the highest number
	closed  bool   // the last line was the end of a file
	anchors map[uint64][]named
}

// named is an anchor with where it comes from.
type named struct {
	Anchor
	Note Note
}

func (a named) String() string { return a.Note.Name + " of " + a.Time.Format(time.RFC3339) }

// held counts an anchor that was compared.
func (v *verification) held(a named) {
	if v.Anchors++; a.Note.Own {
		v.Own++
	}
}

func (v *verification) line(raw Raw) {
	l, whole, ok := parseLine(raw.Bytes)
	if !ok {
		v.add(Line{}, raw, "this is no line of a trail: %s", shown(raw.Bytes))
		return
	}
	v.Lines++
	switch expected := v.want.Seq + 1; {
	case l.Seq > expected && l.Seq == expected+1:
		v.add(l, raw, "line %d is missing before this one", expected)
	case l.Seq > expected:
		v.add(l, raw, "lines %d to %d are missing before this one", expected, l.Seq-1)
	case l.Seq < expected:
		v.add(l, raw, "line %d stands after line %d: it was moved or slipped in", l.Seq, v.want.Seq)
	case l.Prev != v.want.Hash:
		v.add(l, raw, "line %d does not follow on line %d as that is: one of them was exchanged", l.Seq, v.want.Seq)
	}
	if !whole {
		v.add(l, raw, "line %d was changed: its hash is not that of its bytes", l.Seq)
	}
	v.compare(l, raw)
	v.count(l)
	v.want, v.top, v.closed = Head{l.Seq, l.Hash}, max(v.top, l.Seq), l.Event == Closed
}

// compare holds a line against the anchors that were made when it was the last.
func (v *verification) compare(l Line, raw Raw) {
	for _, a := range v.anchors[l.Seq] {
		if v.held(a); a.Hash != l.Hash {
			v.add(l, raw, "line %d is not the one of the anchor %s: it, or one before it, was exchanged", l.Seq, a)
		}
	}
	delete(v.anchors, l.Seq)
}

func (v *verification) count(l Line) {
	switch l.Event {
	case Repaired:
		v.Repairs++
	case Gap:
		v.Gaps++
	}
	if v.FirstAt.IsZero() {
		v.FirstAt = l.At
	}
	v.LastAt = l.At
}

// shown is the beginning of a line as people may see it.
func shown(b []byte) string {
	return fmt.Sprintf("%.80q", strings.TrimRight(string(b), "\n"))
}
