package dunning

import (
	"strconv"
	"strings"

	"github.com/urikake/urikake/domain"
)

// LevelText is a seller's own words for the letters of a level, in one language. Who it goes to, the items with all
// figures, and the account to pay to stay the program's; what is left out is the program's as well.
type LevelText struct {
	Language domain.Language `json:"language" doc:"ja or en"`
	Subject  string          `json:"subject,omitzero" doc:"of the mail, one line, up to 200 bytes"`
	Opening  string          `json:"opening,omitzero" doc:"what stands before the items, up to 2000 bytes"`
	Closing  string          `json:"closing,omitzero" doc:"what stands after the account to pay to, up to 2000 bytes"`
}

// Limits of own words, in bytes.
const (
	SubjectMax = 200
	WordsMax   = 2000
)

// Placeholders are what own words may leave to the program, written {name}.
var Placeholders = []string{"customer", "contact", "seller", "date", "pay_by", "first_due", "total", "to_pay"}

var (
	ErrUnknownPlaceholder = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.unknown_placeholder",
		Text: "braces stand around a placeholder only: {" + strings.Join(Placeholders, "}, {") + "}",
	}
	ErrEmptyText = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.empty_text",
		Text: "own words have a subject, an opening or a closing",
	}
	ErrNothingWritten = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.nothing_written",
		Text: "a call has no letter: own words are for levels by MAIL, LETTER, SMS or REGISTERED_LETTER",
	}
)

// Say puts values into the placeholders of own words, each once: braces in a value stay what they are. Text whose
// placeholders were not checked keeps those that are not known.
func Say(words string, value func(placeholder string) string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(words, "{")
		b.WriteString(before)
		name, after, closed := strings.Cut(rest, "}")
		switch {
		case !found:
			return b.String()
		case !closed || !isPlaceholder(name):
			b.WriteByte('{')
			words = rest
		default:
			b.WriteString(value(name))
			words = after
		}
	}
}

func isPlaceholder(name string) bool {
	for _, p := range Placeholders {
		if p == name {
			return true
		}
	}
	return false
}

// checkWords refuses a brace that belongs to no known placeholder.
func checkWords(words string) error {
	rest := Say(words, func(string) string { return "" })
	at := strings.IndexAny(rest, "{}")
	if at < 0 {
		return nil
	}
	return ErrUnknownPlaceholder.With("%.40q", rest[at:])
}

func (l Level) checkTexts(f *domain.Faults) {
	f.Require(len(l.Texts) == 0 || l.Channel != Phone, "/texts", ErrNothingWritten)
	seen := make(map[domain.Language]bool)
	if len(l.Texts) > 2 {
		f.Add("/texts", domain.ErrTooLong.With("%d texts, one for each language", len(l.Texts)))
		return
	}
	for i, t := range l.Texts {
		at := "/texts/" + strconv.Itoa(i)
		f.Add(at, t.check())
		f.Require(!seen[t.Language], at+"/language", domain.ErrTwice.With("a second text in %.10q", string(t.Language)))
		seen[t.Language] = true
	}
}

func (t LevelText) check() error {
	var f domain.Faults
	f.Add("/language", t.Language.Check())
	f.Add("/subject", domain.CheckLine(t.Subject, false, SubjectMax))
	f.Add("/opening", domain.CheckText(t.Opening, false, WordsMax))
	f.Add("/closing", domain.CheckText(t.Closing, false, WordsMax))
	f.Add("/subject", checkWords(t.Subject))
	f.Add("/opening", checkWords(t.Opening))
	f.Add("/closing", checkWords(t.Closing))
	f.Require(t.Subject != "" || t.Opening != "" || t.Closing != "", "", ErrEmptyText)
	return f.Err()
}

// Words are a level's own words in a language; empty where it has none.
func (p Policy) Words(level LevelID, l domain.Language) LevelText {
	for _, one := range p.Levels {
		for _, t := range one.Texts {
			if one.ID == level && t.Language == l {
				return t
			}
		}
	}
	return LevelText{}
}
