package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
)

// do gives a step to a node, lets others come between, and holds the answer to what the auditor says.
func (w *world) do(s step) error {
	for _, n := range w.nodes {
		n.log.Flush() // what is still on its way arrives before something new is asked
	}
	var nested error
	others := s.Between
	next := func() {
		b := others[0]
		others = others[1:]
		if b.Node == s.Node {
			b.Node = (b.Node + 1) % len(w.nodes)
		}
		if err := w.do(b); nested == nil {
			nested = err
		}
	}
	if len(w.nodes) > 1 {
		for range s.Between {
			w.nodes[s.Node].store.do = append(w.nodes[s.Node].store.do, next)
		}
	}
	w.nodes[s.Node].busy = true
	err := w.ask(s)
	w.nodes[s.Node].busy = false
	w.nodes[s.Node].store.do = nil
	for nested == nil && err == nil && len(others) > 0 && len(w.nodes) > 1 { // it had too few appends
		next()
	}
	return errors.Join(nested, err)
}

// ask does what the step is.
func (w *world) ask(s step) error {
	was := w.done[s.Of]
	switch {
	case s.What == "again" && was.N == 0, s.What == "reuse" && was.N == 0:
		return nil // in a run that was cut short
	case s.What == "again":
		was.Node, was.Expects = s.Node, 0
		return w.again(was)
	case s.What == "reuse":
		c := account.RecordPayment{Key: s.key(), ReceivedOn: date(0), Amount: s.money(7777)}
		_, err := w.send(s, func(n *node) (eventstore.Receipt, error) {
			return n.Execute(w.ctx, c, eventstore.Envelope{CommandID: was.id()})
		})
		if !errors.Is(err, eventstore.ErrKeyReused) {
			return fmt.Errorf("the key of step %d was used again for another command, and answered: %v", s.Of, err)
		}
		return nil
	case s.What == "group":
		return w.group(s)
	}
	return w.one(s)
}

// send asks nodes until one answers: first the step's own, then others. One that waits while others come between is not
// asked, since it waits for this very step.
func (w *world) send(s step, to func(*node) (eventstore.Receipt, error)) (receipt eventstore.Receipt, err error) {
	at := s.Node
	err = patiently(func() error {
		n := w.nodes[at]
		for at = (at + 1) % len(w.nodes); w.nodes[at].busy && at != s.Node; at = (at + 1) % len(w.nodes) {
		}
		if receipt, err = to(n); errors.Is(err, eventstore.ErrUnavailable) && s.Crash {
			if err := n.start(w.ctx); err != nil {
				return err
			}
		}
		return err
	})
	return receipt, err
}

// again expects the first answer.
func (w *world) again(was done) error {
	receipt, err := w.send(was.step, func(n *node) (eventstore.Receipt, error) { return n.Execute(w.ctx, was.command(), was.envelope()) })
	if err != nil {
		return fmt.Errorf("step %d was done, and sent again it is refused: %w", was.N, err)
	}
	if got := answer(receipt); got != was.answer {
		return fmt.Errorf("step %d sent again has another answer: %s, first %s", was.N, got, was.answer)
	}
	return nil
}

func answer(r eventstore.Receipt) string {
	events, _ := json.Marshal(r.Events)
	return fmt.Sprint(r.Stream, "@", r.Version, " ", string(events))
}

// one is a command of its own.
func (w *world) one(s step) error {
	env, stood, err := w.expects(s)
	if err != nil {
		return err
	}
	receipt, err := w.send(s, func(n *node) (eventstore.Receipt, error) { return n.Execute(w.ctx, s.command(), env) })
	reasons := w.a.reasons(s)
	switch {
	case errors.Is(err, eventstore.ErrWrongVersion) && s.Expects < 0:
		return w.refused(s)
	case errors.Is(err, eventstore.ErrWrongVersion) && s.Expects > 0:
		if now, _, err := w.standing(s); err != nil || now == stood {
			return fmt.Errorf("the client expects %v, as it is, and is refused: %w", stood, err)
		}
		return w.refused(s)
	case err != nil:
		if !speaks(reasons, err) && !mayRefuse(s, err) {
			return fmt.Errorf("refused: %w; the auditor has %v", err, reasons)
		}
		return w.refused(s)
	case s.Expects < 0:
		return errors.New("done, though the client expects a version that never was")
	case len(reasons) > 0:
		return fmt.Errorf("done; the auditor has %v against it", reasons)
	}
	return w.accepted(s, receipt)
}

// speaks tells that an error is one of the rules.
func speaks(reasons []string, err error) bool {
	return slices.ContainsFunc(reasons, func(rule string) bool { return errors.Is(err, &domain.Error{Rule: rule}) })
}

// mayRefuse: whom to remind is decided by rules that the auditor does not keep.
func mayRefuse(s step, err error) bool {
	var e *domain.Error
	return (s.What == "remind" || s.What == "sent" || s.What == "drop") && errors.As(err, &e) && strings.HasPrefix(e.Rule, "dunning.")
}

func (w *world) refused(s step) error {
	w.failed[s.N] = true
	return nil
}

// accepted books a step.
func (w *world) accepted(s step, receipt eventstore.Receipt) error {
	for _, e := range receipt.Events {
		if err := w.looksRight(s, e); err != nil {
			return err
		}
	}
	w.a.book(s)
	w.done[s.N] = done{s, answer(receipt)}
	return nil
}

