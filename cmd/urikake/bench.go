package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urikake/urikake/adapters/bench"
	"github.com/urikake/urikake/adapters/export"
)

type benchCmd struct {
	Accounts int           `help:"Accounts that commands are spread over." default:"10000"`
	Commands int           `help:"Commands of each kind." default:"100000"`
	Invoices int           `help:"Invoices of the largest ledger." default:"1000000"`
	Events   int           `help:"Events of the longest account." default:"100000"`
	Only     []string      `help:"Measure these parts only: commands, reports, sizes, lengths, http, dunning, audit." placeholder:"PART"`
	Format   export.Format `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// Help is shown by `urikake bench --help`.
func (benchCmd) Help() string {
	return `Measures durable commands, replay, rebuild and aging in a scratch directory below --data (or the system's
temporary directory), which is removed afterwards. It takes some minutes and 3 GB of disk.

A quick look:  urikake bench --commands 20000 --invoices 100000
One part:      urikake bench --only http
Two logs:      urikake bench --store esdb
               appends and reading all, embedded and through the EventStoreDB client over loopback`
}

// benchStore asks for the log on an EventStoreDB server, which bench starts itself.
const benchStore = "esdb"

func (c *benchCmd) Run(ctx context.Context, s *session) error {
	if c.Accounts < 1 || c.Commands < 100 || c.Invoices < 1000 || c.Events < 10 {
		return errUsage.With("bench takes at least 1 account, 100 commands, 1000 invoices and 10 events")
	}
	for _, part := range c.Only {
		if !slices.Contains(bench.Parts(), part) {
			return errUsage.With("--only %s: there are %s", part, strings.Join(bench.Parts(), ", "))
		}
	}
	parent := ""
	if s.named {
		parent = s.dir
	}
	dir, err := os.MkdirTemp(parent, "urikake-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	start := time.Now()
	measure := bench.Run
	if s.store == benchStore {
		measure = bench.EventStoreDB
	}
	results, err := measure(ctx, dir, bench.Options{
		Accounts: c.Accounts, Commands: c.Commands, Invoices: c.Invoices, Events: c.Events, Only: c.Only,
		Tell: func(step string) {
			fmt.Fprintf(s.err, "%6.1f s  %s\n", time.Since(start).Seconds(), step)
		},
	})
	if err != nil {
		return err
	}
	if c.Format == export.JSON {
		enc := json.NewEncoder(s.out)
		enc.SetIndent("", "  ")
		return enc.Encode(results)
	}
	sheet := export.Sheet{Columns: []export.Column{
		{Name: "what"},
		{Name: "value", Kind: export.Amount},
		{Name: "unit"},
		{Name: "p50", Kind: export.Count},
		{Name: "p99", Kind: export.Count},
		{Name: "goal"},
	}}
	for _, r := range results {
		digits := 0
		if r.Value < 1000 {
			digits = 1
		}
		sheet.Add(r.Name, strconv.FormatFloat(r.Value, 'f', digits, 64), r.Unit, latency(r.P50), latency(r.P99), r.Goal)
	}
	sheet.Notes = []string{"", fmt.Sprintf("%s, %s/%s, %d cores", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())}
	return sheet.Write(s.out, c.Format)
}

func latency(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}
