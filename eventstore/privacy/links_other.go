//go:build !unix

package privacy

import "io/fs"

// links is how many names a file has; where that isn't told, a directory can't be made to last either.
func links(fs.FileInfo) int { return 1 }
