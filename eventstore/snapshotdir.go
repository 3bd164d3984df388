package eventstore

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"os"
	"path/filepath"
)

// SnapshotDir keeps snapshots as files, one for each stream, in a directory that may be deleted at any time.
type SnapshotDir string

func (d SnapshotDir) file(stream string) string {
	sum := sha256.Sum256([]byte(stream))
	return filepath.Join(string(d), hex.EncodeToString(sum[:16]))
}

// Load gives the stream's snapshot, unless there is none or its file was damaged.
func (d SnapshotDir) Load(stream string) ([]byte, bool) {
	b, err := os.ReadFile(d.file(stream))
	if err != nil || len(b) < 4 {
		return nil, false
	}
	data := b[4:]
	sum := crc32.ChecksumIEEE(data)
	return data, b[0] == byte(sum>>24) && b[1] == byte(sum>>16) && b[2] == byte(sum>>8) && b[3] == byte(sum)
}

// Save replaces the stream's snapshot. What can't be saved is not missed: the log has it all.
func (d SnapshotDir) Save(stream string, data []byte) {
	if os.MkdirAll(string(d), 0o700) != nil {
		return
	}
	f, err := os.CreateTemp(string(d), "new-*")
	if err != nil {
		return
	}
	sum := crc32.ChecksumIEEE(data)
	_, err = f.Write(append([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, data...))
	if f.Close() != nil || err != nil || os.Rename(f.Name(), d.file(stream)) != nil {
		os.Remove(f.Name())
	}
}
