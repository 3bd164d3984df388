package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urikake/urikake/eventstore/privacy"
)

// Of what lies beside the log a backup keeps what can't be made anew, and says nothing of what can.
var (
	besideKept  = []string{"outbox", "audit", "audit.pub", "trail"}
	besideAnew  = []string{keysName, "LOCK", "log.*", "views.db*", "snapshots", "ready.probe", ".*", "audit/hashes", "audit/positions", "audit/mark", "trail/LOCK", "trail/ready.probe"}
	errNotPlain = errors.New("it is no plain file")
)

func madeAnew(name string) bool {
	return slices.ContainsFunc(besideAnew, func(pattern string) bool {
		match, _ := path.Match(pattern, filepath.ToSlash(name))
		return match
	})
}

// along is what a backup takes along beside the log. Before the log is opened it is known what was signed, so that no
// signature is of more than the log has; the rest is listed after it: a letter is put away before the event that says so.
type along struct {
	dir    string
	signed []string
	others []string // are left out, and nobody's
	root   *os.Root // of the directory, for the caller to close
	read   func(name string) ([]byte, error)
}

// besideLog looks at what lies beside the log; letters are read sealed.
func (s *session) besideLog() (a along, err error) {
	if err := s.there(); err != nil {
		return a, err
	}
	keys, err := s.privacy()
	if err != nil {
		return a, err
	}
	a.dir = s.dir
	if a.signed, a.others, err = filesBeside(s.dir); err != nil {
		return a, err
	}
	a.signed = slices.DeleteFunc(a.signed, func(name string) bool { return !isSigned(name) })
	if a.root, err = os.OpenRoot(s.dir); err != nil {
		return a, err
	}
	a.read = func(name string) ([]byte, error) {
		data, err := a.root.ReadFile(name)
		if person := addressee(name); err == nil && person != "" {
			data, err = keys.SealFile(person, filepath.ToSlash(name), data)
		}
		if errors.Is(err, privacy.ErrDestroyed) { // the letter is about to be deleted
			err = fs.ErrNotExist
		}
		return data, err
	}
	return a, nil
}

// files are all of them, once the log was opened.
func (a along) files() ([]string, error) {
	rest, _, err := filesBeside(a.dir)
	return append(slices.DeleteFunc(rest, isSigned), a.signed...), err
}

// isSigned tells of checkpoints of the log and anchors of the trail.
func isSigned(name string) bool {
	name = filepath.ToSlash(name)
	return strings.HasPrefix(name, "audit") || strings.HasPrefix(name, "trail/anchors/")
}

// filesBeside lists the files that a backup keeps, and names what it leaves out that is nobody's. What is not yet, or no
// more, under its own name is not there.
func filesBeside(dir string) (files, others []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		switch {
		case madeAnew(e.Name()):
		case !slices.Contains(besideKept, e.Name()):
			others = append(others, e.Name())
		default:
			err = errors.Join(err, filepath.WalkDir(filepath.Join(dir, e.Name()), func(path string, e fs.DirEntry, err error) error {
				switch {
				case errors.Is(err, fs.ErrNotExist):
					return nil
				case err != nil:
					return err
				case e.IsDir() && underWay(e.Name()):
					return fs.SkipDir
				case e.IsDir(), underWay(e.Name()):
					return nil
				case !e.Type().IsRegular():
					return fmt.Errorf("%s: %w", path, errNotPlain)
				}
				name, err := filepath.Rel(dir, path)
				if err == nil && !madeAnew(name) {
					files = append(files, name)
				}
				return err
			}))
		}
	}
	return files, others, err
}

// underWay tells of names that files and folders have until they are whole.
func underWay(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".new")
}
