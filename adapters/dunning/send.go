package dunning

import (
	"context"
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

// Send looks at every queued reminder of a seller once more, by the account and the case as they are at this moment,
// and then puts its letter into the outbox or drops it with the reason. A letter goes into the outbox before it is
// recorded as sent; one that is found there, after a crash between the two, has gone out and is recorded, whatever
// happened since. So a sending may be repeated, and each reminder goes out once.
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
	r, ok, err := s.pending(ctx, key)
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
		return s.recorded(ctx, r, done, key, sent)
	case r.Who == rules.Creditor && s.As != rules.Creditor || r.QueuedOn.After(s.On):
		return s.waits(r, done)
	}
	v, err := s.recheck(ctx, key, r)
	done.Why, done.Drop, done.Until = v.Why, v.Drop, v.Until
	switch {
	case err != nil || v.Why == rules.WhySettled:
		return done, false, err
	case v.Send:
		return s.put(ctx, r, done, key)
	case v.Drop == "":
		done.Outcome = Waits
		return done, true, nil
	}
	return s.drop(ctx, r, done, key)
}

// waits: somebody else, or another day, has to send it.
func (s *sending) waits(r rules.Reminder, done Sending) (Sending, bool, error) {
	done.Outcome, done.Why = Waits, rules.WhyNeedsCreditor
	if r.QueuedOn.After(s.On) {
		done.Why, done.Until = rules.WhyNotReached, r.QueuedOn
	}
	return done, true, nil
}

// pending is the queued reminder of a case.
func (b Books) pending(ctx context.Context, key rules.Key) (r rules.Reminder, ok bool, err error) {
	err = b.Ledger.Case(ctx, key, func(c *rules.State, _ eventstore.Version) error {
		if ok = c.Pending != nil; ok {
			r = *c.Pending
		}
		return nil
	})
	return r, ok, err
}

// recheck looks at a reminder once more, by the ledger's own facts of this moment.
func (s *sending) recheck(ctx context.Context, key rules.Key, r rules.Reminder) (v rules.Verdict, err error) {
	facts, err := s.Ledger.Debtor(ctx, key, s.today)
	if err != nil {
		return v, err
	}
	p, _, err := s.Ledger.Policy(ctx, key.Seller, key.Customer)
	if err != nil {
		return v, err
	}
	err = s.Ledger.Case(ctx, key, func(c *rules.State, _ eventstore.Version) error {
		if v = rules.Recheck(p.Policy, r, c, facts, s.today); !v.Send && v.Drop == "" { // it waits: is that so on its own day?
			v = rules.Recheck(p.Policy, r, c, facts, s.On)
		}
		return nil
	})
	return v, err
}

func (s *sending) put(ctx context.Context, r rules.Reminder, done Sending, key rules.Key) (Sending, bool, error) {
	l, err := s.letter(ctx, r, key, s.Sender, s.On)
	if _, lost := refused(err); lost { // the contact was taken away
		done.Why, done.Drop = rules.WhyNoChannel, rules.DropNoAddress
		return s.drop(ctx, r, done, key)
	}
	if err != nil {
		return done, true, err
	}
	sent, err := s.Outbox.Put(ctx, l)
	if err != nil {
		return done, true, err
	}
	return s.recorded(ctx, r, done, key, sent)
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
	l, err := write(r, key, from, addressee{itself.Name, Party{who.Name, who.Email, who.Phone}}, on)
	l.At = b.Clock()
	return l, err
}

func (s *sending) recorded(ctx context.Context, r rules.Reminder, done Sending, key rules.Key, sent Sent) (Sending, bool, error) {
	done.Outcome, done.Why, done.Drop = WasSent, rules.WhyLevelReached, ""
	c := rules.SendReminder{
		Order:    rules.Order{Key: key, On: domain.LaterOf(s.On, r.QueuedOn), Acting: s.acting(r)},
		Reminder: r.ID, TextHash: sent.TextHash, Channel: sent.Channel, Result: sent.Result,
	}
	err := s.execute(ctx, c, "send", key, r)
	if rule, ok := refused(err); ok && (rule == rules.ErrAgencyStops.Rule || rule == rules.ErrReturned.Rule) {
		c.Acting = rules.Creditor // the letter has gone out: the objection came between it and the record of it
		err = s.execute(ctx, c, "sent before it was stopped", key, r)
	}
	return done, true, err
}

func (s *sending) drop(ctx context.Context, r rules.Reminder, done Sending, key rules.Key) (Sending, bool, error) {
	done.Outcome = WasDropped
	return done, true, s.execute(ctx, rules.DropReminder{
		Order: rules.Order{Key: key, On: s.On, Acting: s.As}, Reminder: r.ID, Reason: done.Drop,
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
