package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore/ramdisk"
)

// A server is killed while it erases customers. Of whom it had said that they are erased nothing stands in any file at
// that moment; all others are erased when that is asked for again, and the books are whole.
func TestErasureCrash(t *testing.T) {
	const rounds, each = 8, 4
	dir := ramdisk.Disk(t)
	books, program := filepath.Join(dir, "books"), filepath.Join(dir, "urikake")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, program, books)
	s.post(t, "r", "/v1/sellers", `{"seller":"S","name":"S","time_zone":"Asia/Tokyo","base_currency":"JPY","language":"ja"}`)
	for n := range rounds * each {
		s.post(t, fmt.Sprint("c", n), "/v1/sellers/S/customers", fmt.Sprintf(`{"customer":"C%d","name":"%s","kana":"%[2]s"}`, n, secretName(n)))
	}
	erase := func(n int) error {
		_, err := s.send(fmt.Sprint("e", n), fmt.Sprintf("/v1/sellers/S/customers/C%d/erasure", n), `{"on":"2026-01-15","reason":"asked to be forgotten"}`)
		return err
	}
	if _, list := fetch(t, s.url+"/v1/sellers/S/customers"); !strings.Contains(list, secretName(0)) { // folded, and so in views.db
		t.Fatal(list)
	}
	if holding(t, books, secretName(0)) == 0 {
		t.Fatal("the test sees nothing")
	}
	rng := rand.New(rand.NewPCG(3, uint64(time.Now().UnixNano())))
	var erased []int
	broken := 0
	for round := range rounds {
		server := s.cmd.Process
		last := round*each + round%each // so many are answered for sure
		for n := round * each; n < (round+1)*each; n++ {
			if n == last {
				time.AfterFunc(time.Duration(rng.IntN(30))*time.Millisecond, func() { server.Kill() })
			}
			if erase(n) != nil {
				broken++
				break
			}
			erased = append(erased, n)
		}
		s.cmd.Process.Kill()
		s.cmd.Wait()
		for _, n := range erased {
			if files := holding(t, books, secretName(n)); files > 0 {
				t.Errorf("C%d was erased, and %d files hold the name", n, files)
			}
		}
		s = startServer(t, program, books)
	}
	for n := range rounds * each {
		if err := erase(n); err != nil {
			t.Errorf("C%d: %v", n, err)
		}
		if files := holding(t, books, secretName(n)); files > 0 {
			t.Errorf("C%d was erased at last, and %d files hold the name", n, files)
		}
	}
	if len(erased) < rounds {
		t.Errorf("only %d erasures were answered: the test shows little", len(erased))
	}
	t.Logf("%d erasures were answered before a kill, %d were broken off", len(erased), broken)
	s.cmd.Process.Kill()
	s.cmd.Wait()
	if out, err := exec.Command(program, "--data", books, "audit", "verify").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func secretName(n int) string { return fmt.Sprintf("Hanako the %d of all", n) }

// holding is how many files below a directory hold a text.
func holding(t *testing.T, dir, text string) (files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			files++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
