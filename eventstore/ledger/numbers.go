package ledger

import (
	"context"
	"errors"
	"math"
	"slices"
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
// the account forfeits this taking of the number, so that a slow command elsewhere can't use it any more, and only then
// it is given back. A command that is refused with a number in hand leaves it to the next in the same way, since it may
// be under way twice.

var (
	serieses = &eventstore.Aggregate[numbering.Command, *numbering.State]{
		Decider:         numbering.Decider,
		SnapshotVersion: 2, Snapshot: (*numbering.State).MarshalJSON, Restore: restoreSeries, Size: (*numbering.State).Size,
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
	given string        // the number that the command names
	key   numbering.Key // the series that numbers it, or that the given number belongs to
	n     int           // the given number's place in its series, 0 if it has none
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
		doc := document{given, key, 0, domain.InvoiceID(id), on}
		if series, year, n, ok := numbering.Parse(given); ok {
			doc.key.Series, doc.key.Year, doc.n = series, year, n
		}
		return doc, true
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
	case account.AssessLateCharge:
		if c.Number != "" { // otherwise its id stands for it
			return of(c.Number, "", invoices, string(c.Charge), c.AssessedOn)
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
	leave := l.series.enter(taker)
	var receipt eventstore.Receipt
	err := error(account.ErrNumberForfeited)
	for attempt := 0; attempt < numberAttemptsMax && errors.Is(err, account.ErrNumberForfeited); attempt++ {
		receipt, err = l.issueOnce(ctx, r, doc, taker, env)
	}
	leave()
	if err != nil || receipt.Repeated {
		l.series.doubt(doc.key) // a number may be left
	}
	if err != nil && !outcomeUnknown(err) { // sent twice at once, it may have been issued meanwhile
		if again, tryErr := l.try(ctx, probe, env); false && tryErr == nil && again.Repeated {
			return again, nil
		}
	}
	return receipt, err
}

// issueOnce issues a document under one number.
func (l *Ledger) issueOnce(ctx context.Context, r account.Request, doc document, taker numbering.Taker, env eventstore.Envelope) (eventstore.Receipt, error) {
	held, err := l.number(ctx, doc, taker)
	if err != nil {
		return eventstore.Receipt{}, err
	}
	r.Parties.Number, r.Parties.Token = held.text, held.token
	receipt, err := l.run(ctx, r, env)
	if err == nil && numberOn(receipt) == held.text {
		if many := l.series.issued(held); len(many) > 0 && l.confirm(ctx, held.key, many) != nil {
			l.series.doubt(held.key)
		}
		return receipt, nil
	}
	if errors.Is(err, account.ErrNumberForfeited) {
		return receipt, errors.Join(err, l.giveBack(ctx, held, taker))
	}
	return receipt, err
}

// numberOn is the number of the document that a command issued.
func numberOn(r eventstore.Receipt) string {
	for _, e := range r.Events {
		switch e := e.(type) {
		case account.InvoiceIssued:
			return e.Number
		case account.CreditNoteIssued:
			return e.Number
		case account.LateChargeAssessed:
			return e.Number
		}
	}
	return ""
}

// outcomeUnknown tells whether the document may have been issued in spite of the error.
func outcomeUnknown(err error) bool {
	var e *domain.Error
	return !errors.As(err, &e) || e.Code == domain.Unavailable || e.Code == domain.Internal
}

// held is a number that waits for its document.
type held struct {
	text  string
	token uint64 // version of its stream when it was taken
	key   numbering.Key
	n     int // 0 for a free number
}

// number takes the document's number from its series, or claims the one that the command names.
func (l *Ledger) number(ctx context.Context, doc document, taker numbering.Taker) (held, error) {
	if doc.given == "" {
		if err := l.settleOnce(ctx, doc.key); err != nil {
			return held{}, err
		}
		return l.series.take(ctx, doc.key, taker)
	}
	h := held{text: doc.given, key: doc.key, n: doc.n}
	for {
		err := l.claim(ctx, h, taker)
		if errors.Is(err, numbering.ErrNumberTaken) {
			freed, cleanErr := l.freeStale(ctx, h, doc.on)
			if cleanErr != nil {
				return held{}, cleanErr
			}
			if freed {
				continue
			}
		}
		if err != nil {
			return held{}, err
		}
		w, waits, err := l.waiting(ctx, h)
		if err == nil && (!waits || w.Taker != taker) {
			err = account.ErrNumberForfeited.With("%s", h.text)
		}
		h.token = w.Token
		return h, err
	}
}

// waiting tells who waits with a number that was given by hand.
func (l *Ledger) waiting(ctx context.Context, h held) (w numbering.Waiting, waits bool, err error) {
	if h.n > 0 {
		err = eventstore.View(ctx, l.handler, serieses, h.key.Stream(), func(s *numbering.State, _ eventstore.Version) error {
			w, waits = s.Waits(h.n)
			return nil
		})
		return w, waits, err
	}
	stream := numbering.Text{Seller: h.key.Seller, Number: h.text}.Stream()
	err = eventstore.View(ctx, l.handler, texts, stream, func(s numbering.TextState, v eventstore.Version) error {
		w, waits = numbering.Waiting{Taker: s.By, Token: uint64(v)}, s.Claimed // a claim is the stream's newest event
		return nil
	})
	return w, waits, err
}

// claim marks a number that was given by hand as used.
func (l *Ledger) claim(ctx context.Context, h held, taker numbering.Taker) (err error) {
	env := internal("claim number")
	if h.n > 0 {
		_, err = eventstore.Run(ctx, l.handler, serieses, numbering.Command(numbering.ClaimNumber{Key: h.key, N: h.n, Taker: taker}), env)
		return err
	}
	text := numbering.Text{Seller: h.key.Seller, Number: h.text}
	_, err = eventstore.Run(ctx, l.handler, texts, numbering.TextCommand(numbering.ClaimText{Text: text, Taker: taker}), env)
	return err
}

// giveBack frees a number that no document can carry any more by this taking.
func (l *Ledger) giveBack(ctx context.Context, h held, taker numbering.Taker) (err error) {
	const reason = "not issued"
	env := internal("return number")
	if h.n > 0 {
		_, err = eventstore.Run(ctx, l.handler, serieses,
			numbering.Command(numbering.ReturnNumber{Key: h.key, N: h.n, Taker: taker, Token: h.token, Reason: reason}), env)
	} else {
		text := numbering.Text{Seller: h.key.Seller, Number: h.text}
		version := eventstore.Version(h.token)
		env.Expected = &version
		_, err = eventstore.Run(ctx, l.handler, texts,
			numbering.TextCommand(numbering.ReleaseText{Text: text, Taker: taker, Reason: reason}), env)
	}
	if errors.Is(err, numbering.ErrNotHeld) || errors.Is(err, eventstore.ErrWrongVersion) {
		return nil // somebody cleaned up already
	}
	return err
}

// internal is the envelope of the ledger's own steps.
func internal(name string) eventstore.Envelope {
	return eventstore.Envelope{Internal: true, Name: name, Actor: "urikake"}
}

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
	_, err = l.run(ctx, r, env)
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
	return l.series.once(key, func() error {
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

// dispenser takes numbers for all who ask at the same time in one append, so that a series is no bottleneck though
// each number is durable before it is used.
type dispenser struct {
	handler *eventstore.Handler
	mu      sync.Mutex
	counter map[numbering.Key]*counter
	inside  map[numbering.Taker]int // commands under way in this process: what they hold is not stale
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
	return &dispenser{handler: h, counter: make(map[numbering.Key]*counter), inside: make(map[numbering.Taker]int)}
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

// doubt makes the next taking look first what was left pending.
func (d *dispenser) doubt(key numbering.Key) {
	c := d.at(key)
	c.settle.Lock()
	c.settled = false
	c.settle.Unlock()
}

// enter notes a command as under way until the function that it gives is called.
func (d *dispenser) enter(t numbering.Taker) (leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside[t]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.inside[t]--; d.inside[t] == 0 {
			delete(d.inside, t)
		}
	}
}

func (d *dispenser) busy(t numbering.Taker) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inside[t] > 0
}

// unconfirmedMax bounds how many issued numbers wait for a taking that confirms them: numbers given by hand may come
// in thousands, with no taking after them.
const unconfirmedMax = 1000

// issued notes that a number stands on its document; the next taking confirms it. many are to be confirmed now.
func (d *dispenser) issued(h held) (many []int) {
	if h.n == 0 {
		return nil
	}
	c := d.at(h.key)
	d.mu.Lock()
	defer d.mu.Unlock()
	c.issued = append(c.issued, h.n)
	if len(c.issued) < unconfirmedMax {
		return nil
	}
	many, c.issued = c.issued, nil
	return many
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
		go func() { // its number stays pending until a repeat or a clean-up
			<-a.done
			d.doubt(key)
		}()
		return held{}, ctx.Err()
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
			d.doubt(key) // the numbers may be taken all the same
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
	return eventstore.View(ctx, d.handler, serieses, key.Stream(), func(s *numbering.State, _ eventstore.Version) error {
		for _, a := range group {
			n, token, ok := s.Held(a.taker)
			if !ok { // another process took it for stale already
				a.err = account.ErrNumberForfeited.With("for %s in %s", a.taker.Invoice, key.Stream())
				continue
			}
			a.held = held{text: key.Number(n), token: token, key: key, n: n}
		}
		return nil
	})
}
