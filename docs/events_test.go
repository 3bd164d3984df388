package docs_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/projections"
)

func TestGeneratedEvents(t *testing.T) {
	b := &book{comments: comments(t)}
	b.line("<!-- Made from the code; `make docs` writes it again. -->")
	b.line("# Events")
	b.line("")
	b.line("Everything that the log can hold. An event is written once and never changed; a program of any later version reads it.")
	b.line("Optional members may be added to a kind without a new version; another meaning is another kind. A kind or a version that")
	b.line("a program does not know stops it: nothing is ever skipped.")
	b.line("")
	b.line("Names, addresses and contacts of people stand only in members marked **(personal)**.")
	b.line("")
	b.line(wordsTable)
	b.line("| event | version | read models that use it |")
	b.line("|---|---|---|")
	for _, s := range catalog.Events() {
		b.line("| [%s](#%s) | %d | %s |", s.Kind, anchor(s.Kind), s.Version, strings.Join(readers(s.Kind), ", "))
	}
	b.line("")
	aggregate := ""
	for _, s := range catalog.Events() {
		if a, _, _ := strings.Cut(s.Kind, "."); a != aggregate {
			aggregate = a
			b.line("## %s\n", aggregate)
		}
		b.event(s)
	}
	b.line("## Parts of events\n")
	b.parts(t)
	golden(t, "events.md", strings.TrimRight(b.String(), "\n")+"\n")

	for _, s := range catalog.Events() {
		if !strings.HasPrefix(b.comments[goName(s.Type)], s.Type.Name()+" ") {
			t.Errorf("%s: its doc comment must say what it tells", goName(s.Type))
		}
	}
}

func (b *book) event(s domain.Schema) {
	b.line("### %s\n", s.Kind)
	b.line("%s\n", prose(b.comments[goName(s.Type)]))
	facts := []string{fmt.Sprint("Version ", s.Version)}
	if s.Version > 1 {
		facts[0] += " (versions from 1 on are read)"
	}
	if models := readers(s.Kind); len(models) > 0 {
		facts = append(facts, "read models: "+strings.Join(models, ", "))
	}
	if hasPersonal(s.Type) {
		facts = append(facts, "has personal data")
	}
	b.line("%s.\n", strings.Join(facts, "; "))
	b.table(s.Type)
}

// readers are the read models that an event reaches.
func readers(kind string) (models []string) {
	for _, m := range projections.All {
		if slices.Contains(m.Kinds, kind) {
			models = append(models, m.Name)
		}
	}
	return models
}

func hasPersonal(t reflect.Type) bool {
	return slices.ContainsFunc(catalog.Fields(t), func(f catalog.Field) bool { return f.Personal })
}

// anchor is where Markdown puts a heading.
func anchor(heading string) string { return strings.ToLower(strings.ReplaceAll(heading, ".", "")) }

// A read model that names a kind which no aggregate writes would wait for it for ever.
func TestReadModelsNameKnownKinds(t *testing.T) {
	known := make(map[string]bool)
	for _, s := range catalog.Events() {
		known[s.Kind] = true
	}
	for _, m := range projections.All {
		for _, kind := range m.Kinds {
			if !known[kind] {
				t.Errorf("%s folds %s, which is in no catalog", m.Name, kind)
			}
		}
	}
}
