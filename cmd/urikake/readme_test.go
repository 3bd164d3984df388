package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

var update = flag.Bool("update", false, "write what the commands print into the documents")

// TestGeneratedReadme types every command of the console blocks in documents for people into an empty directory, in which
// blocks that name a file stand as that file, and compares what is
// printed. A command may end in "| head -n N".
func TestGeneratedReadme(t *testing.T) {
	for _, name := range []string{"README.md", "README.ja.md", "docs/dunning.md", "docs/operations.md", "docs/auditing.md"} {
		t.Run(name, func(t *testing.T) {
			path, err := filepath.Abs(filepath.Join("..", "..", name))
			if err != nil {
				t.Fatal(err)
			}
			old, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			for _, file := range fileBlock.FindAllSubmatch(old, -1) {
				if err := os.WriteFile(string(file[1]), file[2], 0o600); err != nil {
					t.Fatal(err)
				}
			}
			fresh := consoleBlock.ReplaceAllFunc(old, func(block []byte) []byte { return retype(t, block) })
			if *update {
				if err := os.WriteFile(path, fresh, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if chance.ReplaceAllString(string(fresh), "") != chance.ReplaceAllString(string(old), "") {
				t.Errorf("%s is stale: run make docs\n%s", name, firstDifference(string(old), string(fresh)))
			}
		})
	}
}

var (
	consoleBlock = regexp.MustCompile("(?s)```console\n.*?```")
	fileBlock    = regexp.MustCompile("(?s)```json ([a-z0-9-]+\\.json)\n(.*?)```")
	headOf       = regexp.MustCompile(`\| head -n (\d+)$`)

	// chance is what is another each time: how long something took, when it was, hashes, keys and signatures.
	chance = regexp.MustCompile(`\d+\.\d s|\d{4}-\d\d-\d\dT[\d:.]+Z|[A-Za-z0-9+/]{43}=|\+[0-9a-f]{8}\+\S+|[0-9a-f]{8}\.note|— \S+ \S+`)
)

// retype runs the commands of one block.
func retype(t *testing.T, block []byte) []byte {
	var out strings.Builder
	out.WriteString("```console\n")
	for _, line := range strings.Split(string(block), "\n") {
		if name, ok := strings.CutPrefix(line, "$ cat "); ok {
			out.WriteString(line + "\n" + catenated(t, name))
		}
		if typed, ok := strings.CutPrefix(line, "$ sqlite3 "); ok {
			out.WriteString(line + "\n")
			alter(t, typed)
		}
		typed, ok := strings.CutPrefix(line, "$ urikake ")
		if !ok {
			continue
		}
		out.WriteString(line + "\n")
		typed, fails := strings.CutSuffix(typed, "; echo $?")
		typed, into, _ := strings.Cut(typed, " > ")
		most := -1
		if m := headOf.FindStringSubmatch(typed); m != nil {
			most, _ = strconv.Atoi(m[1])
			typed = strings.TrimSpace(headOf.ReplaceAllString(typed, ""))
		}
		if verb, _, _ := strings.Cut(typed, " "); verb == "serve" || verb == "demo" && !strings.Contains(typed, "--once") {
			t.Fatalf("urikake %s would not end", typed)
		}
		var stdout, stderr bytes.Buffer
		code := run(strings.Fields(typed), strings.NewReader(""), &stdout, &stderr)
		if (code != 0) != fails {
			t.Errorf("urikake %s: exit %d: %s", typed, code, stderr.String())
		}
		if fails {
			fmt.Fprintf(&stdout, "%s%d\n", stderr.String(), code)
		}
		if into != "" {
			if err := os.WriteFile(into, stdout.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		lines := strings.SplitAfter(stdout.String(), "\n")
		if most >= 0 && len(lines) > most {
			lines = lines[:most]
		}
		out.WriteString(strings.Join(lines, ""))
	}
	out.WriteString("```")
	return []byte(out.String())
}

// alter is what an SQLite shell does: FILE "STATEMENT".
func alter(t *testing.T, typed string) {
	file, statement, _ := strings.Cut(typed, " ")
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.ExecuteTransient(conn, strings.Trim(statement, `"`), nil); err != nil || conn.Changes() == 0 {
		t.Errorf("sqlite3 %s: %v, %d rows", typed, err, conn.Changes())
	}
}

// catenated is what is in the files of a pattern.
func catenated(t *testing.T, pattern string) string {
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Errorf("cat %s: %v, %d files", pattern, err, len(names))
	}
	var all strings.Builder
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		all.Write(b)
	}
	return all.String()
}

func firstDifference(old, fresh string) string {
	a, b := strings.Split(old, "\n"), strings.Split(fresh, "\n")
	for i := range min(len(a), len(b)) {
		if chance.ReplaceAllString(a[i], "") != chance.ReplaceAllString(b[i], "") {
			return fmt.Sprintf("line %d\n it says  %q\n it's now %q", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, now %d", len(a), len(b))
}
