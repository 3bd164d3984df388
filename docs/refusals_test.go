package docs_test

import (
	"bytes"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/urikake/urikake/"

// refusal is a rule of the books as it stands in the source: var ErrX = &domain.Error{...}.
type refusal struct{ Rule, Code, Text string }

// source is the type-checked source of some packages: who calls whom, and who refuses what.
type source struct {
	refusals map[string]refusal  // by variable, "domain/account.ErrNoLines"
	calls    map[string][]string // function -> functions
	refuses  map[string][]string // function -> variables
}

// readSource parses and checks the packages of this module that a pattern names. What they import is taken from the
// build's cache.
func readSource(t *testing.T, patterns ...string) *source {
	t.Helper()
	s := &source{make(map[string]refusal), make(map[string][]string), make(map[string][]string)}
	fset := token.NewFileSet()
	compiled := exports(t, patterns)
	from := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(compiled[path]) })
	for path := range compiled {
		pkg, ours := strings.CutPrefix(path, module)
		if !ours {
			continue
		}
		files, err := filepath.Glob(filepath.Join("..", pkg, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		var parsed []*ast.File
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, f)
		}
		info := &types.Info{Uses: make(map[*ast.Ident]types.Object), Defs: make(map[*ast.Ident]types.Object)}
		config := types.Config{Importer: from, Error: func(error) {}} // files for other systems clash; the rest is read
		config.Check(module+pkg, fset, parsed, info)
		for _, f := range parsed {
			s.read(t, f, info)
		}
	}
	return s
}

// exports finds the compiled form of packages and of everything that they import, by import path.
func exports(t *testing.T, patterns []string) map[string]string {
	t.Helper()
	args := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, patterns...)
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files := make(map[string]string)
	for line := range bytes.Lines(out) {
		name, file, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		files[name] = file
	}
	return files
}

func (s *source) read(t *testing.T, f *ast.File, info *types.Info) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := fullName(info.Defs[d.Name])
			ast.Inspect(d, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					s.use(name, info.Uses[id])
				}
				return true
			})
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				for i, value := range v.Values {
					if r, ok := asRefusal(value); ok {
						if r.Rule == "" || r.Code == "" || r.Text == "" {
							t.Errorf("%s lacks its code, rule or text", v.Names[i].Name)
						}
						s.refusals[fullName(info.Defs[v.Names[i]])] = r
					}
				}
			}
		}
	}
}

func (s *source) use(by string, object types.Object) {
	switch object := object.(type) {
	case *types.Func:
		s.calls[by] = append(s.calls[by], fullName(object))
	case *types.Var:
		if strings.HasPrefix(object.Name(), "Err") && !object.IsField() {
			s.refuses[by] = append(s.refuses[by], fullName(object))
		}
	}
}

// fullName is "domain/account.ErrNoLines", or "(domain/account.Key).check" for a method.
func fullName(object types.Object) string {
	name := ""
	switch object := object.(type) {
	case nil:
		return ""
	case *types.Func:
		name = object.Origin().FullName()
	default:
		if object.Pkg() == nil {
			return ""
		}
		name = object.Pkg().Path() + "." + object.Name()
	}
	return strings.ReplaceAll(name, module, "")
}

func asRefusal(value ast.Expr) (r refusal, ok bool) {
	pointer, _ := value.(*ast.UnaryExpr)
	if pointer == nil {
		return r, false
	}
	literal, _ := pointer.X.(*ast.CompositeLit)
	if literal == nil || !strings.HasSuffix(types.ExprString(literal.Type), "Error") {
		return r, false
	}
	for _, e := range literal.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return r, false
		}
		text := strings.TrimPrefix(types.ExprString(kv.Value), "domain.")
		if basic, ok := kv.Value.(*ast.BasicLit); ok {
			text, _ = strconv.Unquote(basic.Value)
		}
		switch types.ExprString(kv.Key) {
		case "Code":
			r.Code = text
		case "Rule":
			r.Rule = text
		case "Text":
			r.Text = text
		}
	}
	return r, r.Rule != ""
}

// reached are the rules that a function can refuse with, itself or through what it calls, sorted by rule.
func (s *source) reached(functions ...string) (rules []refusal) {
	seen := make(map[string]bool)
	found := make(map[string]refusal)
	for len(functions) > 0 {
		f := functions[0]
		functions = functions[1:]
		if seen[f] || f == "(*domain.Faults).Add" { // which stands in for errors that are no refusals
			continue
		}
		seen[f] = true
		functions = append(functions, s.calls[f]...)
		for _, v := range s.refuses[f] {
			if r, ok := s.refusals[v]; ok {
				found[r.Rule] = r
			}
		}
	}
	for _, r := range found {
		rules = append(rules, r)
	}
	sort.Slice(rules, func(i, j int) bool { return rules[i].Rule < rules[j].Rule })
	return rules
}

// all are all rules, sorted.
func (s *source) all(t *testing.T) (rules []refusal) {
	for _, r := range s.refusals {
		rules = append(rules, r)
	}
	slices.SortFunc(rules, func(a, b refusal) int { return strings.Compare(a.Rule, b.Rule) })
	for i := 1; i < len(rules); i++ {
		if rules[i].Rule == rules[i-1].Rule {
			t.Errorf("two refusals have the rule %s", rules[i].Rule)
		}
	}
	return rules
}
