package projections

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

var runKey = []Column{{Name: "seller", Type: Text}, {Name: "run", Type: Text}}

var dunningRuns = &Table{
	Name: "dunning_runs",
	Key:  runKey,
	Columns: []Column{
		runOn:       {Name: "on_day"},
		runActing:   {Name: "acting", Type: Text},
		runBankData: {Name: "bank_data_on"},
		runPosition: {Name: "position"}, // where it was begun
		runParts:    {Name: "parts", Merge: Max},
		runDebtors:  {Name: "debtors", Merge: Add},
		runRefused:  {Name: "refused", Merge: Add},
		runEnded:    {Name: "ended"},
	},
}

const (
	runOn = iota
	runActing
	runBankData
	runPosition
	runParts
	runDebtors
	runRefused
	runEnded
)

// dunningCounts counts a run's debtors by reason, and its steps by what they do.
var dunningCounts = &Table{
	Name:    "dunning_counts",
	Key:     append(runKey[:2:2], Column{Name: "step"}, Column{Name: "of", Type: Text}),
	Columns: []Column{0: {Name: "times", Merge: Add}},
}

func foldRun(w *Writer, event dunning.RunEvent, r eventstore.Recorded) {
	key, ok := dunning.ParseRunStream(r.Stream)
	if !ok {
		return
	}
	row := w.Row(dunningRuns, Str(key.Seller), Str(key.Run))
	count := func(step int, of string) {
		w.Row(dunningCounts, Str(key.Seller), Str(key.Run), Int(step), Str(of)).Put(0, 1)
	}
	switch e := event.(type) {
	case dunning.RunBegun:
		row.Put(runOn, e.BegunOn.DayNumber()).text(runActing, string(e.Acting)).Put(runBankData, e.BankDataOn.DayNumber()).
			Put(runPosition, int64(r.Position))
	case dunning.RunDecided:
		row.Put(runParts, int64(e.Part)).Put(runDebtors, int64(len(e.Decisions))).Put(runRefused, int64(len(e.Refused)))
		for _, d := range e.Decisions {
			count(0, string(d.Why))
			for _, s := range d.Steps {
				count(1, string(s.Do))
			}
		}
	case dunning.RunEnded:
		row.Put(runEnded, 1).Put(runRefused, int64(len(e.Refused)))
	}
}

// RunRow is one run over all debtors of a seller that was recorded; a dry run leaves nothing.
type RunRow struct {
	Run        dunning.RunID
	On         domain.Date // the day as of which it decided
	Acting     dunning.Capacity
	BankDataOn domain.Date         // zero: not known
	Begun      eventstore.Position // where it was begun
	Ended      bool                // else it runs, or was broken off: the same run again goes on with it
	Parts      int
	Debtors    int // decided on
	Reminders  int // that were due
	Refused    int // steps that the cases refused, as the books had changed meanwhile
	Whys       []dunning.RunCount
	Steps      []dunning.RunCount
}

// Runs lists the runs of a seller as they stand now, the newest first. O(runs). Refuses views.unknown_seller, and what
// CatchUp refuses.
func (v *Views) Runs(ctx context.Context, seller domain.SellerID) (list []RunRow, err error) {
	err = v.lookNow(ctx, func(r *reader) (err error) {
		if err = r.knows(seller, "", everKnown); err == nil {
			list, err = r.runs("", Str(seller))
		}
		return err
	})
	return list, err
}

// DunningRun gives one run as it stands now. Refuses views.unknown_seller, dunning.unknown_run, and what CatchUp refuses.
func (v *Views) DunningRun(ctx context.Context, key dunning.RunKey) (row RunRow, err error) {
	err = v.lookNow(ctx, func(r *reader) error {
		if err := r.knows(key.Seller, "", everKnown); err != nil {
			return err
		}
		list, err := r.runs(" AND run = ?", Str(key.Seller), Str(key.Run))
		if err == nil && len(list) == 0 {
			err = dunning.ErrUnknownRun.With("%q", string(key.Run)).At("/run")
		}
		if err == nil {
			row = list[0]
		}
		return err
	})
	return row, err
}

