package projections

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
)

// receipts is the money that came without a known payer, and how long it did not have one.
var receipts = Model{
	Name: "receipts", Version: 2,
	Kinds: []string{
		receipt.Recorded{}.Kind(), receipt.Booked{}.Kind(), receipt.Returned{}.Kind(),
		customer.PayersErased{}.Kind(),
	},
	Tables: []*Table{receiptsReceipts},
	Fold:   foldReceipts,
}

var receiptsReceipts = &Table{
	Name: "receipts_receipts",
	Key:  []Column{{Name: "seller", Type: Text}, {Name: "received_on"}, {Name: "receipt", Type: Text}},
	Columns: []Column{
		receiptCurrency: {Name: "currency", Type: Text}, receiptMinor: {Name: "amount_minor"}, receiptPayer: {Name: "payer", Type: Text},
		receiptReference: {Name: "reference", Type: Text}, receiptAccount: {Name: "account", Type: Text}, receiptPosition: {Name: "position"},
		receiptSettledOn: {Name: "settled_on"}, receiptSettled: {Name: "settled_position"},
	},
}

const (
	receiptCurrency = iota
	receiptMinor
	receiptPayer
	receiptReference
	receiptAccount
	receiptPosition
	receiptSettledOn // from this day on it is a payment, or gone
	receiptSettled   // position of the event that says so; 0: it is open
)

func foldReceipts(w *Writer, event domain.Event, r eventstore.Recorded) {
	row := func(k receipt.Key) *Row {
		return w.Row(receiptsReceipts, Str(k.Seller), Int(k.ReceivedOn.DayNumber()), Str(k.Receipt))
	}
	settled := func(k receipt.Key, on domain.Date) {
		row(k).Put(receiptSettledOn, on.DayNumber()).Put(receiptSettled, int64(r.Position))
	}
	switch e := event.(type) {
	case receipt.Recorded:
		row(e.Key).PutText(receiptCurrency, string(e.Amount.Currency())).Put(receiptMinor, e.Amount.Minor()).PutText(receiptPayer, e.Payer).
			PutText(receiptReference, e.Reference).PutText(receiptAccount, e.Account).Put(receiptPosition, int64(r.Position))
	case receipt.Booked: // it was the customer's from the day it came
		settled(e.Key, e.ReceivedOn)
	case receipt.Returned:
		settled(e.Key, e.ReturnedOn)
	case customer.PayersErased:
		for _, r := range e.Receipts {
			row(receipt.Key{Seller: e.Seller, Receipt: r.Receipt, ReceivedOn: r.ReceivedOn}).PutText(receiptPayer, "")
		}
	}
}

// ReceiptsQuery asks which money had no known payer.
type ReceiptsQuery struct {
	Seller  domain.SellerID
	AsOf    domain.Date
	KnownAt KnownAt
}

// ReceiptsReport is the answer.
type ReceiptsReport struct {
	AsOf    domain.Date
	KnownAt eventstore.Position
	Rows    []ReceiptRow
}

// ReceiptRow is one receipt, with those who may have sent it.
type ReceiptRow struct {
	receipt.Receipt
	Age        int // days since it came
	Candidates []Candidate
}

// Candidate is a debtor whose money it may be.
type Candidate struct {
	Customer domain.CustomerID
	By       receipt.Evidence
}

// CandidatesMax is how many candidates of one receipt are listed.
const CandidatesMax = 20

// Receipts lists the money that had no known payer as of q.AsOf, as known at q.KnownAt, by day and id, each with the
// debtors of that moment whose it may be, at most CandidatesMax. What was found to be a customer's was his from the day
// it came. O(open items of the seller) where there is any. Refuses what Aging refuses.
func (v *Views) Receipts(ctx context.Context, q ReceiptsQuery) (ReceiptsReport, error) {
	at, err := v.moment(ctx, q.AsOf, q.KnownAt)
	if err != nil {
		return ReceiptsReport{}, err
	}
	report := ReceiptsReport{AsOf: q.AsOf, KnownAt: eventstore.Position(at.position)}
	var open []receipt.Receipt
	var tolerance string
	err = v.look(ctx, func(r *reader) (err error) {
		if open, err = r.openReceipts(q.Seller, at); err != nil {
			return err
		}
		settings, _, err := r.party(sellers, at.position, Str(q.Seller))
		tolerance = settings.text(sellerTolerance)
		return err
	})
	if err != nil || len(open) == 0 {
		return report, err
	}
	places := make(map[receipt.Key]int, len(open))
	for i, r := range open {
		places[r.Key] = i
		report.Rows = append(report.Rows, ReceiptRow{Receipt: r, Age: q.AsOf.DaysSince(r.ReceivedOn)})
	}
	index := receipt.NewIndex(open)
	debtors := DebtorsQuery{Seller: q.Seller, AsOf: q.AsOf, KnownAt: KnownAt{Position: report.KnownAt}}
	_, err = v.EachDebtor(ctx, debtors, func(d Debtor) error {
		if len(d.Facts.Items) == 0 {
			return nil
		}
		for _, m := range index.Of(ledger.Owes(d.Facts, d.Names(), limitIn(tolerance, d.Facts.Currency).Minor()), q.AsOf) {
			row := &report.Rows[places[m.Key]]
			if len(row.Candidates) < CandidatesMax {
				row.Candidates = append(row.Candidates, Candidate{d.Facts.Customer, m.By})
			}
		}
		return nil
	})
	return report, err
}

// openReceipts refuses views.unknown_seller.
func (r *reader) openReceipts(seller domain.SellerID, at moment) (open []receipt.Receipt, err error) {
	if _, err := r.holders(seller, "", at.position); err != nil {
		return nil, err
	}
	query := "SELECT received_on, receipt, " + columnList(receiptsReceipts.Columns) + " FROM receipts_receipts WHERE seller = ? AND received_on <= ?" +
		" AND position <= ? AND position > 0 AND NOT (settled_position > 0 AND settled_position <= ? AND settled_on <= ?) ORDER BY received_on, receipt"
	args := []Value{Str(seller), Int(at.day), Int(at.position), Int(at.position), Int(at.day)}
	err = r.each(query, args, func(c *cursor) error {
		row := columnsOf(receiptsReceipts, c, 2)
		open = append(open, receipt.Receipt{
			Key:    receipt.Key{Seller: seller, Receipt: domain.ReceiptID(c.text(1)), ReceivedOn: domain.DateFromDayNumber(c.int(0))},
			Amount: domain.NewMoney(row.int(receiptMinor), domain.Currency(row.text(receiptCurrency))),
			Payer:  row.text(receiptPayer), Reference: row.text(receiptReference), Account: row.text(receiptAccount),
		})
		return nil
	})
	return open, err
}
