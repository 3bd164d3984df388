package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/eventstore"
)

// Numbers are unique for a seller and gapless within a series, though the number is taken on one stream and used on
// another. A document's number is taken first (pending), then the document is issued, then the number is confirmed
// on the way of a later taking. A crash in between leaves a pending number: before anybody takes from the series
// again, or when somebody else wants the very number, the account is asked whether the document was issued. If not,
// the account forfeits the number, so that a slow command elsewhere can't use it any more, and it is given back.

var (
	serieses = &eventstore.Aggregate[numbering.Command, *numbering.State]{
		Decider:         numbering.Decider,
		SnapshotVersion: 1, Snapshot: (*numbering.State).MarshalJSON, Restore: restoreSeries,
	}
	texts = &eventstore.Aggregate[numbering.TextCommand, numbering.TextState]{Decider: numbering.TextDecider}
)

func restoreSeries(data []byte) (*numbering.State, error) {
	s := numbering.Decider.New()
	return s, s.UnmarshalJSON(data)
}

// CreditSeries gives credit notes their numbers when a command names no series.
const CreditSeries domain.Series = "CN"

// document is what needs a number.
type document struct {
	given string // the number that the command names
	key   numbering.Key
	id    domain.InvoiceID
	on    domain.Date
}

// documentOf tells whether a command issues a document, and which series would number it.
func documentOf(c account.Command, invoices domain.Series) (document, bool) {
	of := func(given string, series string, otherwise domain.Series, id string, on domain.Date) (document, bool) {
		if series != "" {
			otherwise = domain.Series(series)
		}
		key := numbering.Key{Seller: c.Account().Seller, Series: otherwise, Year: on.Year()}
		return document{given, key, domain.InvoiceID(id), on}, true
	}
	switch c := c.(type) {
	case account.IssueInvoice:
		return of(c.Number, c.Series, invoices, string(c.Invoice), c.IssuedOn)
	case account.IssueCreditNote:
		return of(c.Number, c.Series, CreditSeries, string(c.Credit), c.IssuedOn)
	case account.ResolveDispute:
		if c.Outcome == account.DisputeUpheld {
			return of(c.Number, c.Series, CreditSeries, string(c.Credit), c.ResolvedOn)
		}
	}
	return document{}, false
}

// numberAttemptsMax bounds how often a document gets another number because a clean-up took the last one back.
const numberAttemptsMax = 5

// issue gets a number for a document and issues it. What would be refused, or was issued before, takes no number.
func (l *Ledger) issue(ctx context.Context, r account.Request, doc document, env eventstore.Envelope) (eventstore.Receipt, error) {
	probe := r
	probe.Parties.Number, probe.Parties.Token = "none yet", math.MaxUint64
	if receipt, err := l.try(ctx, probe, env); err != nil || receipt.Repeated {
		return receipt, err
	}
	taker := numbering.Taker{Account: r.Account().Stream(), Invoice: doc.id, CommandID: env.CommandID}
	for attempt := 1; ; attempt++ {
		held, err := l.number(ctx, doc, taker)
		if err != nil {
			return eventstore.Receipt{}, err
		}
		r.Parties.Number, r.Parties.Token = held.text, held.token
		receipt, err := l.run(ctx, r, env)
		switch {
		case err == nil:
			l.series.issued(held)
			return receipt, nil
		case errors.Is(err, account.ErrNumberForfeited) && attempt < numberAttemptsMax:
		case outcomeUnknown(err):
			return receipt, err // the same command, or the next clean-up, finishes it
		default:
			return receipt, errors.Join(err, l.giveBack(ctx, held, taker, err))
		}
	}
}

// outcomeUnknown tells whether the document may have been issued in spite of the error.
func outcomeUnknown(err error) bool {
	var e *domain.Error
	return !errors.As(err, &e) || e.Code == domain.Unavailable || e.Code == domain.Internal
}

// held is a number that waits for its document.
type held struct {
	text   string
	token  uint64 // version of the stream on which it was taken
	key    numbering.Key
	n      int // 0 for a free number
	seller domain.SellerID
}

// number takes the document's number from its series, or claims the one that the command names.
func (l *Ledger) number(ctx context.Context, doc document, taker numbering.Taker) (held, error) {
	if doc.given == "" {
		if err := l.settleOnce(ctx, doc.key); err != nil {
			return held{}, err
		}
		return l.series.take(ctx, doc.key, taker)
	}
	h := held{text: doc.given, seller: doc.key.Seller}
	if series, year, n, ok := numbering.Parse(doc.given); ok {
		h.key, h.n = numbering.Key{Seller: doc.key.Seller, Series: series, Year: year}, n
	}
	for {
		receipt, err := l.claim(ctx, h, taker)
		if errors.Is(err, numbering.ErrNumberTaken) {
			freed, cleanErr := l.freeStale(ctx, h, doc.on)
			if cleanErr != nil {
				return held{}, cleanErr
			}
			if freed {
				continue
			}
		}
		h.token = uint64(receipt.Version)
		return h, err
	}
}

