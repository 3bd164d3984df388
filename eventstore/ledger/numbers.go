package ledger

import (
	"context"
	"errors"
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
	on    domain.Date
	taker numbering.Taker
	at    int // which command of its group issues it
}

// documentOf tells whether a command issues a document, and which series would number it.
func documentOf(c account.Command, invoices domain.Series) (document, bool) {
	of := func(given string, series string, otherwise domain.Series, id string, on domain.Date) (document, bool) {
		if series != "" {
			otherwise = domain.Series(series)
		}
		key := numbering.Key{Seller: c.Account().Seller, Series: otherwise, Year: on.Year()}
		doc := document{given: given, key: key, on: on}
		doc.taker = numbering.Taker{Account: c.Account().Stream(), Invoice: domain.InvoiceID(id)}
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

// held is a number that waits for its document.
type held struct {
	text  string
	token uint64 // version of its stream when it was taken
	key   numbering.Key
	n     int // 0 for a free number
}

// numbers claims the numbers that documents name, all at the same time, and takes the others from their series, in the
// documents' order.
func (l *Ledger) numbers(ctx context.Context, docs []document) ([]held, error) {
	numbers, errs := make([]held, len(docs)), make([]error, len(docs))
	takers := make(map[numbering.Key][]int) // who take, by series
	var claims sync.WaitGroup
	for i, doc := range docs {
		if doc.given == "" {
			takers[doc.key] = append(takers[doc.key], i)
			continue
		}
		claims.Go(func() { numbers[i], errs[i] = l.given(ctx, doc) })
	}
	claims.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, &Failed{Index: docs[i].at, Err: err}
		}
	}
	for key, places := range takers {
		if err := l.take(ctx, key, docs, places, numbers); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

// take gets numbers from one series for the documents at some places.
func (l *Ledger) take(ctx context.Context, key numbering.Key, docs []document, places []int, numbers []held) error {
	if err := l.settleOnce(ctx, key); err != nil {
		return err
	}
	takers := make([]numbering.Taker, len(places))
	for i, place := range places {
		takers[i] = docs[place].taker
	}
	taken, err := l.series.take(ctx, key, takers)
	if failed := (*Failed)(nil); errors.As(err, &failed) {
		err = &Failed{Index: docs[places[failed.Index]].at, Err: failed.Err}
	}
	for i, h := range taken {
		numbers[places[i]] = h
	}
	return err
}

// given claims the number that a document names.
func (l *Ledger) given(ctx context.Context, doc document) (held, error) {
	h := held{text: doc.given, key: doc.key, n: doc.n}
	for {
		err := l.claim(ctx, h, doc.taker)
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
		if err == nil && (!waits || w.Taker != doc.taker) {
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
		env.Expected = &eventstore.Expectation{Version: eventstore.Version(h.token)}
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
