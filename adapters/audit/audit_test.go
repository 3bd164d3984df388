package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/merkle"
	"github.com/urikake/urikake/eventstore/ramdisk"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(ramdisk.Tests(m)) }

var (
	ctx  = context.Background()
	noon = time.Date(2026, 7, 3, 12, 0, 0, 0, time.UTC)
)

// ticking is a clock that goes on by a second whenever it is asked.
func ticking() eventstore.Clock {
	now := noon
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

// kept is a ledger in a directory, with a checkpoint that somebody keeps elsewhere.
type kept struct {
	dir        string
	public     string
	checkpoint Note
	events     int64
}

// fill writes a ledger by its own commands: registrations, invoices with numbers, payments.
func fill(t testing.TB, store eventstore.Store, invoices int) {
	t.Helper()
	l := ledger.New(store, ledger.Codec(), eventstore.SnapshotDir(filepath.Join(t.TempDir(), "snapshots")))
	n := 0
	give := func(c interface{ Name() string }) {
		t.Helper()
		n++
		if _, err := l.Execute(ctx, c, eventstore.Envelope{CommandID: fmt.Sprint("c", n), Actor: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	give(seller.RegisterSeller{Seller: "S1", Settings: seller.Settings{Name: "大和", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.Japanese}})
	for i := range 5 {
		give(customer.RegisterCustomer{
			Key: customer.Key{Seller: "S1", Customer: domain.CustomerID(fmt.Sprint("C", i))}, Details: customer.Details{Name: fmt.Sprint("客", i)},
			Terms: domain.Terms{Kind: domain.TermsNet, NetDays: 30},
		})
	}
	day := domain.NewDate(2026, 1, 5)
	for i := range invoices {
		key := account.Key{Seller: "S1", Customer: domain.CustomerID(fmt.Sprint("C", i%5)), Currency: "JPY"}
		give(account.IssueInvoice{Key: key, IssuedOn: day.AddDays(i), Lines: []account.Line{
			{Description: "月額", Quantity: domain.DecimalOf(1), UnitPrice: domain.DecimalOf(int64(1000 + i)), Category: account.Standard, Rate: 1000},
		}})
		if i%3 > 0 {
			give(account.RecordPayment{Key: key, ReceivedOn: day.AddDays(i + 10), Amount: domain.NewMoney(int64(500+i), "JPY"), Method: "TRANSFER"})
		}
	}
}

// keep makes a ledger, folds it, and keeps a checkpoint.
func keep(t testing.TB, invoices int) kept {
	t.Helper()
	k := kept{dir: t.TempDir()}
	store, err := sqlite.Open(k.dir, ticking())
	if err != nil {
		t.Fatal(err)
	}
	fill(t, store, invoices)
	views, err := projections.Open(k.dir, store, ledger.Codec())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := views.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	if k.public, err = merkle.Keygen(k.dir, "ledger.example"); err != nil {
		t.Fatal(err)
	}
	tree := merkle.Open(k.dir, store, ledger.Codec().Foreign)
	for _, size := range []int64{10, 30, 0} {
		c, err := tree.Checkpoint(ctx, size, noon)
		if err != nil {
			t.Fatal(err)
		}
		k.checkpoint, k.events = Note{"kept.note", c.Note}, c.Size
	}
	for _, err := range []error{views.Close(), tree.Close(), store.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// copied is the ledger once more, for somebody to change.
func (k kept) copied(t testing.TB) kept {
	t.Helper()
	k2 := k
	k2.dir = t.TempDir()
	if err := os.CopyFS(k2.dir, os.DirFS(k.dir)); err != nil {
		t.Fatal(err)
	}
	return k2
}

func (k kept) audit(t testing.TB, given Given) *Report {
	t.Helper()
	r, err := Directory(ctx, k.dir, ledger.Codec(), given, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.OK != (len(r.Findings) == 0) {
		t.Errorf("ok is %v with %d findings", r.OK, len(r.Findings))
	}
	return r
}

// elsewhere is what an auditor brings who trusts nothing in the directory.
func (k kept) elsewhere() Given {
	return Given{Keys: []string{k.public}, Checkpoints: []Note{k.checkpoint}}
}

func (k kept) sql(t testing.TB, statements ...string) (changed int) {
	t.Helper()
	conn, err := zombie.OpenConn(filepath.Join(k.dir, "log.db"), zombie.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range statements {
		if err := sqlitex.ExecuteTransient(conn, s, nil); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		changed = conn.Changes()
	}
	resum(t, conn)
	return changed
}

// resum gives every row the checksum that it should have: who changes events on purpose does not leave that undone.
func resum(t testing.TB, conn *zombie.Conn) {
	t.Helper()
	sums := make(map[int64]int64)
	err := sqlitex.ExecuteTransient(conn, "SELECT position, version, at, schema, s.name, k.name, data, metadata, e.id"+
		" FROM events e JOIN streams s ON s.id = stream JOIN kinds k ON k.id = kind", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *zombie.Stmt) error {
			var b []byte
			for i := range 4 {
				b = binary.LittleEndian.AppendUint64(b, uint64(stmt.ColumnInt64(i)))
			}
			for i := range 4 {
				b = binary.LittleEndian.AppendUint64(b, uint64(stmt.ColumnLen(4+i)))
			}
			var id [16]byte
			stmt.ColumnBytes(8, id[:])
			b = append(append(append(b, id[:]...), stmt.ColumnText(4)...), stmt.ColumnText(5)...)
			for i := range 2 {
				part := make([]byte, stmt.ColumnLen(6+i))
				stmt.ColumnBytes(6+i, part)
				b = append(b, part...)
			}
			sums[stmt.ColumnInt64(0)] = int64(crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
			return nil
		},
	})
	for at, sum := range sums {
		err = errors.Join(err, sqlitex.Execute(conn, "UPDATE events SET sum = ? WHERE position = ? AND sum <> ?3", &sqlitex.ExecOptions{Args: []any{sum, at, sum}}))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (r *Report) String() string {
	var b strings.Builder
	r.Write(&b)
	return b.String()
}

func TestSoundLedger(t *testing.T) {
	k := keep(t, 60)
	for name, given := range map[string]Given{"of its own": {}, "of the auditor": k.elsewhere()} {
		r := k.audit(t, given)
		if !r.OK || r.Events != k.events || r.Covered != k.events || r.Checked < 3 || r.Streams < 10 || r.Entries < 90 || r.Rows < 100 || r.ViewsAt != r.Position {
			t.Errorf("checkpoints %s: %s", name, r)
		}
	}
}

// beside runs work for 0 to n-1, several at a time: most of an audit of a small ledger is waiting for the disk.
func beside(n int, work func(i int)) {
	var wg sync.WaitGroup
	room := make(chan struct{}, 12)
	for i := range n {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			work(i)
		})
	}
	wg.Wait()
}

// Whatever is changed in any column of any event, whatever is removed, swapped or slipped in, is found, and nearly
// always where it is.
func TestEveryChangeIsFound(t *testing.T) {
	k := keep(t, 60)
	var named atomic.Int64
	const tries = 200
	beside(tries, func(n int) {
		random := rand.New(rand.NewPCG(5, uint64(n)))
		c := k.copied(t)
		at, other := 1+random.Int64N(k.events), 1+random.Int64N(k.events)
		if other == at {
			other = at%k.events + 1
		}
		statements := tamper(random, at, other)
		for c.sql(t, statements...) == 0 { // a byte that is that byte already
			statements = tamper(random, at, other)
		}
		r := c.audit(t, Given{})
		if r.OK {
			t.Errorf("try %d, not found: %v\n%s", n, statements, r)
		}
		place := regexp.MustCompile(fmt.Sprintf(`position (%d|%d)\b`, at, other))
		if place.MatchString(r.String()) {
			named.Add(1)
		} else {
			t.Logf("found without its place %d or %d: %v\n%s", at, other, statements, r)
		}
		if n%5 > 0 {
			return
		}
		if err := os.RemoveAll(filepath.Join(c.dir, "audit")); err != nil {
			t.Error(err)
		}
		if r := c.audit(t, k.elsewhere()); r.OK {
			t.Errorf("try %d, not found by what the auditor has: %v\n%s", n, statements, r)
		}
	})
	if named.Load() < tries*95/100 {
		t.Errorf("the place was named %d times of %d", named.Load(), tries)
	}
}

// tamper is SQL that tampers with the event at a position, perhaps with another one.
func tamper(random *rand.Rand, at, other int64) []string {
	where := fmt.Sprintf(" WHERE position = %d", at)
	bytesOf := func(column string) string { // one byte of it becomes another
		i := 1 + random.IntN(16)
		return fmt.Sprintf("UPDATE events SET %[1]s = CAST(substr(%[1]s, 1, %[2]d) || x'%02[3]x' || substr(%[1]s, %[4]d) AS BLOB)%[5]s AND substr(%[1]s, %[4]d - 1, 1) <> x'%02[3]x'",
			column, i-1, random.IntN(255), i+1, where)
	}
	grown := func(column string) string { // one byte more or less
		if random.IntN(2) == 0 {
			return "UPDATE events SET " + column + " = CAST(" + column + " || ' ' AS BLOB)" + where
		}
		return "UPDATE events SET " + column + " = substr(" + column + ", 1, length(" + column + ") - 1)" + where
	}
	swap := func(column string) []string {
		return []string{
			fmt.Sprintf("CREATE TEMP TABLE two AS SELECT position, %s AS bytes FROM events WHERE position IN (%d, %d)", column, at, other),
			fmt.Sprintf("UPDATE events SET %s = (SELECT bytes FROM two WHERE two.position = %[2]d + %[3]d - events.position) WHERE position IN (%[2]d, %[3]d)", column, at, other),
		}
	}
	switch random.IntN(12) {
	case 0:
		return []string{bytesOf("data")}
	case 1:
		return []string{bytesOf("metadata")}
	case 2:
		return []string{bytesOf("id")}
	case 3:
		return []string{grown([]string{"data", "metadata", "id"}[random.IntN(3)])}
	case 4:
		return []string{"UPDATE events SET at = at + 1" + where}
	case 5:
		return []string{"UPDATE events SET kind = kind % (SELECT max(id) FROM kinds) + 1" + where}
	case 6:
		return []string{"UPDATE events SET version = version + 1000" + where}
	case 7:
		return swap("data")
	case 8: // two events change places
		return []string{
			fmt.Sprintf("UPDATE events SET position = -position WHERE position IN (%d, %d)", at, other),
			fmt.Sprintf("UPDATE events SET position = %d + position WHERE position < 0", at+other),
		}
	case 9:
		return []string{"DELETE FROM events" + where}
	case 10: // removed, and the others moved up
		return []string{
			"DELETE FROM events" + where,
			fmt.Sprintf("UPDATE events SET position = -position WHERE position > %d", at),
			"UPDATE events SET position = -position - 1 WHERE position < 0",
		}
	default: // one slipped in, and the others moved down
		return []string{
			fmt.Sprintf("UPDATE events SET position = -position WHERE position >= %d", at),
			"UPDATE events SET position = -position + 1 WHERE position < 0",
			fmt.Sprintf("INSERT INTO events SELECT %d, stream, (SELECT max(version) + 1 FROM events AS o WHERE o.stream = events.stream), at, randomblob(16), kind, data, metadata, sum FROM events WHERE position = %[1]d + 1", at),
		}
	}
}
