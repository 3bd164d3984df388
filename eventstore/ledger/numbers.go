package ledger

import (
	"context"
	"errors"
	"math"

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
		if again, tryErr := l.try(ctx, probe, env); tryErr == nil && again.Repeated {
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
	if errors.Is(err, account.ErrNumberForfeited) { // whoever took it for stale may have stopped halfway
		if cleanErr := l.giveBack(ctx, held, taker); cleanErr != nil {
			return receipt, cleanErr
		}
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
