package dunning

import (
	"context"
	"errors"
	"sync"

	"github.com/urikake/urikake/domain"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/projections"
)

// SendRequest asks that what is queued for a seller's debtors be sent.
type SendRequest struct {
	Seller   domain.SellerID
	Outbox   Outbox
	Sender   Sender
	On       domain.Date // zero: today in the seller's time zone
	Actor    string
	As       rules.Capacity        // in whose name; AGENCY when empty
	Each     func(Sending) error   // unless nil, hears what became of each reminder, one at a time
	Progress func(done, total int) // unless nil, hears how many are done of those seen
}

// Outcome is what became of a queued reminder.
type Outcome string

const (
	WasSent    Outcome = "SENT"
	WasDropped Outcome = "DROPPED" // something came between; the next run decides anew
	Waits      Outcome = "WAITS"   // it may go another day, or in another name
)

// Sending is what became of one reminder.
type Sending struct {
	Customer domain.CustomerID `json:"customer" doc:"the debtor"`
	Currency domain.Currency   `json:"currency" doc:"ISO 4217 code of the account"`
	Reminder rules.ReminderID  `json:"reminder" doc:"the reminder"`
	Level    rules.LevelID     `json:"level_name" doc:"its level"`
	Channel  rules.Channel     `json:"channel" doc:"how it goes"`
	Outcome  Outcome           `json:"outcome" doc:"SENT, DROPPED or WAITS"`
	Why      rules.Why         `json:"why" doc:"stable code of what stood against it; level_reached when nothing did"`
	Drop     rules.DropReason  `json:"drop,omitempty" doc:"why it was dropped"`
	Until    domain.Date       `json:"until,omitzero" doc:"look again on this day"`
}

// SendResult counts what became of the reminders.
type SendResult struct {
	On      domain.Date      `json:"on" doc:"the day"`
	Sent    int              `json:"sent" doc:"went into the outbox"`
	Dropped int              `json:"dropped" doc:"were dropped, as something came between"`
	Waiting int              `json:"waiting" doc:"stay queued"`
	Whys    []rules.RunCount `json:"whys" doc:"reminders by what stood against them; level_reached: nothing"`
}

// Send has the ledger look at every queued reminder of a seller once more, by the account, the case and the policy as they
// are at that moment, and record that it may go; then its letter is put into the outbox, and recorded as sent. What may
// not go is dropped with the reason, or waits. A letter that is found in the outbox, after a crash, has gone out and is
// recorded, whatever happened since; one that was to go and is not there is looked at once more. Nobody drops what may be
// in the outbox. So a sending may be repeated, each reminder goes out once, and each letter that is out is recorded.
// Refuses dunning.unknown_seller, dunning.future_day, dunning.outbox_unavailable, and what the ledger and the views refuse.
func Send(ctx context.Context, b Books, r SendRequest) (SendResult, error) {
	if r.As == "" {
		r.As = rules.Agency
	}
	on, today, err := b.until(ctx, r.Seller, r.On)
	if err != nil {
		return SendResult{}, err
	}
	r.On = on
	s := sending{Books: b, SendRequest: r, today: today, result: SendResult{On: on}, whys: make(map[string]int)}
	err = s.all(ctx)
	s.result.Whys = listed(s.whys)
	return s.result, err
}

// sending is one on its way.
type sending struct {
	Books
	SendRequest
	today domain.Date // the last look is at the books of today, whatever day the letter has

	mu     sync.Mutex
	result SendResult
	whys   map[string]int
	err    error
}

func (s *sending) all(ctx context.Context) error {
	var group sync.WaitGroup
	free := s.free()
	err := s.queued(ctx, func(key rules.Key) error {
		if err := s.failed(); err != nil {
			return err
		}
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			done, ok, err := s.one(ctx, key)
			s.note(done, ok, err)
		})
		return nil
	})
	group.Wait()
	if err == nil {
		err = s.failed()
	}
	return err
}

func (s *sending) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *sending) note(done Sending, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.err = err
		return
	case !ok || s.err != nil:
		return
	}
	switch done.Outcome {
	case WasSent:
		s.result.Sent++
	case WasDropped:
		s.result.Dropped++
	case Waits:
		s.result.Waiting++
	}
	s.whys[string(done.Why)]++
	if s.Progress != nil {
		s.Progress(s.result.Sent+s.result.Dropped+s.result.Waiting, 0)
	}
	if s.Each != nil {
		s.err = s.Each(done)
	}
}

