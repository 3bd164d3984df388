package projections

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// caseFile is the rows of one case in all tables but that of reminders, as one set of columns each.
type caseFile struct {
	key      dunning.Key
	name     string
	position int64 // of the newest event that it shows
	head     columns
	holds    []columns // by id
	plan     columns   // the one that runs
	contacts []contactOn
}

// columns is a row's values by their place in the table's Columns.
type columns struct {
	numbers []int64
	texts   []string
}

type contactOn struct {
	on int64
	columns
}

func (c columns) isZero() bool                { return c.numbers == nil }
func (c columns) int(column int) int64        { return c.numbers[column] }
func (c columns) text(column int) string      { return c.texts[column] }
func (c columns) date(column int) domain.Date { return domain.DateFromDayNumber(c.numbers[column]) }

// noColumns is a row of which nothing was given.
func noColumns(t *Table) columns {
	return columns{make([]int64, len(t.Columns)), make([]string, len(t.Columns))}
}

// columnsOf copies a row that a cursor stands on, whose columns begin at from.
func columnsOf(t *Table, c *cursor, from int) columns {
	out := noColumns(t)
	for i, column := range t.Columns {
		if column.Type == Text {
			out.texts[i] = c.text(from + i)
		} else {
			out.numbers[i] = c.int(from + i)
		}
	}
	return out
}

// columns is what a batch says of a row, whose columns begin as 0 or empty.
func (r *Row) columns() columns {
	list := r.of.table.Columns
	out := columns{make([]int64, len(list)), make([]string, len(list))}
	for i, column := range list {
		switch {
		case column.Type != Text:
			out.numbers[i] = r.numbers[r.of.slot[i]]
		case r.texts != nil:
			out.texts[i] = r.texts[r.of.slot[i]]
		}
	}
	return out
}

const ofCase = " WHERE seller = ? AND customer = ? AND currency = ?"

// caseFile reads a case as it stands; nil: there is none.
func (r *reader) caseFile(key dunning.Key) (*caseFile, error) {
	of := []Value{Str(key.Seller), Str(key.Customer), Str(key.Currency)}
	all := func(t *Table, more string, args []Value, row func(columns, *cursor)) error {
		query := "SELECT " + columnList(t.Columns) + ", " + columnList(t.Key) + " FROM " + t.Name + ofCase + more
		return r.each(query, args, func(c *cursor) error {
			row(columnsOf(t, c, 0), c)
			return nil
		})
	}
	var file *caseFile
	err := all(dunningCases, "", of, func(c columns, _ *cursor) {
		file = &caseFile{key: key, head: c, position: c.int(casePosition)}
	})
	if err != nil || file == nil {
		return nil, err
	}
	if err = all(dunningHolds, "", of, func(c columns, _ *cursor) { file.holds = append(file.holds, c) }); err != nil {
		return nil, err
	}
	plan := append(of[:3:3], Str(file.head.text(casePlan)))
	if err = all(dunningPlans, " AND plan = ?", plan, func(c columns, _ *cursor) { file.plan = c }); err != nil {
		return nil, err
	}
	err = all(dunningContacts, "", of, func(c columns, at *cursor) {
		file.contacts = append(file.contacts, contactOn{at.int(len(dunningContacts.Columns) + 3), c})
	})
	return file, err
}

// caseFileAt folds a case from the log, up to a moment; nil: there was none yet.
func (v *Views) caseFileAt(ctx context.Context, key dunning.Key, at moment) (*caseFile, error) {
	f := newCaseFolder(key)
	if err := v.eachKnown(ctx, key.Stream(), at, f.add); err != nil {
		return nil, err
	}
	return f.file(), nil
}

// caseFolder folds one case in memory, by the same fold as the tables.
type caseFolder struct {
	key dunning.Key
	w   *Writer
}

func newCaseFolder(key dunning.Key) caseFolder {
	return caseFolder{key, newWriter(nil, "", true, sizes{}, nil)}
}

func (f caseFolder) add(event domain.Event, r eventstore.Recorded) { foldCases(f.w, event, r) }

func (f caseFolder) file() *caseFile {
	heads := f.rows(dunningCases)
	if len(heads) == 0 {
		return nil
	}
	file := &caseFile{key: f.key, head: heads[0].columns()}
	file.position = file.head.int(casePosition)
	for _, r := range f.rows(dunningHolds) {
		file.holds = append(file.holds, r.columns())
	}
	for _, r := range f.rows(dunningPlans) {
		if f.last(r, Text).text == file.head.text(casePlan) {
			file.plan = r.columns()
		}
	}
	for _, r := range f.rows(dunningContacts) {
		file.contacts = append(file.contacts, contactOn{f.last(r, Integer).number, r.columns()})
	}
	return file
}

