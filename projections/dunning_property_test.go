package projections

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// dunner gives commands on cases, by their own rules, and remembers what was written.
type dunner struct {
	*books
	states map[dunning.Key]*dunning.State
	facts  []caseFact
}

type caseFact struct {
	key      dunning.Key
	event    dunning.Event
	position eventstore.Position
	version  eventstore.Version
}

func newDunner(b *books) *dunner {
	return &dunner{books: b, states: make(map[dunning.Key]*dunning.State)}
}

func (d *dunner) give(c dunning.Command, owes int64) error {
	key := c.Case()
	if d.states[key] == nil {
		d.states[key] = dunning.Decider.New()
	}
	request := dunning.Request{Command: dunning.WithID(c, fmt.Sprint("N", len(d.facts))), Facts: dunning.Facts{
		SellerKnown: true, CustomerKnown: true, Policy: dunPolicy(), Debtor: dunning.Debtor{
			Key: key, Addresses: []dunning.Address{{Channel: dunning.Mail, Recipient: "contact:0"}},
		},
	}}
	if owes > 0 {
		request.Facts.Debtor.Items = []dunning.Item{{
			ID: "I1", IssuedOn: firstDay.AddDays(-90), DueOn: firstDay.AddDays(-60), Open: domain.NewMoney(owes, key.Currency),
		}}
	}
	request.Facts.Debtor.Receipts = paidFor(d.states[key], c)
	events, err := dunning.Decider.Decide(d.states[key], request)
	if err != nil || len(events) == 0 {
		return err
	}
	last := d.write(key.Stream(), events...)
	for i, e := range events {
		d.states[key] = dunning.Decider.Evolve(d.states[key], e)
		back := len(events) - 1 - i
		d.books.t.Helper()
		d.facts = append(d.facts, caseFact{key, e.(dunning.Event), last - eventstore.Position(back), d.heads[key.Stream()] - eventstore.Version(back)})
	}
	return nil
}

func dunPolicy() dunning.Versioned {
	level := func(id dunning.LevelID, days int, tone dunning.Tone) dunning.Level {
		return dunning.Level{ID: id, DaysAfterDue: days, Channel: dunning.Mail, Template: "t", Tone: tone, LateCharge: dunning.NoLateCharge, Who: dunning.Agency}
	}
	return dunning.Versioned{ID: "default", Version: 2, Policy: dunning.Policy{
		Levels:   []dunning.Level{level("R1", 3, dunning.Friendly), level("R2", 10, dunning.Polite), level("R3", 20, dunning.Firm)},
		Language: domain.Japanese, MinimumDays: 1, OldBankData: dunning.StopOnOldData,
	}}
}

// paidFor is the money that a command says was paid, as the books must say it too.
func paidFor(s *dunning.State, c dunning.Command) []dunning.Receipt {
	switch c := c.(type) {
	case dunning.SettlePromise:
		if s.Promise != nil {
			return []dunning.Receipt{{On: s.Promise.MadeOn, Amount: c.Received, For: "I1"}}
		}
	case dunning.CompletePlan:
		if s.Plan != nil {
			return []dunning.Receipt{{On: s.Plan.AgreedOn, Amount: c.Received, For: "I1"}}
		}
	}
	return nil
}