// one sends or drops the reminder that is queued in a case; ok is false where none is any more.
func (s *sending) one(ctx context.Context, key rules.Key) (done Sending, ok bool, err error) {
	r, leaving, ok, err := s.pending(ctx, key)
	if err != nil || !ok {
		return done, false, err
	}
	done = Sending{
		Customer: key.Customer, Currency: key.Currency, Reminder: r.ID, Level: r.LevelID, Channel: r.Channel,
		Outcome: WasSent, Why: rules.WhyLevelReached,
	}
	sent, gone, err := s.Outbox.Find(ctx, key, r.ID)
	switch {
	case err != nil:
		return done, true, err
	case gone:
		return s.recorded(ctx, r, done, key, sent, leaving)
	case r.Who == rules.Creditor && s.As != rules.Creditor || r.QueuedOn.After(s.On):
		return s.waits(r, done)
	}
	v := rules.Verdict{Send: true, Why: rules.WhyLevelReached}
	if !leaving.IsZero() { // it was to go when somebody was interrupted
		if v, err = s.recheck(ctx, key, r); err != nil {
			return done, true, err
		}
	}
	if v.Send {
		return s.put(ctx, r, done, key, leaving)
	}
	return s.stopped(ctx, r, done, key, v, leaving)
}

// waits: somebody else, or another day, has to send it.
func (s *sending) waits(r rules.Reminder, done Sending) (Sending, bool, error) {
	done.Outcome, done.Why = Waits, rules.WhyNeedsCreditor
	if r.QueuedOn.After(s.On) {
		done.Why, done.Until = rules.WhyNotReached, r.QueuedOn
	}
	return done, true, nil
}

// stopped drops what the last look forbids, or leaves it for another day.
func (s *sending) stopped(ctx context.Context, r rules.Reminder, done Sending, key rules.Key, v rules.Verdict, leaving domain.Date) (Sending, bool, error) {
	done.Why, done.Drop, done.Until = v.Why, v.Drop, v.Until
	switch {
	case v.Why == rules.WhySettled:
		return done, false, nil
	case v.Drop == "":
		done.Outcome = Waits
		return done, true, nil
	}
	return s.drop(ctx, r, done, key, leaving)
}

// pending is the queued reminder of a case, and the day on which it was given out to be sent, if it was.
func (b Books) pending(ctx context.Context, key rules.Key) (r rules.Reminder, leaving domain.Date, ok bool, err error) {
	err = b.Ledger.Case(ctx, key, func(c *rules.State, _ eventstore.Version) error {
		if ok = c.Pending != nil; ok {
			r, leaving = *c.Pending, c.Leaving
		}
		return nil
	})
	return r, leaving, ok, err
}

// recheck looks at a reminder once more, by the ledger's own facts of this moment.
func (s *sending) recheck(ctx context.Context, key rules.Key, r rules.Reminder) (v rules.Verdict, err error) {
	facts, err := s.Ledger.Debtor(ctx, key, s.today)
	if err == nil {
		facts.Elsewhere, err = s.Ledger.Elsewhere(ctx, key, s.today)
	}
	if err != nil {
		return v, err
	}
	p, _, err := s.Ledger.Policy(ctx, key.Seller, key.Customer)
	if err != nil {
		return v, err
	}
	err = s.Ledger.Case(ctx, key, func(c *rules.State, _ eventstore.Version) error {
		v = rules.LastLook(p, r, c, facts, s.today, s.On)
		return nil
	})
	return v, err
}

// put gives the letter out: the ledger takes the last look and records that it may go, and only then the outbox gets it.
func (s *sending) put(ctx context.Context, r rules.Reminder, done Sending, key rules.Key, leaving domain.Date) (Sending, bool, error) {
	l, err := s.letter(ctx, r, key, s.Sender, s.On)
	if _, lost := refused(err); lost { // the contact was taken away
		done.Why, done.Drop = rules.WhyNoChannel, rules.DropNoAddress
		return s.drop(ctx, r, done, key, leaving)
	}
	if err != nil {
		return done, true, err
	}
	if leaving.IsZero() {
		c := rules.DispatchReminder{Order: rules.Order{Key: key, On: s.On, Acting: s.acting(r)}, Reminder: r.ID}
		if err := s.execute(ctx, c, "dispatch", key, r); err != nil {
			return s.refusedToGo(ctx, r, done, key, err)
		}
	}
	sent, err := s.Outbox.Put(ctx, l)
	if errors.Is(err, ErrWithdrawn) { // by another sending, which has dropped it or was interrupted
		done.Why, done.Drop = rules.WhyChanged, rules.DropChanged
		return s.drop(ctx, r, done, key, domain.LaterOf(leaving, s.On))
	}
	if err != nil {
		return done, true, err
	}
	return s.recorded(ctx, r, done, key, sent, domain.LaterOf(leaving, s.On))
}

