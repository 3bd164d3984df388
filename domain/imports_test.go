package domain_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/urikake/urikake/"

// layers is the import rule: a package imports its own layer and what stands to its left.
var layers = []string{"domain", "eventstore", "projections", "adapters", "cmd"}

// aggregates never import each other; catalog and journal may import them all.
var aggregates = []string{"account", "customer", "seller", "numbering", "dunning", "receipt", "access"}

// impure is what may not be imported inside domain: the books have no clock, no files, no chance.
var impure = []string{
	"context", "os", "io/fs", "net", "net/http", "math/rand", "math/rand/v2", "crypto/rand", "database/sql",
	"log", "log/slog", "os/exec", "syscall", "path/filepath", "sync/atomic",
}

func TestImportRule(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		from, _ := filepath.Rel("..", path)
		from = filepath.ToSlash(from)
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files++
		for _, spec := range f.Imports {
			to, _ := strconv.Unquote(spec.Path.Value)
			if why := breach(from, to); why != "" {
				t.Errorf("%s imports %s: %s", from, to, why)
			}
		}
		return nil
	})
	if err != nil || files < 20 {
		t.Fatalf("%d files read: %v", files, err)
	}
}

func breach(from, to string) string {
	test := strings.HasSuffix(from, "_test.go")
	layer, rest, _ := strings.Cut(from, "/")
	if layer == "domain" && !test && slices.Contains(impure, to) {
		return "the domain has no I/O, no clock and no chance"
	}
	inside, ours := strings.CutPrefix(to, module)
	if !ours || test {
		return ""
	}
	target, targetRest, _ := strings.Cut(inside, "/")
	if at, want := slices.Index(layers, target), slices.Index(layers, layer); at < 0 || want < 0 || at > want {
		return "the rule is " + strings.Join(layers, " <- ")
	}
	if layer == "domain" && target == "domain" {
		mine, _, _ := strings.Cut(rest, "/")
		theirs, _, _ := strings.Cut(targetRest, "/")
		if mine != theirs && slices.Contains(aggregates, mine) && slices.Contains(aggregates, theirs) {
			return "aggregates never import each other"
		}
	}
	return ""
}

// TestDomainHasNoClock looks for time.Now, which an import rule can't see.
func TestDomainHasNoClock(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, word := range []string{"time.Now", "time.Since", "time.After", "uuid.New()", "NewRandom"} {
			if strings.Contains(string(b), word) {
				t.Errorf("%s uses %s", path, word)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
