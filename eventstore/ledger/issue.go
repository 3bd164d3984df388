package ledger

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/eventstore"
)

// numberAttemptsMax bounds how often a document gets another number because a clean-up took the last one back. A node
// cleans up when it begins with a series and after something went wrong, and takes whatever is under way on other nodes
// for left behind; each time, the one whose number was taken has a chance to be quicker.
const numberAttemptsMax = 50

// issue gets numbers for a group's documents and does the group. What would be refused, or was issued before, takes no
// number.
func (l *Ledger) issue(ctx context.Context, group []order, docs []document) ([]eventstore.Receipt, error) {
	probe := slices.Clone(group)
	for _, doc := range docs {
		p := &probe[doc.at].Command.Parties
		p.Number, p.Token = "none yet", math.MaxUint64
	}
	receipts, err := l.try(ctx, probe)
	if err != nil || allRepeated(receipts) {
		return receipts, err
	}
	docs = slices.DeleteFunc(docs, func(doc document) bool { return receipts[doc.at].Repeated })
	if err := checkGiven(docs); err != nil {
		return nil, err
	}
	leave := l.enter(docs)
	err = error(account.ErrNumberForfeited)
	for attempt := 0; attempt < numberAttemptsMax && errors.Is(err, account.ErrNumberForfeited); attempt++ {
		receipts, err = l.issueOnce(ctx, group, docs)
	}
	leave()
	for _, doc := range docs {
		if err != nil || receipts[doc.at].Repeated {
			l.series.doubt(doc.key) // a number may be left
		}
	}
	if err != nil && !outcomeUnknown(err) { // sent twice at once, it may have been issued meanwhile
		if again, tryErr := l.try(ctx, probe); tryErr == nil && allRepeated(again) {
			return again, nil
		}
	}
	return receipts, err
}

func allRepeated(receipts []eventstore.Receipt) bool {
	return !slices.ContainsFunc(receipts, func(r eventstore.Receipt) bool { return !r.Repeated })
}

// checkGiven refuses a number that is given to two documents of a group.
func checkGiven(docs []document) error {
	given := make(map[string]bool)
	for _, doc := range docs {
		if given[doc.given] {
			return &Failed{Index: doc.at, Err: numbering.ErrNumberTaken.With("%s, by a command before it", doc.given).At("/number")}
		}
		given[doc.given] = doc.given != ""
	}
	return nil
}

// enter notes all documents' commands as under way until the function that it gives is called.
func (l *Ledger) enter(docs []document) (leave func()) {
	leaves := make([]func(), len(docs))
	for i, doc := range docs {
		leaves[i] = l.series.enter(doc.taker)
	}
	return func() {
		for _, leave := range leaves {
			leave()
		}
	}
}

// issueOnce issues documents each under one number.
func (l *Ledger) issueOnce(ctx context.Context, group []order, docs []document) ([]eventstore.Receipt, error) {
	numbers, err := l.numbers(ctx, docs)
	if err != nil {
		return nil, err
	}
	for i, doc := range docs {
		p := &group[doc.at].Command.Parties
		p.Number, p.Token = numbers[i].text, numbers[i].token
	}
	receipts, err := l.run(ctx, group)
	var failed *Failed
	forfeited := errors.Is(err, account.ErrNumberForfeited) && errors.As(err, &failed)
	for i, doc := range docs {
		switch {
		case err == nil && numberOn(receipts[doc.at]) == numbers[i].text:
			l.issued(ctx, numbers[i])
		case forfeited && failed.Index == doc.at: // whoever took it for stale may have stopped halfway
			if cleanErr := l.giveBack(ctx, numbers[i], doc.taker); cleanErr != nil {
				return nil, cleanErr
			}
		}
	}
	return receipts, err
}

// issued leaves a number to be confirmed by a later taking, or confirms many at once.
func (l *Ledger) issued(ctx context.Context, h held) {
	if many := l.series.issued(h); len(many) > 0 && l.confirm(ctx, h.key, many) != nil {
		l.series.doubt(h.key)
	}
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
