package sqlite

import "syscall"

// room tells how many bytes the disk that holds a directory has free, and in all.
func room(dir string) (free, all uint64, known bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil || s.Bsize <= 0 {
		return 0, 0, false
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), true
}
