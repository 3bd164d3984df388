package dunning

import (
	"context"

	"github.com/urikake/urikake/domain"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/projections"
)

// PreviewRequest asks what would be sent to a debtor.
type PreviewRequest struct {
	rules.Key
	AsOf   domain.Date    // zero: today in the seller's time zone
	As     rules.Capacity // AGENCY when empty
	Sender Sender
}

// Preview decides on one debtor as of a day, as a run would, and writes the letter where a reminder is due; else letter
// is nil. Where a reminder is queued already, the letter is that one's. Nothing is changed.
// Refuses dunning.unknown_seller, dunning.unknown_customer.
func Preview(ctx context.Context, b Books, r PreviewRequest) (letter *Letter, d rules.Decision, err error) {
	if r.As == "" {
		r.As = rules.Agency
	}
	on, err := b.day(ctx, r.Seller, r.AsOf)
	if err != nil {
		return nil, d, err
	}
	if _, _, err := b.Ledger.Contact(ctx, r.Key, "customer"); err != nil {
		return nil, d, err
	}
	facts, err := b.Ledger.Debtor(ctx, r.Key, on)
	if err == nil {
		facts.Elsewhere, err = b.Ledger.Elsewhere(ctx, r.Key, on)
	}
	if err != nil {
		return nil, d, err
	}
	p, _, err := b.Ledger.Policy(ctx, r.Seller, r.Customer)
	if err != nil {
		return nil, d, err
	}
	d, err = b.decideOne(ctx, projections.Debtor{HasCase: true, Facts: facts}, p, on, r.As)
	if err != nil {
		return nil, d, err
	}
	reminder, _, due, err := b.pending(ctx, r.Key)
	if d.Reminds() {
		reminder, due = *d.Reminder, true
	}
	if err != nil || !due {
		return nil, d, err
	}
	l, err := b.letter(ctx, reminder, r.Key, r.Sender, on)
	return &l, d, err
}
