package main

import (
	"bytes"
	"context"
	"iter"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/faulty"
	"github.com/urikake/urikake/eventstore/ramdisk"
)

func TestMain(m *testing.M) { os.Exit(ramdisk.Tests(m).Run()) }

// Three hundred short runs, of which one in five has read models. `urikakesim --seeds 1000 --steps 200` makes more and
// longer ones.
func TestNothingIsFound(t *testing.T) {
	c := config{steps: 10, nodes: 2, store: "memory", dir: t.TempDir(), faults: faulty.Usual, blind: true}
	runs := 0
	var mu sync.Mutex
	look := func(seed uint64, f found) {
		mu.Lock()
		defer mu.Unlock()
		if runs++; f.err != nil {
			c := c
			c.seed = seed
			var out bytes.Buffer
			tell(&out, c, f, shrink(t.Context(), c, f))
			t.Error(out.String())
		}
	}
	for _, some := range []struct {
		seeds uint64
		blind bool
	}{{60, false}, {240, true}} {
		if c.blind = some.blind; t.Failed() {
			break
		}
		c.seed = 1 + uint64(runs)
		if err := each(t.Context(), c, some.seeds, 2, look); err != nil {
			t.Fatal(err)
		}
	}
	if runs != 300 && !t.Failed() {
		t.Error(runs)
	}
}

// A few longer ones, with rebuilt read models, on real logs.
func TestNothingIsFoundOnRealLogs(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, args := range []string{"--seeds 3 --steps 42 --store sqlite", "--seeds 3 --steps 22 --store esdb"} {
		var out, errs bytes.Buffer
		if code := simulate(t.Context(), strings.Fields(args), &out, &errs); code != 0 {
			t.Error(args, code, out.String(), errs.String())
		}
	}
}

// finds makes runs until one finds something.
func finds(t *testing.T, c config) string {
	t.Helper()
	c.steps, c.nodes, c.store, c.dir, c.faults = 30, 2, "memory", t.TempDir(), faulty.Usual
	for c.seed = 1; c.seed < 40; c.seed++ {
		f, err := run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if f.err != nil {
			again, err := run(t.Context(), c)
			if err != nil || again.err == nil || again.err.Error() != f.err.Error() {
				t.Errorf("seed %d: %v, and then %v, %v", c.seed, f.err, again.err, err)
			}
			small := shrink(t.Context(), c, f)
			if small.err == nil || len(small.steps) > len(f.steps) {
				t.Errorf("%d steps from %d, %v", len(small.steps), len(f.steps), small.err)
			}
			var out bytes.Buffer
			tell(&out, c, f, small)
			return out.String()
		}
	}
	t.Fatal("nothing was found")
	return ""
}

// An auditor with a wrong rule does not agree with the ledger.
func TestAWrongRuleIsFound(t *testing.T) {
	for _, what := range []string{"pay", "write-off", "refund"} {
		if out := finds(t, config{wrong: what}); !strings.Contains(out, "the auditor has") || !strings.Contains(out, `"What":"`+what+`"`) {
			t.Error(what, out)
		}
	}
}

// forgetful says yes to an append and keeps nothing of it.
type forgetful struct {
	eventstore.Store
	left int // until it forgets one
}

func (s *forgetful) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	if _, _, ok := account.ParseStream(stream); ok {
		if s.left--; s.left == 0 {
			return s.Store.Head(ctx)
		}
	}
	return s.Store.Append(ctx, stream, expected, events...)
}

func TestALostEventIsFound(t *testing.T) {
	finds(t, config{spoil: func(_ int, s eventstore.Store) eventstore.Store { return &forgetful{s, 5} }})
}

// careless takes any version for the expected one.
type careless struct{ eventstore.Store }

func (s careless) Append(ctx context.Context, stream string, _ eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	var version eventstore.Version
	for r, err := range s.Read(ctx, stream, 0) {
		if err != nil {
			return 0, err
		}
		version = r.Version
	}
	return s.Store.Append(ctx, stream, version, events...)
}

func TestALogWithoutExpectedVersionsIsFound(t *testing.T) {
	finds(t, config{spoil: func(_ int, s eventstore.Store) eventstore.Store { return careless{s} }})
}

// stuttering yields some events twice while it is followed.
type stuttering struct{ eventstore.Store }

func (s stuttering) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for r, err := range s.Store.Follow(ctx, after) {
			if !yield(r, err) || r.Kind == "account.payment_applied" && !yield(r, err) {
				return
			}
		}
	}
}

func TestAFollowerThatStuttersIsFound(t *testing.T) {
	out := finds(t, config{spoil: func(node int, s eventstore.Store) eventstore.Store {
		if node == 1 {
			return stuttering{s}
		}
		return s
	}})
	if !strings.Contains(out, "read models") || !strings.Contains(out, `"What":"apply"`) {
		t.Error(out)
	}
}

func TestFlags(t *testing.T) {
	for _, test := range []struct {
		args string
		code int
		says string
	}{
		{"--seed 3 --steps 5 --well", 0, "seeds 3 to 3: 5 steps each, nothing found\n"},
		{"--seeds 2 --steps 5 --nodes 1 --parallel 1", 0, "seeds 1 to 2: 5 steps each, nothing found\n"},
		{"--store paper --parallel 1", 2, "urikakesim: seed 1: sim.unknown_store: "},
		{"--nodes 0", 2, "urikakesim: --nodes, --steps and --parallel are 1 or more, and there are no other arguments\n"},
		{"--no-such-flag", 2, "flag provided but not defined: -no-such-flag"},
	} {
		var out bytes.Buffer
		if code := simulate(t.Context(), strings.Fields(test.args), &out, &out); code != test.code || !strings.HasPrefix(out.String(), test.says) {
			t.Errorf("%s: %d, %s", test.args, code, out.String())
		}
	}
}