// looksRight checks what an event says beyond the balance: its number, and what a reminder asks for.
func (w *world) looksRight(s step, e domain.Event) error {
	number := ""
	switch e := e.(type) {
	case account.InvoiceIssued:
		number = e.Number
	case account.CreditNoteIssued:
		number = e.Number
	case dunning.ReminderQueued:
		return w.reminderLooksRight(s, e.Reminder)
	default:
		return nil
	}
	key := s.Seller + " " + number
	if w.a.numbers[key] || number == "" || s.Number != "" && number != s.Number {
		return fmt.Errorf("issued with number %q", number)
	}
	w.a.numbers[key] = true
	return nil
}

func (w *world) reminderLooksRight(s step, r dunning.Reminder) error {
	b := w.a.of(s)
	if b.Case.Pending != "" {
		return fmt.Errorf("queued while %s is", b.Case.Pending)
	}
	for id, h := range b.Case.Holds {
		if h.From <= s.On && s.On <= h.Until {
			return fmt.Errorf("queued while hold %s stands", id)
		}
	}
	for _, i := range r.Items {
		known, disputed := b.Items[string(i.Invoice)], b.disputed(string(i.Invoice), s.On)
		if known == nil || i.Open.Minor() != known.open(s.On)-disputed || i.Disputed.Minor() != disputed || known.due(s.On) >= s.On {
			return fmt.Errorf("reminded of %+v, the auditor has %+v and %d of it in dispute", i, known, disputed)
		}
	}
	return nil
}

// expects is the step's envelope, with the version where the client has seen the account.
func (w *world) expects(s step) (env eventstore.Envelope, stood eventstore.Expectation, err error) {
	env = s.envelope()
	if s.Expects == 0 {
		return env, stood, nil
	}
	stood, ok, err := w.standing(s)
	if err != nil || !ok {
		return env, stood, err
	}
	expected := stood
	if s.Expects < 0 {
		expected.Version += 1000
	}
	env.Expected = &expected
	return env, stood, nil
}

// standing reads where an account stands; ok is false between a carry forward and the opening of its next stream.
func (w *world) standing(s step) (x eventstore.Expectation, ok bool, err error) {
	stream := s.key().Stream()
	for {
		x.Version = 0
		into := ""
		for r, err := range w.log.Read(w.ctx, stream, 0) {
			if err != nil {
				return x, false, err
			}
			e, err := ledger.Codec().Decode(r)
			if err != nil {
				return x, false, err
			}
			if c, carried := e.(account.BalanceCarriedForward); carried {
				into = c.Into
			}
			x.Version = r.Version
		}
		if into == "" {
			return x, x.Version > 0 || x.Period == "", nil
		}
		x.Period, stream = into, s.key().Stream()+"."+into
	}
}

// group does commands together: each is held to what those before it leave, and one that is refused refuses all.
func (w *world) group(s step) error {
	if len(s.Group) == 0 {
		return nil
	}
	var orders []ledger.Order
	for _, member := range s.Group {
		orders = append(orders, ledger.Order{Command: member.command(), Envelope: member.envelope()})
	}
	var receipts []eventstore.Receipt
	_, err := w.send(s, func(n *node) (_ eventstore.Receipt, err error) {
		receipts, err = n.ExecuteTogether(w.ctx, orders)
		return eventstore.Receipt{}, err
	})
	var failed *ledger.Failed
	switch {
	case err != nil && !errors.As(err, &failed):
		return fmt.Errorf("refused: %w", err)
	case err != nil:
		if err := w.rightlyFailed(s, failed); err != nil {
			return err
		}
		for _, member := range s.Group {
			w.failed[member.N] = true
		}
		return nil
	}
	for i, member := range s.Group {
		if reasons := w.a.reasons(member); len(reasons) > 0 {
			return fmt.Errorf("command %d of the group is done; the auditor has %v against it", i, reasons)
		}
		if err := w.accepted(member, receipts[i]); err != nil {
			return err
		}
	}
	return nil
}

// rightlyFailed asks whether a group was refused for the right command. The shape of all commands is looked at before
// the first of them is decided.
func (w *world) rightlyFailed(s step, failed *ledger.Failed) error {
	refused := s.Group[failed.Index]
	var e *domain.Error
	if errors.As(failed, &e) && e.Code == domain.Invalid && speaks(w.a.reasons(refused), failed) {
		return nil
	}
	trial := w.a.clone()
	for i, member := range s.Group[:failed.Index] {
		if reasons := trial.reasons(member); len(reasons) > 0 {
			return fmt.Errorf("command %d of the group is let pass (%w); the auditor has %v", i+1, failed, reasons)
		}
		trial.book(member)
	}
	if reasons := trial.reasons(refused); !speaks(reasons, failed) {
		return fmt.Errorf("refused: %w; the auditor has %v", failed, reasons)
	}
	return nil
}

// clone is a copy of the auditor's books.
func (a *auditor) clone() *auditor {
	data, err := json.Marshal(a.accounts)
	c := *a
	c.accounts, c.inactive = nil, make(map[string]bool)
	if err = errors.Join(err, json.Unmarshal(data, &c.accounts)); err != nil {
		panic(err) // plain maps
	}
	for k := range a.inactive {
		c.inactive[k] = true
	}
	return &c
}
