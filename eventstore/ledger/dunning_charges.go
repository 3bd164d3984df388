package ledger

import (
	"context"
	"errors"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// assess makes the late charges owed that a reminder says are owed by it, right before its sending is recorded, on the
// account's own stream: to the day as of which the reminder was decided, so that it is what the reminder says. A sending
// that is refused assesses nothing. After a crash between the two the sending is given again, and finds each charge made,
// as its command's id comes from the reminder and the item.
func (l *Ledger) assess(ctx context.Context, r dunning.Request, env eventstore.Envelope) error {
	send, ok := r.Command.(dunning.SendReminder)
	if !ok {
		return nil
	}
	var reminder dunning.Reminder
	err := l.Case(ctx, send.Case(), func(s *dunning.State, _ eventstore.Version) error {
		if _, refusal := dunning.Decider.Decide(s, r); refusal == nil && s.Pending != nil {
			reminder = *s.Pending
		}
		return nil
	})
	if err != nil || reminder.LateChargeUse != dunning.LateChargeAssessed {
		return err
	}
	for _, item := range reminder.Items {
		if item.LateCharge.IsZero() {
			continue
		}
		if err := l.charge(ctx, send, reminder, item, env); err != nil {
			return err
		}
	}
	return nil
}

// charge leaves an item alone whose charge the account refuses: it was assessed by hand meanwhile, or waits for a rate. The
// rate is the one by which the reminder's figure was found.
func (l *Ledger) charge(ctx context.Context, send dunning.SendReminder, r dunning.Reminder, item dunning.ReminderItem, env eventstore.Envelope) error {
	id := derivedID("late charge " + send.Stream() + " " + string(r.ID) + " " + string(item.Invoice))
	c := account.AssessLateCharge{
		Key: account.Key(send.Case()), Charge: domain.InvoiceID(id), Invoice: item.Invoice, To: r.QueuedOn, AssessedOn: send.On,
	}
	_, err := l.Execute(ctx, c, eventstore.Envelope{CommandID: id, Actor: env.Actor, Correlation: env.Correlation, Causation: env.CommandID})
	var refusal *domain.Error
	if errors.As(err, &refusal) && (refusal.Code == domain.Refused || refusal.Code == domain.Invalid || refusal.Code == domain.NotFound) {
		return nil
	}
	return err
}
