package trail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Below the data directory: files of lines, each named by its first line's number.
const (
	dirName  = "trail"
	lockName = "LOCK"
	fileEnd  = ".ndjson"

	tornMax = 4 << 10  // bytes of what a repair takes away that stand in its line
	window  = 64 << 10 // that is read at first to find the last line
)

// file is the one that is written.
type file struct {
	*os.File
	info os.FileInfo // what it was when it was opened
	end  int64
}

// append writes b, all of it or nothing.
func (f *file) append(b []byte) error {
	if _, err := f.Write(b); err != nil {
		if cut := f.Truncate(f.end); cut != nil { // then what stands there is found to be torn
			f.shut()
		}
		return err
	}
	f.end += int64(len(b))
	return nil
}

// shut forgets the file: it is opened and looked at again before the next line.
func (f *file) shut() {
	if f.File != nil {
		_ = f.Close()
	}
	*f = file{}
}

func fileName(seq uint64) string { return fmt.Sprintf("%012d%s", seq, fileEnd) }

// fileNames are the trail's files, the oldest first.
func fileNames(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), fileEnd) && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(padded(a), padded(b)) })
	return names, err
}

// padded sorts numbers of more digits after those of fewer.
func padded(name string) string { return fmt.Sprintf("%40s", name) }

// resume finds the end of the trail, wherever this or another process has left it.
func (t *Trail) resume() error {
	if t.file.File == nil {
		return t.last()
	}
	info, err := os.Stat(t.file.Name())
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !os.SameFile(info, t.file.info):
		t.file.shut()
		return t.begin("the file before was taken away while it was written")
	case err != nil:
		return err
	case info.Size() == t.file.end:
		return nil
	case info.Size() < t.file.end:
		t.file.end = info.Size()
		return t.note(Entry{Event: Gap, Note: "the file was cut off while it was written"})
	}
	return t.last()
}

// last opens the newest file and goes to the end of the last line, which stands in one before if this one has none.
func (t *Trail) last() error {
	t.file.shut()
	names, err := fileNames(t.dir)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return t.begin("")
	}
	f, err := openFile(filepath.Join(t.dir, names[len(names)-1]), 0)
	if err != nil {
		return err
	}
	line, end, err := lastLine(f, f.info.Size())
	for i := len(names) - 2; err == nil && line.Seq == 0 && i >= 0; i-- {
		line, err = lastOf(filepath.Join(t.dir, names[i]))
		line.Event = "" // it was closed, and this file follows it
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	t.file, t.head = f, start
	if line.Seq > 0 {
		t.head = Head{line.Seq, line.Hash}
	}
	return t.mend(line, end)
}

func lastOf(path string) (line Line, err error) {
	f, err := os.Open(path)
	if err != nil {
		return line, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		line, _, err = lastLine(f, info.Size())
	}
	return line, err
}

// mend takes away what stands after the last line, and says so in a line; a file that was closed is followed by another.
func (t *Trail) mend(last Line, end int64) error {
	var torn Entry
	size := t.file.info.Size()
	if size > end {
		var err error
		if torn, err = t.torn(end, size); err != nil {
			return err
		}
		if err := t.file.Truncate(end); err != nil {
			return err
		}
	}
	t.file.end = end
	switch {
	case last.Event == Closed:
		if err := t.begin(""); err != nil {
			return err
		}
	case end == 0:
		if err := t.note(Entry{Event: Opened}); err != nil {
			return err
		}
	}
	if torn.Event != "" {
		return t.note(torn)
	}
	return nil
}

// torn is the line about bytes that are no whole line. If they are many they go into a file of their own.
func (t *Trail) torn(end, size int64) (Entry, error) {
	e := Entry{Event: Repaired, Note: fmt.Sprintf("%d bytes at the end of %s were no whole line", size-end, filepath.Base(t.file.Name()))}
	all := io.NewSectionReader(t.file, end, size-end)
	if size-end <= tornMax {
		var err error
		e.Torn, err = io.ReadAll(all)
		return e, err
	}
	name := fmt.Sprintf("%012d.torn", t.head.Seq+1)
	e.Note += "; they are in " + name
	f, err := os.OpenFile(filepath.Join(t.dir, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return e, err
	}
	_, err = io.Copy(f, all)
	return e, errors.Join(err, f.Sync(), f.Close())
}

// begin begins a file that goes on from the head.
func (t *Trail) begin(why string) error {
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return err
	}
	f, err := openFile(filepath.Join(t.dir, fileName(t.head.Seq+1)), os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	t.file.shut()
	t.file = f
	return errors.Join(syncDir(t.dir), t.note(Entry{Event: Opened, Note: why}))
}

// turnOver closes a full file and begins the next.
func (t *Trail) turnOver() error {
	if err := t.note(Entry{Event: Closed}); err != nil {
		return err
	}
	if err := t.file.Sync(); err != nil {
		t.doubt(err)
	}
	if err := t.begin(""); err != nil {
		t.file.shut() // the next line finds that it is closed
		return err
	}
	return nil
}

func openFile(path string, flag int) (f file, err error) {
	if f.File, err = os.OpenFile(path, os.O_RDWR|os.O_APPEND|flag, 0o600); err != nil {
		return f, err
	}
	if f.info, err = f.Stat(); err != nil {
		return file{}, errors.Join(err, f.Close())
	}
	return f, nil
}

// lastLine finds the last line that can be read, and where it ends: 0 if there is none. What was changed in it is for
// Verify to tell. O(what stands after it).
func lastLine(f io.ReaderAt, size int64) (line Line, end int64, err error) {
	for read := min(size, window); ; read = min(2*read, size) {
		b := make([]byte, read)
		if _, err := f.ReadAt(b, size-read); err != nil && size > 0 {
			return line, 0, err
		}
		for to := bytes.LastIndexByte(b, '\n'); to >= 0; {
			from := bytes.LastIndexByte(b[:to], '\n')
			if from < 0 && read < size {
				break // it may begin before what was read
			}
			if line, _, ok := parseLine(b[from+1 : to+1]); ok {
				return line, size - read + int64(to) + 1, nil
			}
			to = from
		}
		if read == size {
			return Line{}, 0, nil
		}
	}
}