func (r *reader) runs(which string, args ...Value) (list []RunRow, err error) {
	query := "SELECT " + columnList(dunningRuns.Columns) + ", run FROM dunning_runs WHERE seller = ?" + which + " ORDER BY position DESC"
	err = r.each(query, args, func(c *cursor) error {
		row := columnsOf(dunningRuns, c, 0)
		list = append(list, RunRow{
			Run: dunning.RunID(c.text(len(dunningRuns.Columns))), On: row.date(runOn), Acting: dunning.Capacity(row.text(runActing)),
			BankDataOn: row.date(runBankData), Begun: eventstore.Position(row.int(runPosition)), Ended: row.int(runEnded) != 0,
			Parts: int(row.int(runParts)), Debtors: int(row.int(runDebtors)), Refused: int(row.int(runRefused)),
		})
		return nil
	})
	for i := range list {
		if err == nil {
			err = r.counts(args[0], &list[i])
		}
	}
	return list, err
}

func (r *reader) counts(seller Value, run *RunRow) error {
	return r.each("SELECT step, of, times FROM dunning_counts WHERE seller = ? AND run = ? ORDER BY step, of", []Value{seller, Str(run.Run)},
		func(c *cursor) error {
			count := dunning.RunCount{Of: c.text(1), Times: int(c.int(2))}
			if c.int(0) == 0 {
				run.Whys = append(run.Whys, count)
				return nil
			}
			run.Steps = append(run.Steps, count)
			if count.Of == string(dunning.Remind) {
				run.Reminders = count.Times
			}
			return nil
		})
}

// RunDecisionRow is what a run decided on one debtor.
type RunDecisionRow struct {
	Name    string
	On      domain.Date
	Part    int
	Refused string // rule by which the case refused a step when it was carried out; empty: none was refused
	dunning.RunDecision
}

// EachRunDecision yields what a run decided, debtor by debtor in the order of customer and currency. It reads the log
// part by part; while yield runs nothing is held, so it may be slow. An error of yield ends it and is returned.
// Refuses views.unknown_seller, dunning.unknown_run, what CatchUp and reading the log refuse.
func (v *Views) EachRunDecision(ctx context.Context, key dunning.RunKey, yield func(RunDecisionRow) error) error {
	if _, err := v.DunningRun(ctx, key); err != nil {
		return err
	}
	part := []RunDecisionRow(nil) // which of its steps were refused stands in the event after it
	for at := eventstore.Version(0); ; at++ {
		event, err := v.nextOf(ctx, key.Stream(), at)
		if err != nil {
			return err
		}
		var refused []dunning.RunRefusal
		var next []RunDecisionRow
		switch e := event.(type) {
		case dunning.RunDecided:
			refused = e.Refused
			if next, err = v.decisions(ctx, key.Seller, e); err != nil {
				return err
			}
		case dunning.RunEnded:
			refused = e.Refused
		}
		for _, row := range part {
			if err := yield(row.with(refused)); err != nil {
				return err
			}
		}
		if part = next; event == nil {
			return nil
		}
	}
}

// nextOf is the event of a stream after a version; nil at its end.
func (v *Views) nextOf(ctx context.Context, stream string, after eventstore.Version) (domain.Event, error) {
	for r, err := range v.store.Read(ctx, stream, after) {
		if err != nil {
			return nil, err
		}
		return v.codec.Decode(r)
	}
	return nil, nil
}

func (v *Views) decisions(ctx context.Context, seller domain.SellerID, e dunning.RunDecided) ([]RunDecisionRow, error) {
	rows := make([]RunDecisionRow, len(e.Decisions))
	err := v.look(ctx, func(r *reader) (err error) {
		for i, d := range e.Decisions {
			rows[i] = RunDecisionRow{On: e.DecidedOn, Part: e.Part, RunDecision: d}
			if rows[i].Name, err = r.name(seller, d.Customer, everKnown); err != nil {
				return err
			}
		}
		return nil
	})
	return rows, err
}

func (row RunDecisionRow) with(refused []dunning.RunRefusal) RunDecisionRow {
	for _, r := range refused {
		if row.Refused == "" && r.Customer == row.Customer && r.Currency == row.Currency {
			row.Refused = r.Rule
		}
	}
	return row
}