// anyStep draws a command on one of three cases, with what the debtor owes then.
func anyStep(t *rapid.T, d *dunner) (dunning.Command, int64) {
	key := dunning.Key{
		Seller: "S1", Customer: rapid.SampledFrom([]domain.CustomerID{"C1", "C1", "C2"}).Draw(t, "customer"),
		Currency: rapid.SampledFrom([]domain.Currency{"JPY", "JPY", "USD"}).Draw(t, "currency"),
	}
	on := anyDay().Draw(t, "on")
	o := dunning.Order{Key: key, On: on, Acting: dunning.Creditor}
	state := d.states[key]
	if state == nil {
		state = dunning.Decider.New()
	}
	var pending dunning.ReminderID
	if state.Pending != nil {
		pending, o.On = state.Pending.ID, domain.LaterOf(on, state.Pending.QueuedOn)
	}
	amount := domain.NewMoney(rapid.Int64Range(1, 900).Draw(t, "amount"), key.Currency)
	owes := rapid.SampledFrom([]int64{0, 1000, 5000}).Draw(t, "owes")
	switch rapid.SampledFrom([]string{
		"queue", "queue", "queue", "send", "send", "drop", "hold", "hold", "release", "promise", "promise", "settle", "settle", "plan", "miss",
		"accelerate", "complete", "contact", "contact", "collector", "return", "hand", "resume", "close",
	}).Draw(t, "what") {
	case "queue":
		return dunning.EscalateReminder{Order: o, Reason: "by hand"}, owes
	case "send":
		return dunning.SendReminder{Order: o, Reminder: pending, TextHash: fmt.Sprintf("%064d", 7), Channel: dunning.Mail, Result: dunning.Accepted}, owes
	case "drop":
		return dunning.DropReminder{Order: o, Reminder: pending, Reason: rapid.SampledFrom(dunning.DropReasons).Draw(t, "why"), Note: "note"}, owes
	case "hold":
		h := dunning.HoldDunning{Order: o, Kind: rapid.SampledFrom(dunning.HoldKinds).Draw(t, "kind"), Reason: "because"}
		h.Until = o.On.AddDays(rapid.IntRange(0, 60).Draw(t, "for"))
		return h, owes
	case "release":
		r := dunning.ReleaseHold{Order: o, Hold: "none", Reason: "over"}
		if len(state.Holds) > 0 {
			h := rapid.SampledFrom(state.Holds).Draw(t, "hold")
			r.Hold, r.On = h.ID, domain.LaterOf(h.From, o.On)
		}
		return r, owes
	case "promise":
		return dunning.RecordPromise{Order: o, Amount: amount, Day: o.On.AddDays(rapid.IntRange(0, 30).Draw(t, "until"))}, owes
	case "settle":
		s := dunning.SettlePromise{Order: o, Promise: "none", Outcome: dunning.Broken}
		if p := state.Promise; p != nil {
			s.Promise, s.On = p.ID, p.PayBy.AddDays(1)
			if s.Received = domain.NewMoney(rapid.Int64Range(0, 900).Draw(t, "received"), key.Currency); s.Received.Minor() >= p.Amount.Minor() {
				s.Outcome = dunning.Kept
			} else if s.Received.Minor() > 0 {
				s.Outcome = dunning.PartlyKept
			}
		}
		return s, owes
	case "plan":
		return dunning.AgreePaymentPlan{
			Order: o, Reason: "agreed", Clause: dunning.AccelerationClause{Missed: 1, OnNotice: true},
			Instalments: []dunning.Instalment{{Day: o.On, Amount: amount}, {Day: o.On.AddDays(31), Amount: amount}},
		}, owes
	}
	return laterStep(t, o, state), owes
}

func laterStep(t *rapid.T, o dunning.Order, state *dunning.State) dunning.Command {
	plan := dunning.PlanID("none")
	if state.Plan != nil {
		plan = state.Plan.ID
		o.On = state.Plan.EndsOn().AddDays(1)
	}
	switch rapid.SampledFrom([]string{"miss", "miss", "accelerate", "complete", "contact", "collector", "return", "hand", "resume", "close"}).Draw(t, "step") {
	case "miss":
		return dunning.MissInstalment{Order: o, Plan: plan, Instalment: rapid.IntRange(1, 2).Draw(t, "instalment")}
	case "accelerate":
		return dunning.AcceleratePlan{Order: o, Plan: plan, Trigger: dunning.OnNotice, NoticeOn: o.On, EffectiveOn: o.On, Reason: "notice"}
	case "complete":
		return dunning.CompletePlan{Order: o, Plan: plan, Received: domain.NewMoney(2000, o.Currency)}
	case "contact":
		return dunning.RecordContact{
			Order: o, By: dunning.ByCall, Direction: dunning.Outbound, Notes: "secret",
			Outcome: rapid.SampledFrom(dunning.ContactOutcomes).Draw(t, "outcome"),
		}
	case "collector":
		return dunning.AssignCollector{Order: o, Collector: rapid.SampledFrom([]string{"", "hanako", "jiro"}).Draw(t, "collector")}
	case "return":
		return dunning.ReturnToCreditor{Order: o, Reason: "x"}
	case "hand":
		return dunning.HandOver{Order: o, To: dunning.Lawyer, TakerName: "Law", Reason: "x"}
	case "resume":
		return dunning.ResumeCase{Order: o, Reason: "x"}
	}
	return dunning.CloseCase{Order: o, Reason: dunning.CloseSettled}
}

// caseByHand is a case computed straight from its events up to a position.
type caseByHand struct {
	row       CaseRow
	state     *dunning.State
	holds     map[dunning.HoldID]dunning.Held
	order     []dunning.HoldID
	reminders map[dunning.ReminderID]*reminderByHand
	contacts  []dunning.ContactRecorded
}

type reminderByHand struct {
	dunning.Reminder
	state string
	on    domain.Date
	drop  dunning.DropReason
}

