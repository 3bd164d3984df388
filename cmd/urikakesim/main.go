// Urikakesim looks for faults in the ledger: it runs random commands, good ones and bad ones, on several nodes over a log
// that fails all the time, and holds every answer, every balance and every report to the plain-map books of an auditor who
// shares no code with the ledger. A seed makes the same run again.
//
//	urikakesim --seeds 1000
//	urikakesim --seed 42 --steps 500 --store sqlite
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/urikake/urikake/eventstore/faulty"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(simulate(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// simulate reads the flags and makes the runs. It returns 0 when all was well, 1 when something was found, 2 for bad flags.
func simulate(ctx context.Context, args []string, out, errs io.Writer) int {
	c := config{faults: faulty.Usual}
	flags := flag.NewFlagSet("urikakesim", flag.ContinueOnError)
	flags.SetOutput(errs)
	seeds := flags.Uint64("seeds", 100, "how many seeds to run, from --seed on")
	flags.Uint64Var(&c.seed, "seed", 1, "the first seed; given without --seeds, the only one")
	flags.IntVar(&c.steps, "steps", 60, "steps in each run")
	flags.IntVar(&c.nodes, "nodes", 3, "nodes on the log")
	flags.StringVar(&c.store, "store", "memory", "where the log is kept: memory, sqlite, or esdb: in memory, behind a server of EventStoreDB's protocol")
	well := flags.Bool("well", false, "a log without faults")
	parallel := flags.Int("parallel", 2, "runs at the same time")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["seed"] && !given["seeds"] {
		*seeds = 1
	}
	if *well {
		c.faults = faulty.Faults{}
	}
	if c.nodes < 1 || c.steps < 1 || *parallel < 1 || flags.NArg() > 0 {
		fmt.Fprintln(errs, "urikakesim: --nodes, --steps and --parallel are 1 or more, and there are no other arguments")
		return 2
	}
	var bad atomic.Int32
	var telling sync.Mutex
	err := each(ctx, c, *seeds, *parallel, func(seed uint64, f found) {
		if f.err == nil {
			return
		}
		bad.Add(1)
		c := c
		c.seed = seed
		small := shrink(ctx, c, f)
		telling.Lock()
		defer telling.Unlock()
		tell(out, c, f, small)
	})
	switch {
	case err != nil:
		fmt.Fprintln(errs, "urikakesim:", err)
		return 2
	case bad.Load() > 0:
		return 1
	}
	fmt.Fprintf(out, "seeds %d to %d: %d steps each, nothing found\n", c.seed, c.seed+*seeds-1, c.steps)
	return 0
}

// each makes the runs of some seeds, several at the same time. It stops at a trouble of its own.
func each(ctx context.Context, c config, seeds uint64, parallel int, tell func(seed uint64, f found)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for ctx.Err() == nil {
				n := next.Add(1) - 1
				if n >= seeds {
					return
				}
				c := c
				c.seed += n
				f, err := run(ctx, c)
				if err != nil {
					cancel(fmt.Errorf("seed %d: %w", c.seed, err))
					return
				}
				if ctx.Err() == nil {
					tell(c.seed, f)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// tell writes what was found, and the steps that lead to it.
func tell(out io.Writer, c config, f, small found) {
	fmt.Fprintf(out, "seed %d, step %d of %d: %v\n", c.seed, len(f.steps), c.steps, f.err)
	fmt.Fprintf(out, "again: urikakesim --seed %d --steps %d --nodes %d --store %s\n", c.seed, c.steps, c.nodes, c.store)
	if len(small.steps) < len(f.steps) {
		fmt.Fprintf(out, "%d of its steps are enough: %v\n", len(small.steps), small.err)
	}
	for _, s := range small.steps {
		fmt.Fprintln(out, strings.ReplaceAll(s.text(), "\n", " "))
	}
}
