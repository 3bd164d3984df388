package projections

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/domain/dunning"
)

func (b *books) comparison() Comparison {
	b.t.Helper()
	c, err := Compare(context.Background(), b.dir, b.t.TempDir(), Log{Store: b.store, Codec: testCodec()}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// alter changes the live tables behind everybody's back.
func (b *books) alter(statement string) (changed int) {
	b.t.Helper()
	err := b.views.db.transact(func(conn *sqlite.Conn) error {
		err := sqlitex.ExecuteTransient(conn, statement, nil)
		changed = conn.Changes()
		return err
	})
	if err != nil {
		b.t.Fatalf("%s: %v", statement, err)
	}
	return changed
}

// filledBooks holds some of most kinds of rows.
func filledBooks(t *testing.T) *books {
	b := newBooks(t)
	b.register()
	for n := range 500 {
		_ = b.try(anyCommand(n).Example(n))
	}
	type step struct {
		command dunning.Command
		owes    int64
	}
	d := newDunner(b)
	steps := rapid.Custom(func(t *rapid.T) step {
		c, owes := anyStep(t, d)
		return step{c, owes}
	})
	for n := range 150 {
		s := steps.Example(n)
		_ = d.give(s.command, s.owes)
	}
	return b
}

// What was folded as it came, in any batches, is what Compare folds aside.
func TestCompareLikesWhatWasFolded(t *testing.T) {
	b := filledBooks(t)
	if c := b.comparison(); c.Position != 0 || c.Found != 0 {
		t.Errorf("nothing was folded yet: %+v", c)
	}
	b.views.sizes = sizes{37, 5}
	b.catchUp()
	c := b.comparison()
	if c.Position != b.head() || c.Found != 0 || c.Rows < 150 || len(c.Stale) > 0 {
		t.Errorf("%+v", c)
	}
	b.do(issue("LATER", "2026-01-01", "2026-01-31", 100)) // which the tables do not have yet
	if c := b.comparison(); c.Found != 0 || c.Position >= b.head() {
		t.Errorf("behind the log: %+v", c)
	}
}

// Any row of any table that is changed, removed or added is found, and named.
func TestCompareFindsEveryRow(t *testing.T) {
	b := filledBooks(t)
	b.catchUp()
	random := rand.New(rand.NewPCG(3, 4))
	tried := 0
	for _, m := range All {
		for _, table := range m.Tables {
			rows, _, err := b.views.db.ask("SELECT count(*) FROM " + table.Name)
			if err != nil {
				t.Fatal(err)
			}
			if rows == 0 {
				continue
			}
			for range 3 {
				tried++
				keep, whole := table.Name+"_kept", columnList(table.Key)
				b.alter("CREATE TABLE " + keep + " AS SELECT * FROM " + table.Name)
				one := fmt.Sprintf("(%s) IN (SELECT %s FROM %s LIMIT 1 OFFSET %d)", whole, whole, table.Name, random.Int64N(rows))
				statement, changed := "DELETE FROM "+table.Name+" WHERE "+one, ""
				if n := len(table.Columns); n > 0 && random.IntN(3) > 0 {
					c := table.Columns[random.IntN(n)]
					changed = c.Name + "="
					statement = fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s", table.Name, c.Name, []string{c.Name + " + 1", c.Name + " || 'x'"}[c.Type], one)
				} else if c := table.Key[0]; random.IntN(2) > 0 {
					statement = fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s", table.Name, c.Name, []string{c.Name + " + 1000000007", c.Name + " || 'x'"}[c.Type], one)
				}
				if b.alter(statement) != 1 {
					t.Fatalf("%s changed nothing", statement)
				}
				if got := b.comparison(); got.Found == 0 || got.Differences[0].Table != table.Name || got.Differences[0].Key == "" {
					t.Errorf("%s: %+v", statement, got)
				} else if d := got.Differences[0]; changed != "" && (!strings.HasPrefix(d.Want, changed) || !strings.HasPrefix(d.Have, changed) || strings.Count(d.Want, "=") != 1) {
					t.Errorf("%s: what differs is not told alone: %+v", statement, d) // a reader would have to look for it in the whole row
				}
				b.alter("DELETE FROM " + table.Name)
				b.alter("INSERT INTO " + table.Name + " SELECT * FROM " + keep)
				b.alter("DROP TABLE " + keep)
			}
		}
	}
	if tried < 15 {
		t.Errorf("%d places were tried", tried)
	}
	if c := b.comparison(); c.Found != 0 {
		t.Errorf("%+v", c)
	}
}

// Tables of another log, of other models and in a damaged file are told apart.
func TestCompareOthers(t *testing.T) {
	b := filledBooks(t)
	b.catchUp()
	b.alter("UPDATE views_models SET version = version + 1 WHERE name = 'parties'")
	if c := b.comparison(); c.Found != 0 || strings.Join(c.Stale, " ") != "parties" {
		t.Errorf("%+v", c)
	}
	other := newBooks(t)
	other.do(issue("X", "2026-01-01", "2026-01-31", 100))
	if c, err := Compare(context.Background(), b.dir, t.TempDir(), Log{Store: other.store, Codec: testCodec()}, nil); err != nil || c.Found != 1 || c.Differences[0].Table != "views_mark" {
		t.Errorf("%+v, %v", c, err)
	}
	b.views.Close()
	path := filepath.Join(b.dir, fileName)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 8192 * 2; at < len(file); at += 512 {
		file[at] ^= 0xff
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if c := b.comparison(); c.Found == 0 {
		t.Errorf("%+v", c)
	}
}
