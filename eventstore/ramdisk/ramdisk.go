// Package ramdisk lets a package's tests keep their files in memory. Most tests ask what a ledger says and never pull the
// plug, so that to them a disk is thousands of fsyncs that are merely waited for. Those of durability, and those that kill
// a process in the middle of its work, stay on a disk: see Disk.
package ramdisk

import (
	"fmt"
	"os"
	"testing"
)

// disk is where temporary files of a process and its children would be without Tests; it stands in the environment.
const disk = "URIKAKE_TEST_DISK"

// roomMin is how many bytes a file system in memory must have free to be used. Containers often have one of 64 MiB.
const roomMin = 2 << 30

// M is what testing.M is to a TestMain.
type M interface{ Run() int }

// Tests are tests, of which all temporary files, those of t.TempDir too, are in memory where the machine has a file system
// there with room for them; otherwise where they always are. They are gone when the tests have run.
func Tests(m M) M { return tests{m} }

type tests struct{ m M }

func (t tests) Run() int {
	root := inMemory(roomMin)
	if root == "" || os.Getenv(disk) != "" { // or a child of such tests
		return t.m.Run()
	}
	dir, err := os.MkdirTemp(root, "urikake-test-")
	if err != nil {
		return t.m.Run()
	}
	defer os.RemoveAll(dir)
	os.Setenv(disk, os.TempDir())
	os.Setenv("TMPDIR", dir)
	return t.m.Run()
}

// Disk is t.TempDir on a disk, also among tests that are in memory.
func Disk(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(os.Getenv(disk), "urikake-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(fmt.Errorf("%s is left behind: %w", dir, err))
		}
	})
	return dir
}
