package ramdisk

import (
	"os"
	"path/filepath"
	"testing"
)

type run func() int

func (r run) Run() int { return r() }

func TestTests(t *testing.T) {
	root := inMemory(roomMin)
	if root == "" {
		t.Skip("this machine has no room in memory")
	}
	t.Setenv(disk, "")
	t.Setenv("TMPDIR", t.TempDir())
	home := os.TempDir()
	var in string
	code := Tests(run(func() int {
		in = os.TempDir()
		if filepath.Dir(in) != root || os.Getenv(disk) != home {
			t.Errorf("the tests are in %s, and their disk is %s; want %s and %s", in, os.Getenv(disk), root, home)
		}
		t.Run("on the disk", func(t *testing.T) {
			if dir := Disk(t); filepath.Dir(dir) != home {
				t.Errorf("%s, want it in %s", dir, home)
			}
		})
		Tests(run(func() int { // a child
			if os.TempDir() != in {
				t.Errorf("a child is in %s", os.TempDir())
			}
			return 0
		})).Run()
		return 7
	})).Run()
	if code != 7 {
		t.Error(code)
	}
	for _, dir := range []string{in, home} {
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
			t.Error(left)
		}
	}
	if _, err := os.Stat(in); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", in, err)
	}
}

func TestNoRoom(t *testing.T) {
	if root := inMemory(1 << 62); root != "" {
		t.Error(root)
	}
}
