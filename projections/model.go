// Package projections folds the log into read models and answers questions from them: aging, balances, invoices,
// statements, unapplied money, parties. The log is the truth; everything here can be thrown away and folded again.
//
// Every report takes a business day (as of) and may take a log position (as known at): it shows what was true on that
// day as far as was written up to that position. Nothing here reads a clock.
//
// # How to add a read model
//
//  1. Declare its tables as Go values (see Table): a key, and columns that each say how a new value meets the old one
//     (Set, Add, Max). Dates are day numbers, money is minor units, positions are integers.
//  2. Write a fold: for each event, say what changes in which row (Writer.Row). A fold never reads a table and never
//     asks a clock; it only states changes. So it does not matter how many events are written at once, and folding
//     again from the first event gives the same rows to the byte.
//  3. Add one line to All. When a fold or a table changes, raise Version: the tables are made anew from the log.
//  4. Write the query beside it, as a method of Views that begins with look: it waits until everything that was in
//     the log before the question is folded.
//
// Models and queries use plain SQL and know no database. What knows SQLite is in sql.go and sql_read.go.
package projections

import (
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// Model is one read model: tables, and how events change them.
type Model struct {
	Name    string   // prefix of its tables
	Version int      // raised when Tables or Fold change: the model is folded again from the first event
	Kinds   []string // wire names of the events that it folds; others never reach it
	Tables  []*Table
	Fold    func(w *Writer, e domain.Event, r eventstore.Recorded)
}

// All is every read model.
var All = []Model{
	items,
	parties,
	receipts,
	cases,
}
