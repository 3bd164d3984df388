package projections

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// HistoryQuery asks for every event of one account.
type HistoryQuery struct {
	account.Key
	AsOf    domain.Date // events of later business days are left out; zero: none are
	KnownAt KnownAt     // events recorded later are left out
}

// Entry is one event of an account.
type Entry struct {
	Position eventstore.Position
	At       time.Time   // when it was recorded
	On       domain.Date // its business day
	Stream   string
	Kind     string
	Actor    string // who sent the command
	Command  string // the command's id
	Text     string // what happened, in one line
	Effect   domain.Money
	Balance  domain.Money // after it, in the log's order
	Event    domain.Event
}

// History reads an account's events from the log itself, through its carry forwards, in the order in which they were
// recorded. The last balance is the balance of the account as known then, when no later business day is left out.
// Refuses log.unreadable_event, views.beyond_log, and what reading the log refuses. An account without events has none.
func (v *Views) History(ctx context.Context, q HistoryQuery) (list []Entry, err error) {
	err = v.EachEntry(ctx, q, func(e Entry) error {
		list = append(list, e)
		return nil
	})
	return list, err
}

// EachEntry is History for an account of any length: it yields event by event. An error of yield ends it and is
// returned.
func (v *Views) EachEntry(ctx context.Context, q HistoryQuery, yield func(Entry) error) error {
	limit := ^eventstore.Position(0)
	if q.KnownAt != (KnownAt{}) {
		var err error
		if limit, err = v.known(ctx, q.KnownAt); err != nil {
			return err
		}
	}
	var balance int64
	seen := make(map[string]bool)
	for stream := q.Stream(); stream != "" && !seen[stream]; {
		seen[stream] = true
		next := ""
		for r, err := range v.store.Read(ctx, stream, 0) {
			if err != nil {
				return err
			}
			if r.Position > limit {
				return nil
			}
			entry, err := v.entry(q.Key, r)
			if err != nil {
				return err
			}
			if carried, ok := entry.Event.(account.BalanceCarriedForward); ok {
				next = q.Stream() + "." + carried.Into
			}
			if !q.AsOf.IsZero() && entry.On.After(q.AsOf) {
				continue
			}
			balance += entry.Effect.Minor()
			entry.Balance = domain.NewMoney(balance, q.Currency)
			if err := yield(entry); err != nil {
				return err
			}
		}
		stream = next
	}
	return nil
}

func (v *Views) entry(key account.Key, r eventstore.Recorded) (Entry, error) {
	fact, err := v.codec.Decode(r)
	if err != nil {
		return Entry{}, err
	}
	meta, err := eventstore.ReadMetadata(r)
	if err != nil {
		return Entry{}, err
	}
	e, ok := fact.(account.Event)
	if !ok {
		return Entry{}, domain.ErrSchema.With("%s at position %d is not an account's event", r.Kind, r.Position)
	}
	return Entry{
		Position: r.Position, At: r.At, On: e.On(), Stream: r.Stream, Kind: r.Kind, Actor: meta.Actor, Command: meta.CommandID,
		Text: Describe(e), Effect: domain.NewMoney(e.Effect(), key.Currency), Event: e,
	}, nil
}

