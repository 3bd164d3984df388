package export

import (
	"strconv"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// Policies has one row for each level of each policy.
func Policies(list []dunning.Versioned) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "policy"},
		{Name: "version", Kind: Count},
		{Name: "number", Kind: Count},
		{Name: "level"},
		{Name: "title"},
		{Name: "days_after_due", Kind: Count},
		{Name: "channel"},
		{Name: "tone"},
		{Name: "who"},
		{Name: "late_charge"},
		{Name: "minimum_amount"},
		{Name: "fee"},
		{Name: "template", Wide: true},
		{Name: "fallback", Wide: true},
		{Name: "was", Wide: true},
	}}
	for _, p := range list {
		for i, l := range p.Levels {
			s.Add(string(p.ID), strconv.Itoa(p.Version), strconv.Itoa(i+1), string(l.ID), l.Title, strconv.Itoa(l.DaysAfterDue), string(l.Channel),
				string(l.Tone), string(l.Who), string(l.LateCharge), Amounts(l.MinimumAmount), Amounts(l.Fee), string(l.Template), ways(l.Fallback), names(l.Was))
		}
	}
	return s
}

// ways are written "SMS short, LETTER".
func ways(list []dunning.Way) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = strings.TrimSpace(string(w.Channel) + " " + string(w.Template))
	}
	return strings.Join(words, ", ")
}

func names(list []dunning.LevelID) string {
	words := make([]string, len(list))
	for i, id := range list {
		words[i] = string(id)
	}
	return strings.Join(words, ", ")
}

// Amounts are written in one cell: 1000 JPY, 10.00 USD.
func Amounts(list []domain.Money) string {
	words := make([]string, len(list))
	for i, m := range list {
		words[i] = m.String()
	}
	return strings.Join(words, ", ")
}
