package sqlite

import (
	"os"
	"path/filepath"
)

// Exists tells whether a directory holds a log.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, fileName))
	return err == nil
}

// Lost tells whether a directory without a log once had one: what stood beside it is there.
func Lost(dir string) bool {
	for _, name := range []string{markName, fileName + walEnd} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return !Exists(dir)
		}
	}
	return false
}