// claim marks a number that was given by hand as used.
func (l *Ledger) claim(ctx context.Context, h held, taker numbering.Taker) (eventstore.Receipt, error) {
	env := internal("claim number")
	if h.n > 0 {
		return eventstore.Run(ctx, l.handler, serieses, numbering.Command(numbering.ClaimNumber{Key: h.key, N: h.n, Taker: taker}), env)
	}
	text := numbering.Text{Seller: h.seller, Number: h.text}
	return eventstore.Run(ctx, l.handler, texts, numbering.TextCommand(numbering.ClaimText{Text: text, Taker: taker}), env)
}

// giveBack frees a number whose document was refused.
func (l *Ledger) giveBack(ctx context.Context, h held, taker numbering.Taker, why error) error {
	env, reason := internal("return number"), reasonOf(why)
	var err error
	if h.n > 0 {
		_, err = eventstore.Run(ctx, l.handler, serieses,
			numbering.Command(numbering.ReturnNumber{Key: h.key, N: h.n, Taker: taker, Reason: reason}), env)
	} else {
		text := numbering.Text{Seller: h.seller, Number: h.text}
		_, err = eventstore.Run(ctx, l.handler, texts,
			numbering.TextCommand(numbering.ReleaseText{Text: text, Taker: taker, Reason: reason}), env)
	}
	if errors.Is(err, numbering.ErrNotHeld) {
		return nil // somebody cleaned up already
	}
	return err
}

func reasonOf(err error) string {
	var e *domain.Error
	if errors.As(err, &e) {
		return e.Rule
	}
	return "not issued"
}

// internal is the envelope of the ledger's own steps.
func internal(name string) eventstore.Envelope {
	return eventstore.Envelope{Internal: true, Name: name, Actor: "urikake"}
}

// freeStale frees a claimed number that stands on no document, because its command crashed or never came back.
func (l *Ledger) freeStale(ctx context.Context, h held, on domain.Date) (freed bool, err error) {
	var taker numbering.Taker
	var waits bool
	var token uint64
	if h.n > 0 {
		err = eventstore.View(ctx, l.handler, serieses, h.key.Stream(), func(s *numbering.State, v eventstore.Version) error {
			for n, t := range s.Pending() {
				if n == h.n {
					taker, waits, token = t, true, uint64(v)
				}
			}
			return nil
		})
	} else {
		stream := numbering.Text{Seller: h.seller, Number: h.text}.Stream()
		err = eventstore.View(ctx, l.handler, texts, stream, func(s numbering.TextState, v eventstore.Version) error {
			taker, waits, token = s.By, s.Claimed, uint64(v)
			return nil
		})
	}
	if err != nil || !waits {
		return false, err
	}
	h.token = token
	issued, err := l.settle(ctx, h, taker, on)
	return err == nil && !issued, err
}

// settle finds out whether a number's document was issued. If not, the account forfeits the number and it is freed.
func (l *Ledger) settle(ctx context.Context, h held, taker numbering.Taker, on domain.Date) (issued bool, err error) {
	key, _, ok := account.ParseStream(taker.Account)
	if !ok {
		return false, domain.ErrSchema.With("a number waits for %q", taker.Account)
	}
	live, closed, err := l.live(ctx, key)
	if err != nil {
		return false, err
	}
	for _, stream := range append(closed, live) {
		if seen, err := eventstore.Seen(ctx, l.handler, accounts, stream, taker.CommandID); seen || err != nil {
			return seen, err
		}
	}
	env := internal("forfeit number")
	env.Unless = taker.CommandID
	r := account.Request{
		Command: account.ForfeitNumber{Key: key, Number: h.text, Token: h.token, ForfeitOn: on},
		Parties: account.Parties{SellerKnown: true, CustomerKnown: true},
	}
	if _, err := l.run(ctx, r, env); err != nil {
		if errors.Is(err, eventstore.ErrSeen) {
			return true, nil
		}
		return false, err
	}
	return false, l.giveBack(ctx, h, taker, errors.New("stale"))
}

