// Package bench measures the ledger as its users load it: durable commands, replay, rebuild, reports.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/privacy"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections"
)

// Options say how large the ledgers are that are measured.
type Options struct {
	Accounts int      // accounts that commands are spread over
	Commands int      // commands of each kind that are measured
	Invoices int      // invoices of the largest ledger; a tenth of it is measured too
	Events   int      // events of the longest account
	Only     []string // parts to measure; all of them when empty
	Tell     func(step string)
}

func (o Options) tell(format string, args ...any) {
	if o.Tell != nil {
		o.Tell(fmt.Sprintf(format, args...))
	}
}

// Result is one figure.
type Result struct {
	Name  string
	Value float64
	Unit  string
	P50   time.Duration // 0 where it makes no sense
	P99   time.Duration
	Goal  string // what is to be reached on two cores; "" where none is set
}

// parts are what is measured, in this order.
var parts = []struct {
	name string
	run  func(context.Context, string, Options) ([]Result, error)
}{
	{"commands", commands},
	{"reports", reports},
	{"sizes", sizes},
	{"lengths", lengths},
	{"http", served},
	{"dunning", duns},
	{"audit", audits},
}

// Parts names what can be measured by itself.
func Parts() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// Run measures everything, or the parts that Options.Only names, in ledgers of its own below dir, which it removes.
func Run(ctx context.Context, dir string, o Options) ([]Result, error) {
	var all []Result
	for _, part := range parts {
		if len(o.Only) > 0 && !slices.Contains(o.Only, part.name) {
			continue
		}
		resettable := resetPeak()
		results, err := part.run(ctx, dir, o)
		if all = append(all, results...); err != nil {
			return all, err
		}
		if most, ok := peakMemory(); ok && resettable {
			all = append(all, Result{Name: "peak memory of " + part.name, Value: most, Unit: "MiB", Goal: "400"})
		}
	}
	return all, nil
}

// books is an open ledger.
type books struct {
	store  *sqlite.Store
	ledger *ledger.Ledger
	views  *projections.Views
	codec  *eventstore.Codec
	dir    string
}

func open(dir string) (*books, error) {
	store, err := sqlite.Open(dir, time.Now)
	if err != nil {
		return nil, err
	}
	codec := codecOf(dir)
	views, err := projections.Open(dir, store, codec)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &books{store, ledger.New(store, codec, eventstore.SnapshotDir(filepath.Join(dir, "snapshots"))), views, codec, dir}, nil
}

// codecOf seals what is personal, as every ledger does.
func codecOf(dir string) *eventstore.Codec {
	return ledger.Sealing(privacy.Open(filepath.Join(dir, "keys")))
}

// close also removes the ledger: the next one wants the room.
func (b *books) close() error {
	return errors.Join(b.views.Close(), b.store.Close(), os.RemoveAll(b.dir))
}

// within opens a fresh ledger for some work.
func within(dir, name string, work func(b *books) error) (err error) {
	b, err := open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	return work(b)
}

// filled opens a fresh ledger with customers and invoices for some work.
func filled(ctx context.Context, dir string, o Options, accounts, invoices int, work func(b *books) error) error {
	return within(dir, fmt.Sprint("ledger-", invoices), func(b *books) error {
		o.tell("writing a ledger of %d invoices", invoices)
		if err := register(ctx, b.ledger, accounts); err != nil {
			return err
		}
		if err := fill(ctx, b.store, b.codec, accounts, invoices); err != nil {
			return err
		}
		return work(b)
	})
}

// commands measures durable commands.
func commands(ctx context.Context, dir string, o Options) (results []Result, err error) {
	err = within(dir, "writes", func(b *books) error {
		if err := register(ctx, b.ledger, o.Accounts); err != nil {
			return err
		}
		results, err = writes(ctx, b.ledger, o)
		return err
	})
	return results, err
}

// resetPeak begins to measure the most memory anew, where the system can.
func resetPeak() bool {
	debug.FreeOSMemory()
	return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) == nil
}

// peakMemory is the most memory that the process has had resident, in MiB, where the system tells.
func peakMemory() (float64, bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	var kib float64
	_, err = fmt.Sscan(rest, &kib)
	return kib / 1024, ok && err == nil
}
