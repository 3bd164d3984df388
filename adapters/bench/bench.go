// Package bench measures the ledger as its users load it: durable commands, replay, rebuild, reports.
package bench

import (
	"time"
)

// Options say how large the ledgers are that are measured.
type Options struct {
	Accounts int // accounts that commands are spread over
	Commands int // commands of each kind that are measured
	Invoices int // invoices of the largest ledger
	Tell     func(step string)
}

func (o Options) tell(step string) {
	if o.Tell != nil {
		o.Tell(step)
	}
}

// Result is one figure.
type Result struct {
	Name   string
	Value  float64
	Unit   string
	P50    time.Duration // 0 where it makes no sense
	P99    time.Duration
	Target string // what is to be reached on two cores
}
