package ledger

import (
	"context"
	"errors"
	"slices"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/eventstore"
)

// What a crash, a refusal or a client that went away leaves pending is found here and finished.

// freeStale frees a claimed number that stands on no document, because its command crashed or never came back.
func (l *Ledger) freeStale(ctx context.Context, h held, on domain.Date) (freed bool, err error) {
	w, waits, err := l.waiting(ctx, h)
	if err != nil || !waits || l.series.busy(w.Taker) {
		return false, err
	}
	h.token = w.Token
	issued, err := l.settle(ctx, h, w.Taker, on)
	return err == nil && !issued, err
}

// settle finds out whether a number's document was issued. If not, the account forfeits the number and it is freed.
func (l *Ledger) settle(ctx context.Context, h held, taker numbering.Taker, on domain.Date) (issued bool, err error) {
	key, _, ok := account.ParseStream(taker.Account)
	if !ok {
		return false, domain.ErrSchema.With("a number waits for %q", taker.Account)
	}
	env := internal("forfeit number")
	env.Unless = taker.CommandID
	r := account.Request{
		Command: account.ForfeitNumber{Key: key, Number: h.text, Token: h.token, ForfeitOn: on},
		Parties: account.Parties{SellerKnown: true, CustomerKnown: true},
	}
	_, err = l.run(ctx, []order{{Command: r, Envelope: env}})
	if errors.Is(err, eventstore.ErrSeen) {
		var receipt eventstore.Receipt
		receipt, err = l.find(ctx, key, taker.CommandID)
		issued = numberOn(receipt) == h.text // sent twice at once, a command may have taken two numbers
	}
	if err != nil || issued {
		return issued, err
	}
	return false, l.giveBack(ctx, h, taker)
}

// find gives the receipt of a command that one of the account's streams has seen.
func (l *Ledger) find(ctx context.Context, key account.Key, commandID string) (eventstore.Receipt, error) {
	live, closed, err := l.live(ctx, key)
	if err != nil {
		return eventstore.Receipt{}, err
	}
	for _, stream := range append(closed, live) {
		if receipt, found, err := eventstore.Find(ctx, l.handler, accounts, stream, commandID); found || err != nil {
			return receipt, err
		}
	}
	return eventstore.Receipt{}, domain.ErrSchema.With("%s has seen %s, and has not", key.Stream(), commandID)
}

// settleOnce finishes, before the first taking in this process and after one that went wrong, what is left pending in
// the series.
func (l *Ledger) settleOnce(ctx context.Context, key numbering.Key) error {
	return l.series.once(ctx, key, func() error {
		var left []numbering.Taken
		var tokens []uint64
		err := eventstore.View(ctx, l.handler, serieses, key.Stream(), func(s *numbering.State, _ eventstore.Version) error {
			for n, w := range s.Pending() {
				left, tokens = append(left, numbering.Taken{N: n, Taker: w.Taker}), append(tokens, w.Token)
			}
			return nil
		})
		var issued []int
		for i, t := range left {
			if err != nil {
				return err
			}
			if l.series.busy(t.Taker) {
				continue
			}
			h := held{text: key.Number(t.N), token: tokens[i], key: key, n: t.N}
			var done bool
			if done, err = l.settle(ctx, h, t.Taker, domain.NewDate(key.Year, 12, 31)); done {
				issued = append(issued, t.N)
			}
		}
		if err != nil {
			return err
		}
		return l.confirm(ctx, key, issued)
	})
}

// confirm says that numbers stand on their documents.
func (l *Ledger) confirm(ctx context.Context, key numbering.Key, numbers []int) error {
	for some := range slices.Chunk(numbers, numbering.IssuedMax) {
		_, err := eventstore.Run(ctx, l.handler, serieses,
			numbering.Command(numbering.ConfirmNumbers{Key: key, Numbers: some}), internal("confirm numbers"))
		if err != nil {
			return err
		}
	}
	return nil
}
