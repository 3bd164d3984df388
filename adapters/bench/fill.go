package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// fill writes invoices, and payments for nine of ten, over the accounts: history as it would have been recorded,
// decided by the same rules but appended a hundred events at a time.
func fill(ctx context.Context, store eventstore.Store, codec *eventstore.Codec, accounts, invoices int) error {
	return parallel(ctx, 8, accounts, func(i int) error {
		n := invoices / accounts
		if i < invoices%accounts {
			n++
		}
		h := history{ctx: ctx, store: store, codec: codec, key: keyOf(i), rng: rand.New(rand.NewPCG(uint64(i), 7)), state: account.Decider.New()}
		for k := range n {
			if err := h.invoice(k, n); err != nil {
				return err
			}
		}
		return h.flush()
	})
}

// history writes one account's past.
type history struct {
	ctx     context.Context
	store   eventstore.Store
	codec   *eventstore.Codec
	key     account.Key
	rng     *rand.Rand
	state   *account.State
	version eventstore.Version
	events  []eventstore.Proposed
	written int
}

// payer is a name as banks give it, which the log seals.
const payer = "ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ"

// historyDays is how long the history is.
const historyDays = 600

// invoice issues the k-th of n invoices and, nine times of ten, books its payment.
func (h *history) invoice(k, n int) error {
	id := domain.InvoiceID(fmt.Sprintf("%s-%06d", h.key.Customer, k))
	issued := firstDay.AddDays(k * historyDays / n)
	issue := account.IssueInvoice{
		Key: h.key, Invoice: id, Number: string(id), IssuedOn: issued, DueOn: issued.AddDays(30),
		Lines: []account.Line{{
			Description: "Monthly service", Quantity: domain.DecimalOf(1),
			UnitPrice: domain.DecimalOf(int64(10_000 + h.rng.IntN(90_000))), Category: account.Standard, Rate: 1000,
		}},
	}
	events, err := h.decide(issue)
	if err != nil || h.rng.IntN(10) == 0 {
		return err
	}
	total := events[0].(account.InvoiceIssued).Total
	_, err = h.decide(account.RecordPayment{
		Key: h.key, Payment: domain.PaymentID("P-" + id), ReceivedOn: issued.AddDays(15 + h.rng.IntN(50)),
		Amount: total, Allocations: []account.Allocation{{Invoice: id, Amount: total}}, Method: "TRANSFER", Payer: payer,
	})
	return err
}

func (h *history) decide(c account.Command) ([]domain.Event, error) {
	parties := account.Parties{SellerKnown: true, CustomerKnown: true, CustomerActive: true, Rounding: domain.RoundDown}
	events, err := account.Decider.Decide(h.state, account.Request{Command: c, Parties: parties})
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		h.state = account.Decider.Evolve(h.state, e)
		command := fmt.Sprintf("fill-%s-%d", h.key.Customer, h.written)
		p, err := h.codec.Encode(e)
		if err == nil {
			p.Data, err = h.codec.Seal(h.key.Stream(), command, 0, p)
		}
		if err != nil {
			return nil, err
		}
		p.ID = eventstore.EventID(h.key.Stream(), command, 0, p.Data)
		p.Metadata, err = json.Marshal(eventstore.Metadata{CommandID: command, CommandName: c.Name(), Actor: "bench", Schema: p.Schema})
		if err != nil {
			return nil, err
		}
		h.events = append(h.events, p)
		h.written++
	}
	if len(h.events) >= 100 {
		return events, h.flush()
	}
	return events, nil
}

func (h *history) flush() error {
	if len(h.events) == 0 {
		return nil
	}
	_, err := h.store.Append(h.ctx, h.key.Stream(), h.version, h.events...)
	h.version += eventstore.Version(len(h.events))
	h.events = h.events[:0]
	return err
}