func (d *dunner) byHand(key dunning.Key, known eventstore.Position) (h *caseByHand) {
	for _, f := range d.facts {
		if f.key != key || f.position > known {
			continue
		}
		if h == nil {
			h = &caseByHand{state: dunning.Decider.New(), holds: map[dunning.HoldID]dunning.Held{}, reminders: map[dunning.ReminderID]*reminderByHand{}}
		}
		h.state = dunning.Decider.Evolve(h.state, f.event)
		h.row.Version = f.version
		h.count(f.event)
	}
	return h
}

func (h *caseByHand) count(e dunning.Event) {
	switch e := e.(type) {
	case dunning.ReminderQueued:
		h.reminders[e.ID] = &reminderByHand{Reminder: e.Reminder, state: "queued"}
	case dunning.ReminderSent:
		r := h.reminders[e.Reminder]
		r.state, r.on = "sent", e.SentOn
	case dunning.ReminderDropped:
		r := h.reminders[e.Reminder]
		r.state, r.on, r.drop = "dropped", e.DroppedOn, e.Reason
	case dunning.Held:
		h.holds[e.Hold] = e
		h.order = append(h.order, e.Hold)
	case dunning.HoldReleased:
		delete(h.holds, e.Hold)
	case dunning.PromiseRecorded:
		h.row.Promise, h.row.PromiseState, h.row.PromiseAmount, h.row.PromiseDay, h.row.PromiseMadeOn = e.Promise, PromiseOpen, e.Amount, e.Day, e.MadeOn
		h.row.PromisePayBy = e.PayBy
	case dunning.PromiseSettled:
		h.row.PromiseState = PromiseState(e.Outcome)
		if e.Outcome == dunning.Kept {
			h.row.PromisesKept++
		} else {
			h.row.PromisesBroken++
		}
	case dunning.ContactRecorded:
		h.contacts = append(h.contacts, e)
	case dunning.CaseClosed:
		if h.row.PromiseState == PromiseOpen {
			h.row.PromiseState = PromiseEnded
		}
		h.row.ClosedOn, h.row.ClosedFor = e.ClosedOn, e.Reason
	}
}

// want is the whole row as of a day.
func (h *caseByHand) want(key dunning.Key, name string, asOf domain.Date) CaseRow {
	row, s := h.row, h.state
	row.Key, row.Name, row.Generation, row.Begun, row.Open = key, name, s.Generation, s.Begun, s.Open()
	row.LastSentOn, row.Returned, row.HandedTo, row.Collector = s.LastSentOn, s.Returned, s.HandedTo, s.Collector
	if s.HandedTo != "" {
		row.Taker = "Law"
	}
	if n := len(s.Reached); n > 0 {
		row.Level, row.LevelID = s.Reached[n-1].Level, s.Reached[n-1].ID
	}
	for _, r := range h.reminders {
		if r.state == "sent" {
			row.Reminders++
		}
	}
	if s.Pending != nil {
		row.Pending = s.Pending.ID
	}
	if p := s.Plan; p != nil {
		row.Plan, row.PlanAgreedOn, row.PlanInstalments, row.PlanMissed, row.PlanEffectiveOn = p.ID, p.AgreedOn, len(p.Instalments), len(p.Missed), p.EffectiveOn
		row.PlanEndsOn = p.Instalments[1].Day
		row.PlanAmount = domain.NewMoney(2*p.Instalments[0].Amount.Minor(), key.Currency)
	}
	h.wantHold(&row, asOf)
	contacts := slices.DeleteFunc(slices.Clone(h.contacts), func(c dunning.ContactRecorded) bool { return c.ContactedOn.After(asOf) })
	slices.SortStableFunc(contacts, func(a, b dunning.ContactRecorded) int { return a.ContactedOn.Compare(b.ContactedOn) })
	if n := len(contacts); n > 0 {
		row.LastContactOn, row.LastContactBy, row.LastContactOutcome = contacts[n-1].ContactedOn, contacts[n-1].By, contacts[n-1].Outcome
	}
	return row
}

func (h *caseByHand) wantHold(row *CaseRow, asOf domain.Date) {
	for _, disputes := range []bool{true, false} {
		for _, id := range h.order {
			e, there := h.holds[id]
			if there && row.HoldKind == "" && (e.For == dunning.Disputed) == disputes && !e.From.After(asOf) && (e.Until.IsZero() || !e.Until.Before(asOf)) {
				row.HoldKind, row.HoldReason, row.HoldFrom, row.HoldUntil = e.For, e.Reason, e.From, e.Until
			}
		}
	}
}