// Describe says in one line of English what an account's event did.
func Describe(event account.Event) string {
	switch e := event.(type) {
	case account.InvoiceIssued:
		return fmt.Sprintf("invoice %s issued: %s, due %s", named(e.Invoice, e.Number), e.Total, e.DueOn)
	case account.InvoiceVoided:
		return fmt.Sprintf("invoice %s voided: %s; %s", e.Invoice, e.Amount, e.Reason)
	case account.DueDateChanged:
		return fmt.Sprintf("invoice %s due %s instead of %s; %s, agreed by %s", e.Invoice, e.DueOn, e.WasDueOn, e.Reason, e.By)
	case account.NumberForfeited:
		return fmt.Sprintf("number %s given back", e.Number)
	case account.CreditNoteIssued:
		return fmt.Sprintf("credit note %s issued: %s (%s)%s%s", named(e.Credit, e.Number), e.Total, e.Reason,
			prefixed(" against ", string(e.Invoice)), allocations(", applied to ", e.Applied))
	case account.CreditApplied:
		return fmt.Sprintf("credit note %s applied to %s", e.Credit, allocations("", e.Allocations))
	case account.CreditUnapplied:
		return fmt.Sprintf("credit note %s taken back from %s; %s", e.Credit, allocations("", e.Allocations), e.Reason)
	case account.PaymentRecorded:
		if len(e.Allocations) == 0 {
			return fmt.Sprintf("payment %s received: %s, not applied", e.Payment, e.Amount)
		}
		return fmt.Sprintf("payment %s received: %s%s", e.Payment, e.Amount, allocations(", applied to ", e.Allocations))
	case account.PaymentApplied:
		return fmt.Sprintf("payment %s applied to %s", e.Payment, allocations("", e.Allocations))
	case account.PaymentUnapplied:
		return fmt.Sprintf("payment %s taken back from %s; %s", e.Payment, allocations("", e.Allocations), e.Reason)
	case account.PaymentReversed:
		return fmt.Sprintf("payment %s reversed: %s%s; %s", e.Payment, e.Amount, allocations(", open again: ", e.Released), e.Reason)
	case account.RefundIssued:
		return fmt.Sprintf("refund %s: %s of %s%s", e.Refund, e.Amount, cmp.Or(string(e.Payment), string(e.Credit)), prefixed("; ", e.Reason))
	case account.WrittenOff:
		return fmt.Sprintf("invoice %s written off: %s; %s, approved by %s", e.Invoice, e.Amount, e.Reason, e.Approver)
	case account.WriteOffRecovered:
		return fmt.Sprintf("recovered of written-off invoice %s: %s", e.Invoice, e.Amount)
	case account.DifferenceSettled:
		return fmt.Sprintf("difference on %s settled: %s (%s)", cmp.Or(string(e.Invoice), string(e.Payment)), e.Amount, e.Reason)
	case account.DisputeOpened:
		return fmt.Sprintf("dispute %s on invoice %s opened: %s (%s)", e.Dispute, e.Invoice, e.Amount, e.Reason)
	case account.DisputeResolved:
		return fmt.Sprintf("dispute %s on invoice %s resolved: %s (%s)", e.Dispute, e.Invoice, e.Amount, e.Outcome)
	case account.LateChargeAssessed:
		return fmt.Sprintf("late charge %s on invoice %s: %s (%s %% a year, %s to %s), due %s",
			e.Charge, e.Invoice, e.Amount, e.Rate, e.From.AddDays(1), e.To, e.DueOn)
	case account.LateChargeWaived:
		return fmt.Sprintf("late charge %s waived: %s; %s, approved by %s", e.Charge, e.Amount, e.Reason, e.Approver)
	case account.BalanceCarriedForward:
		return fmt.Sprintf("carried forward into %s: open %s, unapplied %s", e.Into, e.Open, e.Unapplied)
	case account.BalanceBroughtForward:
		return fmt.Sprintf("brought forward from %s: %d items, %d payments, %d credit notes (part %d of %d)",
			e.From, len(e.Items), len(e.Payments), len(e.Credits), e.Part, e.Parts)
	}
	return event.Kind()
}

func named[T ~string](id T, number string) string {
	if number == "" || number == string(id) {
		return string(id)
	}
	return string(id) + " (" + number + ")"
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func allocations(prefix string, list []account.Allocation) string {
	const most = 3
	var parts []string
	for i, a := range list {
		if i == most {
			parts = append(parts, fmt.Sprintf("%d more", len(list)-most))
			break
		}
		parts = append(parts, string(a.Invoice)+" "+a.Amount.String())
	}
	return prefixed(prefix, strings.Join(parts, ", "))
}
