package projections

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// HistoryQuery asks for every event of one account, and of the case against its debtor.
type HistoryQuery struct {
	account.Key
	From    domain.Date      // events of earlier business days are left out; zero: none are
	AsOf    domain.Date      // events of later business days are left out; zero: none are
	KnownAt KnownAt          // events recorded later are left out
	Kinds   []string         // these kinds only; one that ends in a dot ("dunning.") means all that begin so; none: all
	Invoice domain.InvoiceID // what touched this invoice or late charge only; empty: everything
}

// wants tells whether a kind is asked for.
func (q HistoryQuery) wants(kind string) bool {
	return len(q.Kinds) == 0 || slices.ContainsFunc(q.Kinds, func(k string) bool {
		return k == kind || strings.HasSuffix(k, ".") && strings.HasPrefix(kind, k)
	})
}

// Entry is one event of an account, or of its debtor's case.
type Entry struct {
	Position eventstore.Position
	At       time.Time   // when it was recorded
	On       domain.Date // its business day
	Stream   string
	Kind     string
	ID       uuid.UUID
	Actor    string // who sent the command
	Name     string // the command's name
	Command  string // the command's id, which all events that it led to have
	Cause    string // what led to the command, if that is known: an event (STREAM@VERSION), a stream, a command's id, or what its sender said
	Flow     string // what the command was a part of, such as one request
	Text     string // what happened, in one line
	Books    bool   // it is the account's own; what is done about the debtor moves no balance
	Effect   domain.Money
	Balance  domain.Money // after it, in the log's order
	Event    domain.Event
}

// History reads an account's events from the log itself, through its carry forwards, and those of its debtor's dunning
// case between them, in the order in which they were recorded. The last balance is the balance of the account as known
// then, when no later business day is left out; what is not asked for moves it all the same. Refuses log.unreadable_event, views.beyond_log, and what reading the log
// refuses. An account without events has none.
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
	touching := touching{invoice: q.Invoice}
	for r, err := range inOrder(v.accountLog(ctx, q.Key), v.store.Read(ctx, dunning.Key(q.Key).Stream(), 0)) {
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
		if !q.AsOf.IsZero() && entry.On.After(q.AsOf) {
			continue
		}
		balance += entry.Effect.Minor()
		entry.Balance = domain.NewMoney(balance, q.Currency)
		if touched := touching.touches(entry.Event); !touched || !q.wants(entry.Kind) || entry.On.Before(q.From) {
			continue
		}
		if err := yield(entry); err != nil {
			return err
		}
	}
	return nil
}

// accountLog reads an account's streams one after the other, as it was carried forward.
func (v *Views) accountLog(ctx context.Context, key account.Key) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		seen := make(map[string]bool)
		for stream := key.Stream(); stream != "" && !seen[stream]; {
			seen[stream] = true
			next := ""
			for r, err := range v.store.Read(ctx, stream, 0) {
				if err == nil && r.Kind == (account.BalanceCarriedForward{}).Kind() {
					var fact domain.Event
					if fact, err = v.codec.Decode(r); err == nil {
						next = key.Stream() + "." + fact.(account.BalanceCarriedForward).Into
					}
				}
				if !yield(r, err) || err != nil {
					return
				}
			}
			stream = next
		}
	}
}

// inOrder merges two readings, each in the log's order. An error of either ends it.
func inOrder(a, b iter.Seq2[eventstore.Recorded, error]) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		next, stop := iter.Pull2(b)
		defer stop()
		other, err, more := next()
		before := func(limit eventstore.Position) bool {
			for more && (err != nil || other.Position < limit) {
				if !yield(other, err) || err != nil {
					return false
				}
				other, err, more = next()
			}
			return true
		}
		for r, failed := range a {
			if failed == nil && !before(r.Position) {
				return
			}
			if !yield(r, failed) || failed != nil {
				return
			}
		}
		before(^eventstore.Position(0))
	}
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
	entry := Entry{
		Position: r.Position, At: r.At, Stream: r.Stream, Kind: r.Kind, ID: r.ID,
		Actor: meta.Actor, Name: meta.CommandName, Command: meta.CommandID, Cause: meta.Causation, Flow: meta.Correlation,
		Effect: domain.NewMoney(0, key.Currency), Event: fact,
	}
	switch e := fact.(type) {
	case account.Event:
		entry.On, entry.Text, entry.Books, entry.Effect = e.On(), Describe(e), true, domain.NewMoney(e.Effect(), key.Currency)
	case dunning.Event:
		entry.On, entry.Text = e.On(), DescribeCase(e)
	default:
		return Entry{}, domain.ErrSchema.With("%s at position %d is not an account's event", r.Kind, r.Position)
	}
	return entry, nil
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
			return fmt.Sprintf("payment %s received: %s%s, not applied", e.Payment, e.Amount, prefixed(", receipt ", string(e.Receipt)))
		}
		return fmt.Sprintf("payment %s received: %s%s%s", e.Payment, e.Amount, prefixed(", receipt ", string(e.Receipt)), allocations(", applied to ", e.Allocations))
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
