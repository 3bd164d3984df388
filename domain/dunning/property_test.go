package dunning_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// world is a debtor, the case, and an auditor who reads events only.
type world struct {
	state  *dunning.State
	policy dunning.Versioned
	debtor dunning.Debtor
	today  domain.Date
	ids    int

	events []domain.Event
	levels []int       // sent in this generation, as the auditor read it
	waits  bool        // a reminder is queued
	last   domain.Date // of the last one sent
	total  int
}

func newWorld(t *rapid.T) *world {
	w := &world{state: dunning.Decider.New(), policy: plain(), today: day("06-28")}
	w.debtor = owing()
	if rapid.Bool().Draw(t, "ahead") {
		w.policy.Levels = append([]dunning.Level{{
			ID: "PRE", DaysAfterDue: -5, Channel: dunning.Mail, Template: "pre", Tone: dunning.Courtesy, LateCharge: dunning.NoLateCharge, Who: dunning.Agency,
		}}, w.policy.Levels...)
	}
	w.policy.MinimumDays = rapid.IntRange(0, 6).Draw(t, "between")
	w.policy.GraceDays = rapid.IntRange(0, 4).Draw(t, "grace")
	w.policy.BusinessDaysOnly = rapid.Bool().Draw(t, "banks")
	for i := range rapid.IntRange(1, 4).Draw(t, "invoices") {
		due := w.today.AddDays(rapid.IntRange(-20, 60).Draw(t, "due"))
		it := item(domain.InvoiceID(fmt.Sprint("I", i)), "06-30", rapid.Int64Range(1, 20_000).Draw(t, "open"))
		it.DueOn = due
		w.debtor.Items = append(w.debtor.Items, it)
	}
	if err := w.policy.Check(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) id() string {
	w.ids++
	return fmt.Sprint("N", w.ids)
}

// give orders something; a refusal changes nothing.
func (w *world) give(t *rapid.T, c dunning.Command) bool {
	r := dunning.Request{Command: dunning.WithID(c, w.id()), Facts: dunning.Facts{SellerKnown: true, CustomerKnown: true, Policy: w.policy, Debtor: w.debtor}}
	events, err := dunning.Decider.Decide(w.state, r)
	if err != nil {
		return false
	}
	for _, e := range events {
		w.audit(t, e)
		err := dunning.Decider.Audit(w.state, key.Stream(), e)
		if queued, ok := e.(dunning.ReminderQueued); ok {
			err = errors.Join(err, w.state.Follows(w.policy.Policy, queued.Reminder))
		}
		if err != nil {
			t.Fatalf("%s %+v: an audit finds %v", e.Kind(), e, err)
		}
		w.state = dunning.Decider.Evolve(w.state, e)
	}
	return true
}

// audit reads one event and proves what must hold whatever happened before.
func (w *world) audit(t *rapid.T, e domain.Event) {
	w.events = append(w.events, e)
	switch e := e.(type) {
	case dunning.ReminderQueued:
		if w.waits {
			t.Fatal("a second reminder is queued while one waits")
		}
		w.waits = true
		w.auditReminder(t, e.Reminder)
	case dunning.ReminderSent:
		if !w.waits || slices.Contains(w.levels, e.Level) || len(w.levels) > 0 && e.Level != w.levels[len(w.levels)-1]+1 {
			t.Fatalf("level %d after %v", e.Level, w.levels)
		}
		if !w.last.IsZero() && e.SentOn.DaysSince(w.last) < 1 {
			t.Fatalf("sent on %s after %s", e.SentOn, w.last)
		}
		w.waits, w.last, w.levels, w.total = false, e.SentOn, append(w.levels, e.Level), w.total+1
	case dunning.ReminderDropped:
		w.waits = false
	case dunning.CaseClosed:
		w.levels, w.waits = nil, false
	}
}

// auditReminder compares a reminder with the books of the moment.
func (w *world) auditReminder(t *rapid.T, r dunning.Reminder) {
	var due int64
	for _, i := range r.Items {
		at := slices.IndexFunc(w.debtor.Items, func(o dunning.Item) bool { return o.ID == i.Invoice })
		if at < 0 || i.Open.Minor() <= 0 || i.Open.Minor() != w.debtor.Items[at].Open.Minor()-w.debtor.Items[at].Disputed.Minor() {
			t.Fatalf("%+v is asked for, the books say %+v", i, w.debtor.Items)
		}
		if courteous := r.Tone == dunning.Courtesy; courteous != (i.DaysOverdue <= 0) || !courteous && i.DaysOverdue <= w.policy.GraceDays {
			t.Fatalf("%s, %d days after the due date", r.Tone, i.DaysOverdue)
		}
		due += i.Open.Minor()
	}
	held := slices.ContainsFunc(w.state.Holds, func(h dunning.Hold) bool {
		stands := !r.QueuedOn.Before(h.From) && (h.Until.IsZero() || !r.QueuedOn.After(h.Until))
		return stands && (h.Kind != dunning.Disputed || r.Run != "" || r.Acting == dunning.Agency)
	})
	if due != r.Due.Minor() || held || r.ToPay.Minor() <= 0 || r.Level > 1 && len(w.levels) == 0 && w.policy.Levels[r.Level-2].Tone != dunning.Courtesy {
		t.Fatalf("%+v with holds %v", r, w.state.Holds)
	}
}

// run is one run over this debtor: what it decides is recorded; a second run on the same day finds nothing to do.
func (w *world) run(t *rapid.T, as dunning.Capacity) {
	before := len(w.events)
	d := dunning.Decide(w.policy, w.state, w.debtor, w.today, as)
	if len(w.events) != before {
		t.Fatal("deciding changed the case")
	}
	for _, c := range d.Orders(dunning.Order{Key: key, Acting: as}, "RUN") {
		if !w.give(t, c) {
			t.Fatalf("%s is refused after %s", c.Name(), d)
		}
	}
	if again := dunning.Decide(w.policy, w.state, w.debtor, w.today, as); len(again.Steps) > 0 {
		t.Fatalf("%s: run twice, %+v", d, again.Steps)
	}
}

// deliver sends or drops what waits, after the last look.
func (w *world) deliver(t *rapid.T) {
	r := w.state.Pending
	if r == nil {
		return
	}
	o := dunning.Order{Key: key, On: w.today, Acting: r.Acting}
	leaving := !w.state.Leaving.IsZero()
	switch v := dunning.Recheck(w.policy, *r, w.state, w.debtor, w.today); {
	case v.Send && !leaving && rapid.Bool().Draw(t, "interrupted"): // given out, and then nothing more
		if !w.give(t, dunning.DispatchReminder{Order: o, Reminder: r.ID}) || w.state.Leaving.IsZero() {
			t.Fatalf("%+v, and yet it does not go out", v)
		}
	case v.Send:
		if !w.give(t, dunning.SendReminder{Order: o, Reminder: r.ID, TextHash: hash, Channel: r.Channel, Result: dunning.Accepted}) {
			t.Fatalf("%+v, and yet it is refused", v)
		}
	case v.Drop != "":
		if w.give(t, dunning.DropReminder{Order: o, Reminder: r.ID, Reason: v.Drop}) == leaving {
			t.Fatalf("%+v, leaving %v: dropped, or not", v, leaving)
		}
		if leaving && !w.give(t, dunning.DropReminder{Order: o, Reminder: r.ID, Reason: v.Drop, NotGone: true}) {
			t.Fatalf("%+v can't be dropped", v)
		}
	}
}

// happen lets something happen between runs.
func (w *world) happen(t *rapid.T) {
	o := dunning.Order{Key: key, On: w.today}
	boss := o
	boss.Acting = dunning.Creditor
	item := &w.debtor.Items[rapid.IntRange(0, len(w.debtor.Items)-1).Draw(t, "item")]
	switch rapid.IntRange(0, 11).Draw(t, "what") {
	case 0: // a payment
		paid := rapid.Int64Range(0, item.Open.Minor()).Draw(t, "paid")
		item.Open = yen(item.Open.Minor() - paid)
		item.Disputed = yen(min(item.Disputed.Minor(), item.Open.Minor()))
		w.debtor.Receipts = append(w.debtor.Receipts, dunning.Receipt{
			On: w.today, Amount: yen(paid), For: rapid.SampledFrom([]domain.InvoiceID{item.ID, ""}).Draw(t, "for"),
		})
	case 1:
		item.Disputed = yen(rapid.Int64Range(0, item.Open.Minor()).Draw(t, "disputed"))
	case 2:
		w.debtor.Unapplied = yen(rapid.SampledFrom([]int64{0, 0, 500, 50_000}).Draw(t, "unapplied"))
	case 3:
		w.debtor.Unmatched = yen(rapid.SampledFrom([]int64{0, 0, 700}).Draw(t, "unmatched"))
	case 4:
		hold := dunning.HoldDunning{Order: boss, Kind: rapid.SampledFrom(dunning.HoldKinds).Draw(t, "kind"), Reason: "x"}
		hold.Until = w.today.AddDays(rapid.IntRange(0, 20).Draw(t, "for"))
		w.give(t, hold)
	case 5:
		for _, h := range w.state.Holds {
			w.give(t, dunning.ReleaseHold{Order: boss, Hold: h.ID, Reason: "x"})
			break
		}
	case 6:
		w.give(t, dunning.RecordPromise{Order: o, Amount: yen(5000), Day: w.today.AddDays(rapid.IntRange(0, 15).Draw(t, "promise"))})
	case 7:
		w.give(t, dunning.AgreePaymentPlan{
			Order: boss, Reason: "x", Clause: dunning.AccelerationClause{Missed: rapid.IntRange(0, 2).Draw(t, "clause"), OnInsolvency: true},
			Instalments: []dunning.Instalment{{Day: w.today.AddDays(5), Amount: yen(2000)}, {Day: w.today.AddDays(10), Amount: yen(2000)}},
		})
	case 8:
		w.give(t, dunning.ReturnToCreditor{Order: o, Reason: "x"})
	case 9:
		w.give(t, dunning.ResumeCase{Order: boss, Reason: "x"})
	case 10:
		w.give(t, dunning.RecordContact{Order: o, By: dunning.ByCall, Direction: dunning.Outbound, Outcome: rapid.SampledFrom(dunning.ContactOutcomes).Draw(t, "contact")})
	case 11:
		w.give(t, dunning.EscalateReminder{Order: boss, Reason: "by hand"})
	}
}

// Whatever happens, on whatever days somebody runs and delivers: no level is sent twice or out of order, nothing is
// asked for that is not open and undisputed, and a second run on a day does nothing.
func TestAnyCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 120).Draw(t, "days") {
			for range rapid.IntRange(0, 2).Draw(t, "happenings") {
				w.happen(t)
			}
			if rapid.Bool().Draw(t, "runs") {
				w.run(t, rapid.SampledFrom([]dunning.Capacity{dunning.Agency, dunning.Creditor}).Draw(t, "as"))
			}
			if rapid.Bool().Draw(t, "delivers") {
				w.deliver(t)
			}
			w.today = w.today.AddDays(1)
		}
		replayed := stateOf(w.events...)
		for _, on := range []domain.Date{w.today, w.today.AddDays(40)} {
			if a, b := dunning.Decide(w.policy, w.state, w.debtor, on, dunning.Agency), dunning.Decide(w.policy, replayed, w.debtor, on, dunning.Agency); a.String() != b.String() {
				t.Fatalf("%s, folded again %s", a, b)
			}
		}
	})
}

// A debtor who does nothing gets every level, in order, whether somebody runs every day or only now and then.
func TestMissedDaysAreMadeGood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.debtor.Items = []dunning.Item{item("I1", "06-30", 11000)}
		gap := rapid.IntRange(1, 9).Draw(t, "gap")
		for range 200 {
			w.run(t, dunning.Creditor)
			w.deliver(t)
			w.today = w.today.AddDays(rapid.IntRange(1, gap).Draw(t, "pause"))
		}
		want := 3
		if len(w.policy.Levels) == 4 && w.levels[0] == 1 {
			want = 4
		}
		if w.total != want || !slices.IsSorted(w.levels) || w.levels[want-1] != len(w.policy.Levels) {
			t.Fatalf("%v of %d levels", w.levels, len(w.policy.Levels))
		}
	})
}
