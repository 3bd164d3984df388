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