// settleOnce finishes, before the first taking in this process, what a crash left pending in the series.
func (l *Ledger) settleOnce(ctx context.Context, key numbering.Key) error {
	return l.series.once(key, func() error {
		var left []numbering.Taken
		var token uint64
		err := eventstore.View(ctx, l.handler, serieses, key.Stream(), func(s *numbering.State, v eventstore.Version) error {
			for n, t := range s.Pending() {
				left = append(left, numbering.Taken{N: n, Taker: t})
			}
			token = uint64(v)
			return nil
		})
		var issued []int
		for _, t := range left {
			if err != nil {
				return err
			}
			h := held{text: key.Number(t.N), token: token, key: key, n: t.N, seller: key.Seller}
			var done bool
			if done, err = l.settle(ctx, h, t.Taker, domain.NewDate(key.Year, 12, 31)); done {
				issued = append(issued, t.N)
			}
		}
		if err != nil || len(issued) == 0 {
			return err
		}
		_, err = eventstore.Run(ctx, l.handler, serieses,
			numbering.Command(numbering.ConfirmNumbers{Key: key, Numbers: issued}), internal("confirm numbers"))
		return err
	})
}

// dispenser takes numbers for all who ask at the same time in one append, so that a series is no bottleneck though
// each number is durable before it is used.
type dispenser struct {
	handler *eventstore.Handler
	mu      sync.Mutex
	counter map[numbering.Key]*counter
}

// counter is where people queue for one series.
type counter struct {
	settle  sync.Mutex
	settled bool

	waiting []*asker
	serving bool
	issued  []int // to be confirmed by the next taking
}

type asker struct {
	taker numbering.Taker
	held  held
	err   error
	done  chan struct{}
}

func newDispenser(h *eventstore.Handler) *dispenser {
	return &dispenser{handler: h, counter: make(map[numbering.Key]*counter)}
}

func (d *dispenser) at(key numbering.Key) *counter {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.counter[key] == nil {
		d.counter[key] = &counter{}
	}
	return d.counter[key]
}

// once runs settle for a series until it succeeds once.
func (d *dispenser) once(key numbering.Key, settle func() error) error {
	c := d.at(key)
	c.settle.Lock()
	defer c.settle.Unlock()
	if c.settled {
		return nil
	}
	err := settle()
	c.settled = err == nil
	return err
}

// issued notes that a number stands on its document; the next taking confirms it.
func (d *dispenser) issued(h held) {
	if h.n == 0 {
		return
	}
	c := d.at(h.key)
	d.mu.Lock()
	c.issued = append(c.issued, h.n)
	d.mu.Unlock()
}

// take waits in the queue of a series. Whoever finds nobody serving serves all who wait, again and again.
func (d *dispenser) take(ctx context.Context, key numbering.Key, taker numbering.Taker) (held, error) {
	a := &asker{taker: taker, done: make(chan struct{})}
	c := d.at(key)
	d.mu.Lock()
	c.waiting = append(c.waiting, a)
	serve := !c.serving
	c.serving = true
	d.mu.Unlock()
	if serve {
		// detached: those who wait must not fail because the one who serves went away
		go d.serve(context.WithoutCancel(ctx), key, c)
	}
	select {
	case <-a.done:
		return a.held, a.err
	case <-ctx.Done():
		return held{}, ctx.Err() // the number stays pending until a repeat or a clean-up
	}
}

func (d *dispenser) serve(ctx context.Context, key numbering.Key, c *counter) {
	for {
		d.mu.Lock()
		n := min(len(c.waiting), numbering.TakersMax)
		group := c.waiting[:n:n]
		c.waiting = c.waiting[n:]
		confirm := c.issued[:min(len(c.issued), numbering.IssuedMax)]
		c.issued = c.issued[len(confirm):]
		if n == 0 {
			c.serving = false
			c.issued = append(confirm, c.issued...)
			d.mu.Unlock()
			return
		}
		d.mu.Unlock()
		if err := d.takeAll(ctx, key, group, confirm); err != nil {
			d.mu.Lock()
			c.issued = append(c.issued, confirm...)
			d.mu.Unlock()
			for _, a := range group {
				a.err = err
			}
		}
		for _, a := range group {
			close(a.done)
		}
	}
}

func (d *dispenser) takeAll(ctx context.Context, key numbering.Key, group []*asker, confirm []int) error {
	c := numbering.TakeNumbers{Key: key, Issued: confirm}
	for _, a := range group {
		c.For = append(c.For, a.taker)
	}
	if _, err := eventstore.Run(ctx, d.handler, serieses, numbering.Command(c), internal("take numbers")); err != nil {
		return err
	}
	return eventstore.View(ctx, d.handler, serieses, key.Stream(), func(s *numbering.State, v eventstore.Version) error {
		for _, a := range group {
			n, ok := s.Held(a.taker)
			if !ok {
				return fmt.Errorf("no number for %s in %s", a.taker.Invoice, key.Stream())
			}
			a.held = held{text: key.Number(n), token: uint64(v), key: key, n: n, seller: key.Seller}
		}
		return nil
	})
}
