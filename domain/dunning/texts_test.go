package dunning_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

func TestOwnWords(t *testing.T) {
	good := []dunning.LevelText{
		{Language: domain.Japanese, Subject: "{seller}より", Opening: "{customer} {contact} 様\n{first_due}の {total}", Closing: "{date}"},
		{Language: domain.English, Opening: "Please pay {to_pay} by {pay_by}."},
	}
	p := plain().Policy
	p.Levels = append([]dunning.Level(nil), p.Levels...)
	p.Levels[0].Texts = good
	policies(t).When(set("default", p)).Then(wasSet("default", 1, p))
	if w := p.Words("R1", domain.English); w != good[1] || p.Words("R2", domain.English) != (dunning.LevelText{}) {
		t.Errorf("%+v", w)
	}
	for name, c := range map[string]struct {
		field string
		want  *domain.Error
		texts []dunning.LevelText
	}{
		"unknown name": {"/levels/0/texts/0/opening", dunning.ErrUnknownPlaceholder, []dunning.LevelText{{Language: "ja", Opening: "{amount}"}}},
		"no end":       {"/levels/0/texts/0/closing", dunning.ErrUnknownPlaceholder, []dunning.LevelText{{Language: "ja", Closing: "{seller"}}},
		"no beginning": {"/levels/0/texts/0/closing", dunning.ErrUnknownPlaceholder, []dunning.LevelText{{Language: "ja", Closing: "seller}"}}},
		"a program":    {"/levels/0/texts/0/subject", dunning.ErrUnknownPlaceholder, []dunning.LevelText{{Language: "ja", Subject: "{{.Seller}}"}}},
		"two in one":   {"/levels/0/texts/0/subject", dunning.ErrUnknownPlaceholder, []dunning.LevelText{{Language: "ja", Subject: "{{seller}"}}},
		"two lines":    {"/levels/0/texts/0/subject", domain.ErrMalformed, []dunning.LevelText{{Language: "ja", Subject: "a\nBcc: all"}}},
		"too long":     {"/levels/0/texts/0/opening", domain.ErrTooLong, []dunning.LevelText{{Language: "ja", Opening: strings.Repeat("x", dunning.WordsMax+1)}}},
		"empty":        {"/levels/0/texts/0", dunning.ErrEmptyText, []dunning.LevelText{{Language: "ja"}}},
		"language":     {"/levels/0/texts/0/language", domain.ErrUnknown, []dunning.LevelText{{Language: "fr", Subject: "x"}}},
		"twice":        {"/levels/0/texts/1/language", domain.ErrTwice, []dunning.LevelText{good[0], good[0]}},
		"three":        {"/levels/0/texts", domain.ErrTooLong, []dunning.LevelText{good[0], good[1], good[1]}},
	} {
		p.Levels[0].Texts = c.texts
		t.Run(name, func(t *testing.T) { policies(t).When(set("default", p)).RefusedAt(c.want, c.field) })
	}
	p.Levels[0].Texts, p.Levels[0].Channel = good, dunning.Phone
	policies(t).When(set("default", p)).RefusedAt(dunning.ErrNothingWritten, "/levels/0/texts")
}

// Values are put in once: what looks like a placeholder in a value stays as it is.
func TestSay(t *testing.T) {
	say := func(words string) string {
		return dunning.Say(words, func(name string) string { return "<{seller} " + name + ">" })
	}
	for words, want := range map[string]string{
		"":                "",
		"no placeholder":  "no placeholder",
		"{seller}{date}":  "<{seller} seller><{seller} date>",
		"a{customer} b":   "a<{seller} customer> b",
		"{nobody} {date}": "{nobody} <{seller} date>",
	} {
		if got := say(words); got != want {
			t.Errorf("%q: %q", words, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.StringMatching(`([{}a-z]|\{seller\}|請求)*`).Draw(t, "words")
		if strings.Contains(dunning.Say(words, func(string) string { return "" }), "{seller}") && !strings.Contains(strings.ReplaceAll(words, "{seller}", ""), "{") {
			t.Fatalf("%q", words)
		}
	})
}