// refusedToGo finds what the ledger's last look found. Where it is gone again by then, the reminder waits.
func (s *sending) refusedToGo(ctx context.Context, r rules.Reminder, done Sending, key rules.Key, refusal error) (Sending, bool, error) {
	if _, ok := refused(refusal); !ok {
		return done, true, refusal
	}
	v, err := s.recheck(ctx, key, r)
	if err != nil {
		return done, true, err
	}
	if v.Send {
		v = rules.Verdict{Why: rules.WhyChanged, Until: s.today}
	}
	return s.stopped(ctx, r, done, key, v, domain.Date{})
}

// letter writes a reminder to whom it goes.
func (b Books) letter(ctx context.Context, r rules.Reminder, key rules.Key, sender Sender, on domain.Date) (Letter, error) {
	from, err := b.stationery(ctx, r, key, sender)
	if err != nil {
		return Letter{}, err
	}
	itself, _, err := b.Ledger.Contact(ctx, key, "customer")
	if err != nil {
		return Letter{}, err
	}
	who, _, err := b.Ledger.Contact(ctx, key, r.Recipient)
	if err != nil {
		return Letter{}, err
	}
	l, err := write(r, key, from, addressee{itself.Name, Party{who.Name, who.Email, who.Phone, who.Address}}, on)
	l.At = b.Clock()
	return l, err
}

// recorded says that a letter has gone out, since the outbox has it: whatever came between that and the record of it.
func (s *sending) recorded(ctx context.Context, r rules.Reminder, done Sending, key rules.Key, sent Sent, left domain.Date) (Sending, bool, error) {
	done.Outcome, done.Why, done.Drop = WasSent, rules.WhyLevelReached, ""
	if left.IsZero() {
		left = s.On
	}
	return done, true, s.execute(ctx, rules.SendReminder{
		Order:    rules.Order{Key: key, On: domain.LaterOf(left, r.QueuedOn), Acting: s.acting(r)},
		Reminder: r.ID, TextHash: sent.TextHash, Channel: sent.Channel, Result: sent.Result, Gone: true, Note: "the outbox has it",
	}, "send", key, r)
}

// drop takes a reminder back. One that was given out is withdrawn from the outbox first: whoever comes to put it there
// finds the place taken.
func (s *sending) drop(ctx context.Context, r rules.Reminder, done Sending, key rules.Key, leaving domain.Date) (Sending, bool, error) {
	if !leaving.IsZero() {
		sent, gone, err := s.Outbox.Withdraw(ctx, key, r.ID)
		if err != nil {
			return done, true, err
		}
		if gone {
			return s.recorded(ctx, r, done, key, sent, leaving)
		}
	}
	done.Outcome = WasDropped
	return done, true, s.execute(ctx, rules.DropReminder{
		Order: rules.Order{Key: key, On: s.On, Acting: s.As}, Reminder: r.ID, Reason: done.Drop, NotGone: !leaving.IsZero(),
	}, "drop", key, r)
}

// acting is in whose name a letter has gone out: that of who may send it.
func (s *sending) acting(r rules.Reminder) rules.Capacity {
	if r.Who == rules.Creditor {
		return rules.Creditor
	}
	return s.As
}

// execute records what became of a reminder, unless another has done so meanwhile.
func (s *sending) execute(ctx context.Context, c rules.Command, what string, key rules.Key, r rules.Reminder) error {
	id := derived(what, key.Stream(), string(r.ID), s.On.String())
	_, err := s.Ledger.Execute(ctx, c, eventstore.Envelope{CommandID: id, Actor: s.Actor, Correlation: string(r.Run)})
	if rule, ok := refused(err); ok && rule == rules.ErrReminderSettled.Rule {
		return nil
	}
	return err
}

// queued gives the cases whose reminder is queued.
func (s *sending) queued(ctx context.Context, yield func(rules.Key) error) error {
	q := projections.RemindersQuery{Seller: s.Seller, State: projections.ReminderQueued}
	_, err := s.Views.EachReminder(ctx, q, func(r projections.ReminderRow) error { return yield(r.Key) })
	return err
}
