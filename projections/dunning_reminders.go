package projections

import (
	"cmp"
	"context"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// ReminderState is how far a reminder came.
type ReminderState string

const (
	ReminderQueued  ReminderState = "queued" // it waits for the last look and the sending
	ReminderSent    ReminderState = "sent"
	ReminderDropped ReminderState = "dropped"
)

var reminderStates = []ReminderState{stateQueued: ReminderQueued, stateSent: ReminderSent, stateDropped: ReminderDropped}

// RemindersQuery looks for reminders; what is given must be true.
type RemindersQuery struct {
	Seller   domain.SellerID
	Customer domain.CustomerID
	State    ReminderState
	Run      dunning.RunID
	Limit    int    // of Reminders
	After    string // cursor of the answer before
}

// RemindersReport is the answer.
type RemindersReport struct {
	KnownAt eventstore.Position
	Rows    []ReminderRow
	Next    string // cursor of the rows that follow; empty when there are none
}

// ReminderRow is one reminder, without its items and its text.
type ReminderRow struct {
	dunning.Key
	Name       string
	Reminder   dunning.ReminderID
	State      ReminderState
	QueuedOn   domain.Date
	Generation int
	Level      int
	LevelID    dunning.LevelID
	Policy     dunning.PolicyID
	Version    int
	Items      int
	Due        domain.Money
	Disputed   domain.Money // left out of it
	Unapplied  domain.Money
	ToPay      domain.Money
	LateCharge domain.Money // shown; zero for none
	Fee        domain.Money
	Channel    dunning.Channel // by which it was sent, once it was
	Recipient  string
	Template   dunning.TemplateID
	Tone       dunning.Tone
	Who        dunning.Capacity // who may send it
	Acting     dunning.Capacity // in whose name it was queued
	Run        dunning.RunID    // empty: by hand, for a reason
	Reason     string
	SentOn     domain.Date
	Result     dunning.SendResult
	TextHash   string
	DroppedOn  domain.Date
	DropReason dunning.DropReason
	DropNote   string
}

// Reminders finds reminders as they stand now, by customer, currency and id, at most q.Limit (100 when left out) of
// them. O(reminders of the seller), or of the customer; of what is queued O(rows). Refuses input.unknown_value,
// views.bad_limit, views.bad_cursor, views.unknown_seller, views.unknown_customer, and what CatchUp refuses.
func (v *Views) Reminders(ctx context.Context, q RemindersQuery) (RemindersReport, error) {
	after, err := q.settle()
	if err != nil {
		return RemindersReport{}, err
	}
	known, err := v.CatchUp(ctx)
	if err != nil {
		return RemindersReport{}, err
	}
	rows, err := v.reminderPage(ctx, q, known, after, q.Limit+1)
	report := RemindersReport{KnownAt: known, Rows: rows}
	if len(rows) > q.Limit {
		report.Rows = rows[:q.Limit]
		last := rows[q.Limit-1]
		report.Next = strings.Join([]string{string(last.Customer), string(last.Currency), string(last.Reminder)}, ".")
	}
	return report, err
}

// EachReminder is Reminders without a limit: it yields row by row in the same order. While yield runs nothing is held,
// so it may be slow, and what it does to a reminder changes nothing of which follow. An error of yield ends it and is
// returned. Flat memory. Refuses what Reminders refuses.
func (v *Views) EachReminder(ctx context.Context, q RemindersQuery, yield func(ReminderRow) error) (eventstore.Position, error) {
	first, err := q.settle()
	if err != nil {
		return 0, err
	}
	known, err := v.CatchUp(ctx)
	if err != nil {
		return 0, err
	}
	err = eachPage(v.pageRows, yield, func(after *ReminderRow, most int) ([]ReminderRow, error) {
		if after == nil {
			after = first
		}
		return v.reminderPage(ctx, q, known, after, most)
	})
	return known, err
}

func (q *RemindersQuery) settle() (after *ReminderRow, err error) {
	var faults domain.Faults
	known := q.State == ""
	for _, s := range reminderStates {
		known = known || q.State == s
	}
	faults.Require(known, "/state", domain.ErrUnknown.With("%q, want queued, sent or dropped", string(q.State)))
	q.Limit = cmp.Or(q.Limit, LimitDefault)
	faults.Require(q.Limit > 0 && q.Limit <= LimitMax, "/limit", ErrBadLimit.With("%d", q.Limit))
	if q.After != "" {
		parts := strings.Split(q.After, ".")
		if faults.Require(len(parts) == 3, "/after", ErrBadCursor); len(parts) == 3 {
			after = &ReminderRow{Reminder: dunning.ReminderID(parts[2])}
			after.Customer, after.Currency = domain.CustomerID(parts[0]), domain.Currency(parts[1])
		}
	}
	return after, faults.Err()
}

func (v *Views) reminderPage(ctx context.Context, q RemindersQuery, known eventstore.Position, after *ReminderRow, most int) (page []ReminderRow, err error) {
	if _, err := v.Wait(ctx, known); err != nil { // the file may have been made anew
		return nil, err
	}
	where, args := q.where(after)
	query := "SELECT " + columnList(dunningReminders.Columns) + ", customer, currency, reminder FROM dunning_reminders WHERE seller = ?" +
		where + " ORDER BY customer, currency, reminder LIMIT ?"
	err = v.look(ctx, func(r *reader) error {
		if err := r.knows(q.Seller, q.Customer, everKnown); err != nil {
			return err
		}
		err := r.each(query, append(args, Int(most)), func(c *cursor) error {
			n := len(dunningReminders.Columns)
			key := dunning.Key{Seller: q.Seller, Customer: domain.CustomerID(c.text(n)), Currency: domain.Currency(c.text(n + 1))}
			page = append(page, reminderRow(key, dunning.ReminderID(c.text(n+2)), columnsOf(dunningReminders, c, 0)))
			return nil
		})
		for i := range page {
			if err == nil {
				page[i].Name, err = r.name(q.Seller, page[i].Customer, everKnown)
			}
		}
		return err
	})
	return page, err
}

func (q *RemindersQuery) where(after *ReminderRow) (where string, args []Value) {
	args = []Value{Str(q.Seller)}
	and := func(condition string, v ...Value) { where, args = where+" AND "+condition, append(args, v...) }
	switch q.State {
	case ReminderQueued:
		and("state = 0") // as the index says it
	case ReminderSent:
		and("state = ?", Int(stateSent))
	case ReminderDropped:
		and("state = ?", Int(stateDropped))
	}
	if q.Customer != "" {
		and("customer = ?", Str(q.Customer))
	}
	if q.Run != "" {
		and("run = ?", Str(q.Run))
	}
	if after != nil {
		and("(customer, currency, reminder) > (?, ?, ?)", Str(after.Customer), Str(after.Currency), Str(after.Reminder))
	}
	return where, args
}

func reminderRow(key dunning.Key, id dunning.ReminderID, c columns) ReminderRow {
	money := func(column int) domain.Money { return domain.NewMoney(c.int(column), key.Currency) }
	row := ReminderRow{
		Key: key, Reminder: id, State: reminderStates[c.int(reminderState)], QueuedOn: c.date(reminderQueuedOn),
		Generation: int(c.int(reminderGeneration)), Level: int(c.int(reminderLevel)), LevelID: dunning.LevelID(c.text(reminderLevelID)),
		Policy: dunning.PolicyID(c.text(reminderPolicy)), Version: int(c.int(reminderVersion)), Items: int(c.int(reminderItems)),
		Due: money(reminderDue), Disputed: money(reminderDisputed), Unapplied: money(reminderUnapplied), ToPay: money(reminderToPay),
		LateCharge: money(reminderLateCharge), Fee: money(reminderFee),
		Channel: dunning.Channel(c.text(reminderChannel)), Recipient: c.text(reminderRecipient), Template: dunning.TemplateID(c.text(reminderTemplate)),
		Tone: dunning.Tone(c.text(reminderTone)), Who: dunning.Capacity(c.text(reminderWho)), Acting: dunning.Capacity(c.text(reminderActing)),
		Run: dunning.RunID(c.text(reminderRun)), Reason: c.text(reminderReason),
	}
	switch row.State {
	case ReminderSent:
		row.SentOn, row.Channel = c.date(reminderEndedOn), dunning.Channel(c.text(reminderSentBy))
		row.Result, row.TextHash = dunning.SendResult(c.text(reminderResult)), c.text(reminderHash)
	case ReminderDropped:
		row.DroppedOn = c.date(reminderEndedOn)
		row.DropReason, row.DropNote = dunning.DropReason(c.text(reminderDropReason)), c.text(reminderDropNote)
	}
	return row
}
