package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/numbering"
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
		h := history{ctx: ctx, store: store, codec: codec, key: keyOf(i), rng: rand.New(rand.NewPCG(uint64(i), 7)), state: account.Decider.New(), numbers: numbering.Decider.New()}
		return h.write(n)
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

	numbers  *numbering.State
	numbered eventstore.Version
}

// payer is a name as banks give it, which the log seals.
const payer = "ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ"

// numbersAtOnce is how many of a history's invoices have their numbers before the first is issued.
const numbersAtOnce = 25

// write issues n invoices and mostly settles them; their numbers are given out before and confirmed after.
func (h *history) write(n int) error {
	all := make([]int, n)
	for k := range all {
		all[k] = k
	}
	for some := range slices.Chunk(all, numbersAtOnce) {
		if err := h.take(some); err != nil {
			return err
		}
		for _, k := range some {
			if err := h.invoice(k, n); err != nil {
				return err
			}
		}
		if err := h.flush(); err != nil {
			return err
		}
		if err := h.confirm(some); err != nil {
			return err
		}
	}
	return nil
}

// series is the account's own, since accounts are written at the same time.
func (h *history) series() numbering.Key {
	return numbering.Key{Seller: h.key.Seller, Series: domain.Series(h.key.Customer), Year: firstDay.Year()}
}

func (h *history) id(k int) domain.InvoiceID {
	return domain.InvoiceID(fmt.Sprintf("%s-%06d", h.key.Customer, k))
}

func (h *history) take(invoices []int) error {
	takers := make([]numbering.Taker, len(invoices))
	for i, k := range invoices {
		takers[i] = numbering.Taker{Account: h.key.Stream(), Invoice: h.id(k), CommandID: fmt.Sprintf("issue-%d", k+1)}
	}
	return h.number(numbering.TakeNumbers{Key: h.series(), For: takers})
}

func (h *history) confirm(invoices []int) error {
	numbers := make([]int, len(invoices))
	for i, k := range invoices {
		numbers[i] = k + 1
	}
	return h.number(numbering.ConfirmNumbers{Key: h.series(), Numbers: numbers})
}

// number gives a command to the account's series.
func (h *history) number(c numbering.Command) error {
	events, err := numbering.Decider.Decide(h.numbers, c)
	if err != nil {
		return err
	}
	for _, e := range events {
		h.numbers = numbering.Decider.Evolve(h.numbers, e)
		p, err := h.propose(h.series().Stream(), fmt.Sprintf("numbers-%d", h.numbered), c.Name(), e)
		if err == nil {
			_, err = h.store.Append(h.ctx, h.series().Stream(), h.numbered, p)
		}
		if err != nil {
			return err
		}
		h.numbered++
	}
	return nil
}

func (h *history) propose(stream, command, name string, e domain.Event) (eventstore.Proposed, error) {
	p, err := h.codec.Encode(e)
	if err == nil {
		p.Data, err = h.codec.Seal(stream, command, 0, p)
	}
	if err != nil {
		return p, err
	}
	p.ID = eventstore.EventID(stream, command, 0, p.Data)
	p.Metadata, err = json.Marshal(eventstore.Metadata{CommandID: command, CommandName: name, Actor: "bench", Schema: p.Schema})
	return p, err
}

// historyDays is how long the history is.
const historyDays = 600

// invoice issues the k-th of n invoices and, nine times of ten, books its payment.
func (h *history) invoice(k, n int) error {
	id := h.id(k)
	issued := firstDay.AddDays(k * historyDays / n)
	issue := account.IssueInvoice{
		Key: h.key, Invoice: id, Number: h.series().Number(k + 1), IssuedOn: issued, DueOn: issued.AddDays(30),
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
		p, err := h.propose(h.key.Stream(), fmt.Sprintf("fill-%s-%d", h.key.Customer, h.written), c.Name(), e)
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
