package projections

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ramdisk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(ramdisk.Tests(m)) }

// dump is every row of every model, and the mark, as text.
func dump(t testing.TB, v *Views) string {
	t.Helper()
	var out strings.Builder
	err := v.look(context.Background(), func(r *reader) error {
		m, err := readMark(r)
		fmt.Fprintf(&out, "mark %+v\n", m)
		for _, model := range v.models {
			for _, table := range model.Tables {
				columns := append(slices.Clone(table.Key), table.Columns...)
				query := "SELECT " + columnList(columns) + " FROM " + table.Name + " ORDER BY " + columnList(table.Key)
				err = errors.Join(err, r.each(query, nil, func(c *cursor) error {
					out.WriteString(table.Name)
					for i := range columns {
						out.WriteString(" | " + c.text(i))
					}
					out.WriteString("\n")
					return nil
				}))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func (b *books) catchUp() {
	b.t.Helper()
	if position, err := b.views.CatchUp(context.Background()); err != nil || position != b.head() {
		b.t.Fatalf("caught up to %d of %d: %v", position, b.head(), err)
	}
}

// foldFresh folds the whole log into a fresh file.
func (b *books) foldFresh(batch, names int) string {
	b.t.Helper()
	dir := b.t.TempDir()
	v := b.openViews(dir)
	defer v.Close()
	v.sizes = sizes{batch, names}
	if _, err := v.CatchUp(context.Background()); err != nil {
		b.t.Fatal(err)
	}
	return dump(b.t, v)
}

// randomBooks has a history of some hundred events.
func randomBooks(t *testing.T, seed int) *books {
	b := newBooks(t)
	b.register()
	for n := range 400 {
		_ = b.try(anyCommand(n).Example(seed*1000 + n))
	}
	if len(b.facts) < 30 {
		t.Fatalf("only %d events", len(b.facts))
	}
	return b
}

func TestAnyBatchSizeGivesTheSameTables(t *testing.T) {
	b := randomBooks(t, 1)
	defer b.views.Close()
	want := b.foldFresh(rowsMax, namesMax)
	for _, size := range [][2]int{{1, 1}, {2, 1}, {40, 2}, {17, 1}, {5, 3}, {100, 100}} {
		if got := b.foldFresh(size[0], size[1]); got != want {
			t.Errorf("batches, names of %v: other tables", size)
		}
	}
}

func TestLiveEqualsRebuild(t *testing.T) {
	b := newBooks(t)
	b.views.sizes = sizes{4, 2}
	for n := range 300 {
		_ = b.try(anyCommand(n).Example(n))
		if n%9 == 0 {
			b.catchUp()
		}
		if n%70 == 69 { // the process ends between two batches
			b.reopen()
		}
	}
	b.catchUp()
	live := dump(t, b.views)
	if fresh := b.foldFresh(rowsMax, namesMax); fresh != live {
		t.Errorf("folded anew:\n%s\nlive:\n%s", fresh, live)
	}
	for _, names := range [][]string{{"items"}, {"parties"}, nil} {
		var told eventstore.Position
		if err := b.views.Rebuild(context.Background(), func(done, total eventstore.Position, _ uint64) { told = total }, names...); err != nil {
			t.Fatal(err)
		}
		if rebuilt := dump(t, b.views); rebuilt != live || told != b.head() {
			t.Errorf("rebuilt %v:\n%s\nlive:\n%s", names, rebuilt, live)
		}
	}
	if err := b.views.Rebuild(context.Background(), nil, "nothing"); !errors.Is(err, ErrUnknownModel) {
		t.Error(err)
	}
	b.views.Close()
}

// A rebuild beside a run that follows a log that grows: nothing is lost, nothing counts twice.
func TestRebuildWhileTheLogGrows(t *testing.T) {
	b := newBooks(t)
	b.views.sizes = sizes{3, 1}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- b.views.Run(ctx) }()
	rebuilt := make(chan error, 1)
	go func() {
		var err error
		for range 20 {
			err = errors.Join(err, b.views.Rebuild(ctx, nil))
		}
		rebuilt <- err
	}()
	for n := range 400 {
		_ = b.try(anyCommand(n).Example(n))
	}
	if err := <-rebuilt; err != nil {
		t.Fatal(err)
	}
	if _, err := b.views.Wait(ctx, b.head()); err != nil {
		t.Fatal(err)
	}
	live := dump(t, b.views)
	cancel()
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	b.views.Close()
	if fresh := b.foldFresh(rowsMax, namesMax); fresh != live {
		t.Errorf("folded anew:\n%s\nlive:\n%s", fresh, live)
	}
}

// What the live tables take in while a rebuild is under way is in the new ones too.
func TestRebuildTakesInWhatCameMeanwhile(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-01", "2026-01-31", 100))
	b.catchUp()
	more := 0
	err := b.views.Rebuild(context.Background(), func(eventstore.Position, eventstore.Position, uint64) {
		for range 5 {
			more++
			b.do(issue(fmt.Sprintf("M%d", more), "2026-01-01", "2026-01-31", 10))
			b.catchUp()
		}
	})
	if err != nil || more != 5 {
		t.Fatal(err, more)
	}
	b.expect("2026-01-15", 150, 0, 0, 0, 0, 0, 150, 0)
	if live, fresh := dump(t, b.views), b.foldFresh(rowsMax, namesMax); live != fresh {
		t.Errorf("%s\nwant\n%s", live, fresh)
	}
}

func TestRunFollowsAndWaitWaits(t *testing.T) {
	b := newBooks(t)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- b.views.Run(ctx) }()
	if _, err := b.views.Wait(ctx, 0); err != nil { // an empty log
		t.Fatal(err)
	}
	for n := range 20 {
		b.do(issue(fmt.Sprintf("I%d", n), "2026-01-01", "2026-01-31", 100))
		if at, err := b.views.Wait(ctx, b.head()); err != nil || at < b.head() {
			t.Fatal(at, err)
		}
		b.expect("2026-01-15", int64(n+1)*100, 0, 0, 0, 0, 0, int64(n+1)*100, 0)
	}
	cancel()
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := b.views.Wait(context.Background(), b.head()+1); !errors.Is(err, ErrBeyondLog) {
		t.Error(err)
	}
	b.views.Close()
	b.do(issue("LAST", "2026-01-01", "2026-01-31", 100))
	if _, err := b.views.CatchUp(context.Background()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("closed: %v", err)
	}
	if err := b.views.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// A failed batch leaves the tables as they were, and what failed is folded again.
func TestFailedBatchRollsBack(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-01", "2026-01-31", 100))
	b.catchUp()
	before := dump(t, b.views)
	b.do(issue("I2", "2026-01-01", "2026-01-31", 100), pay("P1", "2026-01-02", 50, to("I1", 50)))
	if err := b.views.db.script("ALTER TABLE items_moves RENAME TO hidden"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.views.CatchUp(context.Background()); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("the table is away: %v", err)
	}
	if err := b.views.db.script("ALTER TABLE hidden RENAME TO items_moves"); err != nil {
		t.Fatal(err)
	}
	if after := dump(t, b.views); after != before {
		t.Errorf("half a batch:\n%s", after)
	}
	b.expect("2026-01-15", 150, 0, 0, 0, 0, 0, 150, 0)
	b.views.Close()
}

func TestUnknownKindStopsWithItsPosition(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-01", "2026-01-31", 100))
	for _, p := range []eventstore.Proposed{
		{ID: uuid.New(), Kind: "account.from_the_future", Schema: 1, Data: []byte(`{}`)},
	} {
		if _, err := b.store.Append(context.Background(), jpy.Stream(), 1, p); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.views.CatchUp(context.Background())
	if !errors.Is(err, domain.ErrSchema) || !strings.Contains(err.Error(), "position 2") {
		t.Errorf("%v", err)
	}
	if err := b.views.Run(context.Background()); !errors.Is(err, domain.ErrSchema) {
		t.Errorf("%v", err)
	}
	if _, err := b.views.Aging(context.Background(), AgingQuery{Seller: "S1", AsOf: day("2026-01-01")}); !errors.Is(err, domain.ErrSchema) {
		t.Errorf("a report that leaves out what it can't read: %v", err)
	}
	if _, err := b.views.History(context.Background(), HistoryQuery{Key: jpy}); !errors.Is(err, domain.ErrSchema) {
		t.Errorf("%v", err)
	}
	b.views.Close()
}

// Other programs may keep streams on the same log, of anything and under any name.
func TestForeignStreamsArePassedOver(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-01", "2026-01-31", 100))
	junk := func(stream, kind string) {
		p := eventstore.Proposed{ID: uuid.New(), Kind: kind, Schema: 1, Data: []byte{0xff}, Metadata: []byte{0}}
		if _, err := b.store.Append(context.Background(), stream, 0, p); err != nil {
			t.Fatal(err)
		}
	}
	junk("orders-1", "order.placed")
	junk("x-"+jpy.Stream(), "account.invoice_issued")
	b.do(issue("I2", "2026-01-01", "2026-01-31", 50))
	junk("$$orders-1", "$metadata")
	head, _ := b.store.Head(context.Background())
	if at, err := b.views.CatchUp(context.Background()); err != nil || at != head {
		t.Fatalf("folded to %d of %d: %v", at, head, err)
	}
	b.expect("2026-01-15", 150, 0, 0, 0, 0, 0, 150, 0)
}

func TestRaisedVersionIsFoldedAgain(t *testing.T) {
	b := newBooks(t)
	b.register()
	b.do(issue("I1", "2026-01-01", "2026-01-31", 100))
	b.catchUp()
	b.views.Close()
	models := slices.Clone(All)
	i := slices.IndexFunc(models, func(m Model) bool { return m.Name == "parties" })
	models[i].Version++
	models[i].Fold = func(w *Writer, e domain.Event, r eventstore.Recorded) {
		if c, ok := e.(customer.Registered); ok {
			c.Name += "!"
			e = c
		}
		foldParties(w, e, r)
	}
	v, err := openModels(b.dir, b.store, testCodec(), models)
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := v.Customers(context.Background(), "S1", KnownAt{})
	if err != nil || len(list) != 2 || list[0].Name != "Customer C1!" || !list[0].Active {
		t.Errorf("%+v, %v", list, err)
	}
	status, err := v.Status(context.Background())
	if err != nil || status[i].Version != parties.Version+1 || status[i].Lag != 0 || status[i].Rows != 6 || status[0].Version != items.Version {
		t.Errorf("%+v, %v", status, err)
	}
	v.Close()
}

// views.db of another log, of a log that was restored from an older backup, and of one that went on otherwise.
func TestOtherLogIsFoldedAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		first []account.Command
	}{
		{"another", []account.Command{issue("X", "2026-01-01", "2026-01-31", 7), issue("Y", "2026-01-01", "2026-01-31", 7), issue("Z", "2026-01-01", "2026-01-31", 7)}},
		{"shorter", []account.Command{issue("I1", "2026-01-01", "2026-01-31", 100)}},
		{"empty", nil},
		{"went on otherwise", []account.Command{issue("I1", "2026-01-01", "2026-01-31", 100), issue("I9", "2026-01-01", "2026-01-31", 9), issue("I8", "2026-01-01", "2026-01-31", 8)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			old := newBooks(t)
			old.do(issue("I1", "2026-01-01", "2026-01-31", 100), issue("I2", "2026-01-01", "2026-01-31", 100))
			old.catchUp()
			old.views.Close()
			b := newBooks(t)
			b.views.Close()
			b.now = b.now.Add(time.Second)
			b.dir = old.dir
			b.do(c.first...)
			b.views = b.openViews(b.dir)
			b.catchUp()
			if got, want := dump(t, b.views), b.foldFresh(rowsMax, namesMax); got != want {
				t.Errorf("%s\nwant\n%s", got, want)
			}
			b.views.Close()
		})
	}
}

func TestDamagedFileIsMadeAnew(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"no database": func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("nonsense", 2000)), 0o600) },
		"torn":        func(path string) error { return os.Truncate(path, 5000) },
		"gone":        os.Remove,
		"overwritten": func(path string) error {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			info, _ := f.Stat()
			_, err = f.WriteAt([]byte(strings.Repeat("x", int(info.Size())-4096)), 4096) // all but the first page
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := randomBooks(t, 2)
			b.catchUp()
			want := dump(t, b.views)
			b.views.Close()
			if err := harm(filepath.Join(b.dir, fileName)); err != nil {
				t.Fatal(err)
			}
			b.views = b.openViews(b.dir)
			if _, err := b.views.CatchUp(context.Background()); err != nil { // the first may find the damage
				b.catchUp()
			}
			if got := dump(t, b.views); got != want {
				t.Errorf("%s\nwant\n%s", got, want)
			}
			if info, err := os.Stat(filepath.Join(b.dir, fileName)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			b.views.Close()
		})
	}
}
