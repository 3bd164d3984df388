package docs_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain/catalog"
)

func TestGeneratedCommands(t *testing.T) {
	src := readSource(t, "../domain/...", "../eventstore/...")
	b := &book{comments: comments(t)}
	b.line("<!-- Made from the code; `make docs` writes it again. -->")
	b.line("# Commands")
	b.line("")
	b.line("Everything that a client may order. `urikake command NAME FILE` sends one, `urikake command NAME --schema` shows its JSON")
	b.line("Schema with an example. Members are read to the letter: an unknown one, one that stands twice, another case, null or a wrong")
	b.line("type is refused as `command.malformed`, and nothing is booked.")
	b.line("")
	b.line("A command's id is its idempotency key: the same id with the same command, sent to the same account, customer or seller,")
	b.line("gives the first answer again and books nothing; with another command it is refused as `command.id_reused`.")
	b.line("")
	b.line("Below each command stand the rules of its account, customer or seller. Numbers (`numbering.*`), the log (`log.*`) and the")
	b.line("command's id (`command.*`) may refuse any command besides; all rules stand at the end.")
	b.line("")
	b.line(wordsTable)
	b.line("| command | what it does |")
	b.line("|---|---|")
	for _, c := range catalog.Commands() {
		b.line("| [%s](#%s) | %s |", c.Name(), anchor(c.Name()), escape(catalog.About(c.Name())))
	}
	b.line("")
	about := ""
	for _, c := range catalog.Commands() {
		pkg, _, _ := strings.Cut(goName(reflect.TypeOf(c)), ".")
		if pkg != about {
			about = pkg
			b.line("## %s\n", about)
		}
		b.command(t, src, c)
	}
	b.line("## Parts of commands\n")
	b.parts(t)
	b.rules(t, src)
	golden(t, "commands.md", strings.TrimRight(b.String(), "\n")+"\n")
}

func (b *book) command(t *testing.T, src *source, c catalog.Command) {
	typ := reflect.TypeOf(c)
	pkg, _, _ := strings.Cut(goName(typ), ".")
	b.line("### %s\n", c.Name())
	text, _, _ := strings.Cut(prose(b.comments[goName(typ)]), " Refuses ") // which the source itself tells in full
	b.line("%s\n", text)
	b.table(typ)
	method := func(name string) string { return "(domain/" + goName(typ) + ")." + name }
	var rules []string
	for _, r := range src.reached(method("check"), method("decide"), "(domain/"+pkg+".Key).check", "domain/"+pkg+".decide") {
		if registers := strings.HasPrefix(c.Name(), "Register"); !registers || r.Rule != pkg+".unknown" {
			rules = append(rules, "`"+r.Rule+"`")
		}
	}
	if len(rules) < 2 {
		t.Errorf("%s: only %d refusals were found", c.Name(), len(rules))
	}
	b.line("Refuses %s.\n", strings.Join(rules, ", "))
}

// codes say what a sender can do about a refusal.
var codes = []struct{ name, code, text string }{
	{"Invalid", "invalid", "the input breaks a rule whatever the books say: mend it and send it again"},
	{"NotFound", "not_found", "what the input names does not exist"},
	{"Refused", "refused", "the books as they stand forbid it"},
	{"Conflict", "conflict", "the books changed meanwhile: read them again, then decide anew"},
	{"Unavailable", "unavailable", "not now: the same request may pass later"},
	{"Internal", "internal", "the ledger itself is at fault"},
}

func (b *book) rules(t *testing.T, src *source) {
	b.line("## Refusals\n")
	b.line("A refusal has a code, a rule whose name never changes, a text, the figures of the case, and where it is about one member a")
	b.line("JSON pointer to it. A command that breaks several rules of form names them all.\n")
	b.line("| code | what to do |")
	b.line("|---|---|")
	byName := make(map[string]string)
	for _, c := range codes {
		byName[c.name] = c.code
		b.line("| %s | %s |", c.code, c.text)
	}
	b.line("\n| rule | code | what it says |")
	b.line("|---|---|---|")
	for _, r := range src.all(t) {
		if byName[r.Code] == "" {
			t.Errorf("%s has the code %s", r.Rule, r.Code)
		}
		b.line("| `%s` | %s | %s |", r.Rule, byName[r.Code], escape(r.Text))
	}
}
