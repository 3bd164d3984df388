package numbering

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/urikake/urikake/domain"
)

// Text names a number that has not the form of a series, such as one brought in from another system.
type Text struct {
	Seller domain.SellerID `json:"seller" doc:"the seller"`
	Number string          `json:"number" doc:"the number as it stands on the document, up to 100 bytes"`
}

// Stream is where it is kept who has the number: one stream for each, named by the first 128 bits of the SHA-256 of
// the number, which may have characters that a stream's name can't.
func (t Text) Stream() string {
	sum := sha256.Sum256([]byte(t.Number))
	return "document-" + string(t.Seller) + "." + hex.EncodeToString(sum[:16])
}

func (t Text) stream() string { return t.Stream() }

func (t Text) check(taker Taker) error {
	var faults domain.Faults
	faults.Add("/seller", domain.CheckID(t.Seller))
	faults.Add("/number", domain.CheckLine(t.Number, true, TextMax))
	if _, _, _, inSeries := Parse(t.Number); inSeries {
		faults.Add("/number", ErrInSeriesForm.With("%s", t.Number))
	}
	faults.Add("", taker.check())
	return faults.Err()
}

// ErrInSeriesForm refuses to keep a number in two places.
var ErrInSeriesForm = &domain.Error{
	Code: domain.Invalid, Rule: "numbering.in_series_form",
	Text: "the number has the form of a series; use ClaimNumber",
}

// TextCommand is what may be asked of a free number; TextEvent what it records.
type (
	TextCommand interface {
		Name() string // wire name
		stream() string
		decide(TextState) ([]domain.Event, error)
	}
	TextEvent interface {
		domain.Event
		Stream() string        // by its own fields
		audit(TextState) error // why it can't stand next; nil if it can
		apply(*TextState)
	}
)

// TextState is a free number as it stands.
type TextState struct {
	Claimed bool
	By      Taker // who has it, or had it last
}

// TextDecider is a free number as a state machine. As with Decider, neither event nor refusal means: it is so already.
var TextDecider = domain.Decider[TextCommand, TextState]{
	Stream: func(c TextCommand) string { return c.stream() },
	New:    func() TextState { return TextState{} },
	Decide: func(s TextState, c TextCommand) ([]domain.Event, error) { return c.decide(s) },
	Evolve: func(s TextState, e domain.Event) TextState {
		e.(TextEvent).apply(&s)
		return s
	},
	Audit: auditText,
}

// ClaimText marks a free number as used. The same taker may claim it again.
// Refuses numbering.number_taken, numbering.in_series_form, and each field by its own rule.
type ClaimText struct {
	Text
	Taker
}

func (ClaimText) Name() string { return "ClaimText" }

func (c ClaimText) decide(s TextState) ([]domain.Event, error) {
	switch err := c.Text.check(c.Taker); {
	case err != nil:
		return nil, err
	case s.Claimed && s.By != c.Taker:
		return nil, ErrNumberTaken.With("%q stands on %s of %s", c.Number, s.By.Invoice, s.By.Account).At("/number")
	case s.Claimed:
		return nil, nil
	}
	return []domain.Event{TextClaimed(c)}, nil
}

// TextClaimed says on which document a free number stands.
type TextClaimed struct {
	Text
	Taker
}

func (TextClaimed) Kind() string         { return "numbering.text_claimed" }
func (e TextClaimed) apply(s *TextState) { *s = TextState{true, e.Taker} }

// ReleaseText gives a free number back because its document was refused. A repeat is passed over.
// Refuses numbering.not_held, numbering.in_series_form, and each field by its own rule.
type ReleaseText struct {
	Text
	Taker
	Reason string `json:"reason" doc:"why, such as the rule by which the document was refused; up to 1000 bytes"`
}

func (ReleaseText) Name() string { return "ReleaseText" }

func (c ReleaseText) decide(s TextState) ([]domain.Event, error) {
	var faults domain.Faults
	faults.Add("", c.Text.check(c.Taker))
	faults.Add("/reason", domain.CheckText(c.Reason, true, ReasonMax))
	switch err := faults.Err(); {
	case err != nil:
		return nil, err
	case s.By != c.Taker:
		return nil, ErrNotHeld.With("%q", c.Number).At("/number")
	case !s.Claimed:
		return nil, nil
	}
	return []domain.Event{TextReleased(c)}, nil
}

// TextReleased says that a free number may be used again, and why.
type TextReleased struct {
	Text
	Taker
	Reason string `json:"reason" doc:"why"`
}

func (TextReleased) Kind() string         { return "numbering.text_released" }
func (e TextReleased) apply(s *TextState) { s.Claimed = false }