// Cases and reminders agree with the events, as known at any position, live and made anew.
func TestCasesAgreeWithTheEvents(t *testing.T) {
	checkBooks(t, func(rt *rapid.T) {
		d := newDunner(newBooks(t))
		defer os.RemoveAll(d.dir)
		defer func() { d.views.Close() }()
		d.register()
		d.views.pageRows = 3
		for n := range rapid.IntRange(1, 80).Draw(rt, "commands") {
			_ = d.give(anyStep(rt, d))
			if n%17 == 16 {
				d.catchUp()
			}
		}
		if len(d.facts) == 0 {
			rt.Skip("all refused")
		}
		d.catchUp()
		for range 3 {
			known := eventstore.Position(rapid.Uint64Range(3, uint64(d.head())).Draw(rt, "known at"))
			d.compareCases(rt, anyDay().Draw(rt, "as of"), KnownAt{Position: known})
		}
		d.compareCases(rt, lastDay, KnownAt{})
		d.compareReminders(rt)
		live := dump(t, d.views)
		if err := d.views.Rebuild(context.Background(), nil, "dunning"); err != nil {
			rt.Fatal(err)
		}
		if rebuilt := dump(t, d.views); rebuilt != live {
			rt.Fatalf("live\n%s\nmade anew\n%s", live, rebuilt)
		}
	})
}

func (d *dunner) compareCases(t *rapid.T, asOf domain.Date, at KnownAt) {
	ctx, known := context.Background(), at.Position
	if known == 0 {
		known = d.head()
	}
	keys := slices.SortedFunc(maps.Keys(d.states), func(a, b dunning.Key) int { return cmp.Compare(a.Stream(), b.Stream()) })
	var want []CaseRow
	for _, key := range keys {
		hand := d.byHand(key, known)
		report, err := d.views.Case(ctx, CaseQuery{Key: key, AsOf: asOf, KnownAt: at})
		if hand == nil {
			if !errors.Is(err, ErrUnknownCase) {
				t.Fatalf("%v known at %d: %v, want views.unknown_case", key, known, err)
			}
			continue
		}
		row := hand.want(key, "Customer "+string(key.Customer), asOf)
		if err != nil || report.CaseRow != row || report.KnownAt != known {
			t.Fatalf("%v known at %d:\n%+v, want\n%+v\n%v", key, known, report.CaseRow, row, err)
		}
		want = append(want, row)
	}
	var got []CaseRow
	if _, err := d.views.EachCase(ctx, CasesQuery{Seller: "S1", AsOf: asOf, KnownAt: at}, func(r CaseRow) error { got = append(got, r); return nil }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("known at %d: %d cases %+v, want %+v", known, len(got), got, want)
	}
}

// compareReminders: each in its state, with what it asked for, whatever is asked for and however short the pages are.
func (d *dunner) compareReminders(t *rapid.T) {
	for _, state := range []ReminderState{"", ReminderQueued, ReminderSent, ReminderDropped} {
		for _, customer := range []domain.CustomerID{"", "C1"} {
			want := make(map[string]*reminderByHand)
			for key := range d.states {
				if hand := d.byHand(key, d.head()); hand != nil {
					for id, r := range hand.reminders {
						if (state == "" || ReminderState(r.state) == state) && (customer == "" || customer == key.Customer) {
							want[key.Stream()+string(id)] = r
						}
					}
				}
			}
			d.compareReminderRows(t, RemindersQuery{Seller: "S1", State: state, Customer: customer}, want)
		}
	}
}

func (d *dunner) compareReminderRows(t *rapid.T, q RemindersQuery, want map[string]*reminderByHand) {
	ctx := context.Background()
	var all []ReminderRow
	if _, err := d.views.EachReminder(ctx, q, func(r ReminderRow) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	q.Limit = 2
	for place := 0; ; place += 2 {
		report, err := d.views.Reminders(ctx, q)
		if err != nil || !slices.Equal(report.Rows, all[min(place, len(all)):min(place+2, len(all))]) {
			t.Fatalf("%+v: %v, %+v of %+v", q, err, report, all)
		}
		if q.After = report.Next; q.After == "" {
			break
		}
	}
	if len(all) != len(want) {
		t.Fatalf("%+v: %+v, want %+v", q, all, want)
	}
	for _, row := range all {
		w := want[row.Stream()+string(row.Reminder)]
		if w == nil || row.State != ReminderState(w.state) || row.Due != w.Due || row.ToPay != w.ToPay || row.LevelID != w.LevelID || row.Items != len(w.Items) ||
			row.Version != w.Version || row.Policy != w.Policy || row.QueuedOn != w.QueuedOn || row.Reason != w.Reason || row.Generation != w.Generation ||
			row.DropReason != w.drop || row.Name != "Customer "+string(row.Customer) {
			t.Fatalf("%+v, want %+v", row, w)
		}
		if on := domain.LaterOf(row.SentOn, row.DroppedOn); on != w.on {
			t.Fatalf("%+v ended on %s, want %s", row, on, w.on)
		}
	}
}
