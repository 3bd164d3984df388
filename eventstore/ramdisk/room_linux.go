package ramdisk

import "syscall"

// inMemory is a directory of a file system in memory with so many bytes free; "" where there is none.
func inMemory(free uint64) string {
	const dir, tmpfs = "/dev/shm", 0x01021994
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil || s.Type != tmpfs || s.Bavail*uint64(s.Bsize) < free {
		return ""
	}
	return dir
}
