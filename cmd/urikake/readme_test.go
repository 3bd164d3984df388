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
)

var update = flag.Bool("update", false, "write what the commands print into the documents")

// TestGeneratedReadme types every command of the console blocks in documents for people into an empty directory, in which
// blocks that name a file stand as that file, and compares what is
// printed. A command may end in "| head -n N".
func TestGeneratedReadme(t *testing.T) {
	for _, name := range []string{"README.md", "README.ja.md", "docs/dunning.md", "docs/operations.md"} {
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
			if !bytes.Equal(seconds.ReplaceAll(fresh, nil), seconds.ReplaceAll(old, nil)) {
				t.Errorf("%s is stale: run make docs\n%s", name, firstDifference(string(old), string(fresh)))
			}
		})
	}
}

var (
	consoleBlock = regexp.MustCompile("(?s)```console\n.*?```")
	fileBlock    = regexp.MustCompile("(?s)```json ([a-z0-9-]+\\.json)\n(.*?)```")
	headOf       = regexp.MustCompile(`\| head -n (\d+)$`)
	seconds      = regexp.MustCompile(`\d+\.\d s`)
)

// retype runs the commands of one block.
func retype(t *testing.T, block []byte) []byte {
	var out strings.Builder
	out.WriteString("```console\n")
	for _, line := range strings.Split(string(block), "\n") {
		if name, ok := strings.CutPrefix(line, "$ cat "); ok {
			out.WriteString(line + "\n" + catenated(t, name))
		}
		typed, ok := strings.CutPrefix(line, "$ urikake ")
		if !ok {
			continue
		}
		out.WriteString(line + "\n")
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
		if code := run(strings.Fields(typed), strings.NewReader(""), &stdout, &stderr); code != 0 {
			t.Errorf("urikake %s: exit %d: %s", typed, code, stderr.String())
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
		if seconds.ReplaceAllString(a[i], "") != seconds.ReplaceAllString(b[i], "") {
			return fmt.Sprintf("line %d\n it says  %q\n it's now %q", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, now %d", len(a), len(b))
}