func (f caseFolder) rows(t *Table) []*Row { return f.w.filling.rows(t).sorted() }

// last is the part of a row's key after the case.
func (f caseFolder) last(r *Row, t Type) (v Value) {
	rest := r.key
	for range caseKey {
		_, rest = cutKey(rest, Text)
	}
	v, _ = cutKey(rest, t)
	return v
}

// row says how the case stood.
func (f *caseFile) row(at moment) CaseRow {
	row := CaseRow{Key: f.key, Name: f.name}
	h := f.head
	if h.isZero() {
		return row
	}
	row.Version, row.Generation, row.Begun = eventstore.Version(h.int(caseVersion)), int(h.int(caseGeneration)), h.int(caseBegun) != 0
	row.Level, row.LevelID, row.LastSentOn = int(h.int(caseLevel)), dunning.LevelID(h.text(caseLevelID)), h.date(caseSentOn)
	row.Reminders, row.Pending = int(h.int(caseReminders)), dunning.ReminderID(h.text(casePending))
	row.Returned, row.HandedTo, row.Taker = h.int(caseReturned) != 0, dunning.HandOverTo(h.text(caseHandedTo)), h.text(caseTaker)
	row.Collector = h.text(caseCollector)
	row.ClosedOn, row.ClosedFor = h.date(caseClosedOn), dunning.CloseReason(h.text(caseClosedFor))
	f.promise(&row)
	f.hold(&row, at)
	f.agreed(&row)
	for _, c := range f.contacts {
		if c.on <= at.day {
			row.LastContactOn, row.LastContactBy = domain.DateFromDayNumber(c.on), dunning.ContactBy(c.text(contactBy))
			row.LastContactOutcome = dunning.ContactOutcome(c.text(contactOutcome))
		}
	}
	row.Open = row.Begun || row.PromiseState == PromiseOpen || row.Plan != "" || row.Returned || row.HandedTo != ""
	return row
}

func (f *caseFile) promise(row *CaseRow) {
	h := f.head
	row.PromisesKept, row.PromisesBroken = int(h.int(caseKept)), int(h.int(caseBroken))
	if row.Promise = dunning.PromiseID(h.text(casePromise)); row.Promise == "" {
		return
	}
	row.PromiseAmount = domain.NewMoney(h.int(casePromiseMinor), f.key.Currency)
	row.PromiseMadeOn, row.PromiseDay, row.PromisePayBy = h.date(casePromiseMadeOn), h.date(casePromiseDay), h.date(casePromisePayBy)
	switch row.PromiseState = PromiseState(h.text(casePromiseOutcome)); {
	case h.int(casePromiseOpen) != 0:
		row.PromiseState = PromiseOpen
	case row.PromiseState == "":
		row.PromiseState = PromiseEnded
	}
}

// hold finds the one that stands on the day.
func (f *caseFile) hold(row *CaseRow, at moment) {
	var found columns
	for _, h := range f.holds {
		if !stands(h, at) {
			continue
		}
		disputed := h.text(holdKind) == string(dunning.Disputed)
		switch {
		case found.isZero(), disputed && found.text(holdKind) != string(dunning.Disputed):
			found = h
		case disputed == (found.text(holdKind) == string(dunning.Disputed)) && h.int(holdPosition) < found.int(holdPosition):
			found = h
		}
	}
	if !found.isZero() {
		row.HoldKind, row.HoldReason = dunning.HoldKind(found.text(holdKind)), found.text(holdReason)
		row.HoldFrom, row.HoldUntil = found.date(holdFrom), found.date(holdUntil)
	}
}

func stands(h columns, at moment) bool {
	return h.int(holdReleasedAt) == 0 && h.int(holdFrom) <= at.day && (h.int(holdUntil) == 0 || h.int(holdUntil) >= at.day)
}

func (f *caseFile) agreed(row *CaseRow) {
	if row.Plan = dunning.PlanID(f.head.text(casePlan)); row.Plan == "" || f.plan.isZero() {
		return
	}
	p := f.plan
	row.PlanAmount, row.PlanInstalments = domain.NewMoney(p.int(planMinor), f.key.Currency), int(p.int(planInstalments))
	row.PlanAgreedOn, row.PlanEndsOn, row.PlanEffectiveOn = p.date(planAgreedOn), p.date(planEndsOn), p.date(planEffectiveOn)
	row.PlanMissed = int(p.int(planMissed))
}
