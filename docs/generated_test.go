// Package docs_test writes the documents that are made from the code, and fails when one is stale.
// `make docs` writes them again.
package docs_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/catalog"
)

var update = flag.Bool("update", false, "write the documents again")

// golden compares a document with what the code says, or writes it.
func golden(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("docs/%s is stale; `make docs` writes it again (-file +code):\n%s", file, diff)
	}
}

// comments are the doc comments of the domain's types, by package and name: "account.InvoiceIssued".
func comments(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, pattern := range []string{"../domain/*.go", "../domain/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				decl, ok := d.(*ast.GenDecl)
				if !ok || decl.Tok != token.TYPE {
					continue
				}
				for _, spec := range decl.Specs {
					s := spec.(*ast.TypeSpec)
					text := s.Doc.Text()
					if text == "" && len(decl.Specs) == 1 {
						text = decl.Doc.Text()
					}
					found[f.Name.Name+"."+s.Name.Name] = text
				}
			}
		}
	}
	return found
}

// goName is a type's name as Go code of another package writes it.
func goName(t reflect.Type) string { return path.Base(t.PkgPath()) + "." + t.Name() }

// prose is a doc comment as Markdown.
func prose(text string) string {
	var p comment.Parser
	var lines []string
	for _, block := range strings.Split(strings.TrimSpace(string((&comment.Printer{TextWidth: -1}).Text(p.Parse(text)))), "\n\n") {
		lines = append(lines, escape(strings.Join(strings.Fields(block), " ")))
	}
	return strings.Join(lines, "\n\n")
}

// escape keeps text from being read as markup or as the end of a table cell.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`).Replace(s)
}

// words are what a reader calls the types that JSON shows as one value.
var words = map[reflect.Type]string{
	reflect.TypeFor[domain.Money]():      "money",
	reflect.TypeFor[domain.Date]():       "date",
	reflect.TypeFor[time.Time]():         "instant",
	reflect.TypeFor[domain.Decimal]():    "decimal",
	reflect.TypeFor[domain.Rate]():       "percentage",
	reflect.TypeFor[domain.ChargeRate](): "percentage",
	reflect.TypeFor[domain.Currency]():   "currency",
	reflect.TypeFor[domain.Series]():     "series",
}

const wordsTable = `| written | in JSON | such as |
|---|---|---|
| money | an object: the amount as a plain decimal in a string, no finer than the currency, and the ISO 4217 currency | ` + "`" + `{"amount": "110000", "currency": "JPY"}` + "`" + ` |
| minor units | a whole number of the currency's smallest unit | ` + "`110000`" + ` |
| date | a string: a day in the seller's time zone, YYYY-MM-DD | ` + "`\"2026-06-30\"`" + ` |
| instant | a string: RFC 3339, UTC, to the microsecond | ` + "`\"2026-07-03T12:00:00Z\"`" + ` |
| decimal | a string: at most 15 digits before the point and 8 after | ` + "`\"12.5\"`" + ` |
| percentage | a string: from 0 to 1000, at most two decimals | ` + "`\"14.6\"`" + ` |
| currency | a string: ISO 4217 code | ` + "`\"JPY\"`" + ` |
| id | a string: 1 to 64 characters of A-Z a-z 0-9 _ - | ` + "`\"I20260630-17\"`" + ` |
| series | a string: 1 to 32 characters of A-Z 0-9 _ - | ` + "`\"INV\"`" + ` |
`

// book writes one document and remembers which types it names.
type book struct {
	strings.Builder
	comments map[string]string
	nested   []reflect.Type // to be written at the end, in the order in which they were met
}

func (b *book) line(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }

// typeName says a type as a reader would.
func (b *book) typeName(t reflect.Type) string {
	word, isWord := words[t]
	switch {
	case isWord:
		return word
	case t.Kind() == reflect.Slice:
		return "list of " + b.typeName(t.Elem())
	case t.Kind() == reflect.Map:
		return b.typeName(t.Elem()) + " by name"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Struct:
		b.meet(t)
		return fmt.Sprintf("[%s](#%s)", t.Name(), strings.ToLower(t.Name()))
	case t.Kind() != reflect.String:
		return "whole number"
	case catalog.Values(t) != nil:
		return "`" + strings.Join(catalog.Values(t), "` `") + "`"
	case strings.HasSuffix(t.Name(), "ID"):
		return "id"
	}
	return "text"
}

func (b *book) meet(t reflect.Type) {
	for _, known := range b.nested {
		if known == t {
			return
		}
	}
	b.nested = append(b.nested, t)
}

// table lists the members of a struct.
func (b *book) table(t reflect.Type) {
	b.line("| member | type | what it says |")
	b.line("|---|---|---|")
	for _, f := range catalog.Fields(t) {
		typ := b.typeName(f.Type)
		if strings.HasSuffix(f.Name, "minor") {
			typ = "minor units"
		}
		if f.Optional {
			typ += ", optional"
		}
		text := escape(f.Doc)
		if f.Personal {
			text += " **(personal)**"
		}
		b.line("| `%s` | %s | %s |", f.Name, typ, text)
	}
	b.line("")
}

// parts writes the types that were met, and those met on the way.
func (b *book) parts(t *testing.T) {
	names := make(map[string]bool)
	for i := 0; i < len(b.nested); i++ {
		typ := b.nested[i]
		if names[typ.Name()] {
			t.Errorf("two types are called %s", typ.Name())
		}
		names[typ.Name()] = true
		b.line("### %s", typ.Name())
		b.line("")
		b.line("%s", prose(b.comments[goName(typ)]))
		b.line("")
		b.table(typ)
	}
}
