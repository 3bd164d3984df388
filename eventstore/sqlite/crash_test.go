package sqlite

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

const crashDir = "URIKAKE_CRASH_DIR" // set: the test binary is the process that will be killed

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := appendUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// batch is what stands beside each event, so that an audit can tell whether its batch is whole.
type batch struct {
	Batch  uuid.UUID
	Index  int
	Of     int
	Random string
}

// acknowledged is a line that the process prints once its append has returned.
type acknowledged struct {
	Stream   string
	Batch    uuid.UUID
	Of       int
	Position eventstore.Position
}

func propose(n, size int) (uuid.UUID, []eventstore.Proposed) {
	b := uuid.New()
	events := make([]eventstore.Proposed, n)
	for i := range events {
		metadata, _ := json.Marshal(batch{Batch: b, Index: i, Of: n})
		events[i] = eventstore.Proposed{
			ID: uuid.New(), Kind: "test.happened", Schema: 1,
			Data: make([]byte, rand.IntN(size+1)), Metadata: metadata,
		}
	}
	return b, events
}

// appendUntilKilled appends from several goroutines, each to a stream of its own and all to one that they fight for.
func appendUntilKilled(dir string) error {
	writerPragmas = append(writerPragmas, "wal_autocheckpoint = 30") // so that some die while folding the log
	s, err := Open(dir, time.Now)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for g := range 6 {
		go func() {
			versions := map[string]eventstore.Version{}
			for i := 0; ; i++ {
				stream := fmt.Sprint("own-", g)
				if i%3 == 0 {
					stream = "shared"
				}
				if err := appendOne(s, stream, versions); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

func appendOne(s *Store, stream string, versions map[string]eventstore.Version) error {
	for r, err := range s.Read(context.Background(), stream, versions[stream]) {
		if err != nil {
			return err
		}
		versions[stream] = r.Version
	}
	b, events := propose(1+rand.IntN(4), 3000)
	position, err := s.Append(context.Background(), stream, versions[stream], events...)
	if errors.Is(err, eventstore.ErrWrongVersion) {
		return nil
	}
	if err != nil {
		return err
	}
	line, err := json.Marshal(acknowledged{stream, b, len(events), position})
	if err == nil {
		_, err = os.Stdout.Write(append(line, '\n'))
	}
	return err
}

// TestKill kills a process that appends, again and again, and audits what is left each time.
func TestKill(t *testing.T) {
	const rounds, perLog = 50, 5
	var acks []acknowledged
	dir := ""
	total, writing := 0, 0
	for round := range rounds {
		if round%perLog == 0 {
			dir, acks = t.TempDir(), nil
		}
		more := runAndKill(t, dir)
		acks, total = append(acks, more...), total+len(more)
		if len(more) > 0 {
			writing++
		}
		s, err := Open(dir, time.Now)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		audit(t, s, acks)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d kills, %d of them of a process that had appended; %d appends acknowledged", rounds, writing, total)
	if writing < rounds/2 {
		t.Errorf("only %d processes came to append", writing)
	}
}

func runAndKill(t *testing.T, dir string) (acks []acknowledged) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), crashDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() { child.Process.Kill() })
	defer kill()
	early := rand.IntN(10) == 0 // some die while they open the log
	if early {
		time.AfterFunc(time.Duration(rand.IntN(int(200*time.Millisecond))), kill)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var a acknowledged
		if json.Unmarshal(lines.Bytes(), &a) != nil {
			break // cut off by the kill
		}
		if acks = append(acks, a); len(acks) == 1 {
			if _, err := Open(dir, time.Now); !early && !errors.Is(err, eventstore.ErrLocked) {
				t.Errorf("open while another process has the log: %v", err)
			}
			time.AfterFunc(time.Duration(rand.IntN(int(150*time.Millisecond))), kill)
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.ExitCode() != -1 {
		t.Fatalf("the process ended by itself: %v", err)
	}
	return acks
}

// audit reads the whole log and compares it with what was acknowledged.
func audit(t *testing.T, s *Store, acks []acknowledged) {
	t.Helper()
	type place struct {
		stream string
		last   eventstore.Position
		events int
	}
	batches, ids, versions := map[uuid.UUID]place{}, map[uuid.UUID]bool{}, map[string]eventstore.Version{}
	head, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range everything(t, s, head) {
		if versions[r.Stream]++; r.Version != versions[r.Stream] {
			t.Errorf("%s has version %d after %d", r.Stream, r.Version, versions[r.Stream]-1)
		}
		if ids[r.ID] {
			t.Errorf("event %s is there twice", r.ID)
		}
		ids[r.ID] = true
		var b batch
		if err := json.Unmarshal(r.Metadata, &b); err != nil {
			t.Fatal(err)
		}
		p := batches[b.Batch]
		if p.events != b.Index || p.events > 0 && (p.stream != r.Stream || p.last+1 != r.Position) {
			t.Errorf("event %d of batch %s at %s/%d is out of place", b.Index, b.Batch, r.Stream, r.Version)
		}
		batches[b.Batch] = place{r.Stream, r.Position, p.events + 1}
		if last := b.Index == b.Of-1; !last && r.Position == head {
			t.Errorf("the log ends inside batch %s", b.Batch)
		} else if last && p.events+1 != b.Of {
			t.Errorf("batch %s has %d events of %d", b.Batch, p.events+1, b.Of)
		}
	}
	for _, a := range acks {
		if want := (place{a.Stream, a.Position, a.Of}); batches[a.Batch] != want {
			t.Errorf("batch %s was acknowledged as %v and is %v", a.Batch, want, batches[a.Batch])
		}
	}
}

func everything(t *testing.T, s *Store, head eventstore.Position) (events []eventstore.Recorded) {
	t.Helper()
	if head == 0 {
		return nil
	}
	for r, err := range s.Follow(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if events = append(events, r); r.Position == head {
			break
		}
	}
	return events
}

// TestTornLog cuts the write-ahead log at random places, as a power failure may: what is left is a prefix of whole batches.
func TestTornLog(t *testing.T) {
	set(t, "wal_autocheckpoint = 0")
	dir := t.TempDir()
	s := mustOpen(t, dir)
	for i := range 40 {
		_, events := propose(1+i%4, 3000)
		mustAppend(t, s, fmt.Sprint("s", i), 0, events...)
	}
	db, wal := mustRead(t, dir, fileName), mustRead(t, dir, fileName+"-wal")
	for range 30 {
		cut := t.TempDir()
		mustWrite(t, cut, fileName, db)
		mustWrite(t, cut, fileName+"-wal", wal[:len(wal)/4+rand.IntN(len(wal)*3/4+1)])
		torn := mustOpen(t, cut)
		audit(t, torn, nil)
		_, events := propose(2, 10)
		mustAppend(t, torn, "after", 0, events...)
		torn.Close()
	}
}
