package projections

import (
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// items is the dated sub-ledger: every document of every account, and everything that moved it, with its day and its
// position. Aging, balances, invoices, statements and unapplied money all read it, so they agree by construction.
//
// A document begins with its whole amount open (of an invoice or late charge) or unapplied (of a payment or credit
// note, less what it settled at once). Each move after that is a row. What was open on a day as known at a position is
// what is open now less the moves after that day or that position.
var items = Model{
	Name: "items", Version: 4,
	Kinds: []string{
		account.InvoiceIssued{}.Kind(), account.InvoiceVoided{}.Kind(), account.DueDateChanged{}.Kind(),
		account.CreditNoteIssued{}.Kind(), account.CreditApplied{}.Kind(), account.CreditUnapplied{}.Kind(),
		account.PaymentRecorded{}.Kind(), account.PaymentApplied{}.Kind(), account.PaymentUnapplied{}.Kind(),
		account.PaymentReversed{}.Kind(), account.RefundIssued{}.Kind(),
		account.WrittenOff{}.Kind(), account.DifferenceSettled{}.Kind(),
		account.DisputeOpened{}.Kind(), account.DisputeResolved{}.Kind(),
		account.LateChargeAssessed{}.Kind(), account.LateChargeWaived{}.Kind(),
		// these only move the account's version
		account.NumberForfeited{}.Kind(), account.WriteOffRecovered{}.Kind(),
		account.BalanceCarriedForward{}.Kind(), account.BalanceBroughtForward{}.Kind(),
	},
	Tables: []*Table{itemsAccounts, itemsHeads, itemsDocuments, itemsMoves, itemsDues, itemsDisputes},
	Fold:   foldItems,
}

// Classes of documents: part of the key, since each has ids of its own.
const (
	classItem    = 1 // invoices and late charges
	classPayment = 2
	classCredit  = 3
)

var documentKey = []Column{{Name: "account"}, {Name: "class"}, {Name: "doc", Type: Text}}

var itemsDocuments = &Table{
	Name: "items_documents",
	Key:  documentKey,
	Columns: []Column{
		docIssuedOn:      {Name: "issued_on"},
		docDueOn:         {Name: "due_on"}, // as issued; changes stand in items_dues
		docOpen:          {Name: "open_minor", Merge: Add},
		docLastOn:        {Name: "last_on", Merge: Max},
		docLastPosition:  {Name: "last_position", Merge: Max},
		docFirstPosition: {Name: "first_position"},
		docDueChanges:    {Name: "due_changes", Merge: Add},
		docDisputes:      {Name: "disputes", Merge: Add},
		docTotal:         {Name: "total_minor"},
		docLateCharge:    {Name: "late_charge"},
		docVoided:        {Name: "voided", Merge: Add},
		docWrittenOff:    {Name: "written_off_minor", Merge: Add},
		docNumber:        {Name: "number", Type: Text},
		docReference:     {Name: "reference", Type: Text}, // the buyer's or the bank's
	},
	// An invoice is found by its id alone. A search by number scans: an index on it costs a rebuild a tenth of its time.
	Indexes: []Index{{Columns: []string{"doc"}, Where: "class = 1"}},
}

const (
	docIssuedOn = iota
	docDueOn
	docOpen
	docLastOn
	docLastPosition
	docFirstPosition
	docDueChanges
	docDisputes
	docTotal
	docLateCharge
	docVoided
	docWrittenOff
	docNumber
	docReference
)

var itemsMoves = &Table{
	Name: "items_moves",
	Key:  append(documentKey[:3:3], Column{Name: "position"}),
	Columns: []Column{
		moveOn:     {Name: "on_day"},
		moveMinor:  {Name: "minor", Merge: Add},        // of what is open or unapplied
		moveEffect: {Name: "effect_minor", Merge: Add}, // on the account's balance
		moveKind:   {Name: "kind"},
		moveSource: {Name: "source", Type: Text}, // of an item: the id of what moved it, where that has one
	},
}

const (
	moveOn = iota
	moveMinor
	moveEffect
	moveKind
	moveSource
)

// Kinds of moves, by the event that made them; moveKinds names it.
const (
	moveWrittenOff       = 1
	moveDifference       = 2
	moveVoided           = 3
	moveWaived           = 4
	moveRefunded         = 5
	moveReversed         = 6
	movePaymentRecorded  = 7 // this and what follows: no effect on the balance
	movePaymentApplied   = 8
	movePaymentUnapplied = 9
	moveCreditIssued     = 10
	moveCreditApplied    = 11
	moveCreditUnapplied  = 12
)

var moveKinds = [...]string{
	moveWrittenOff:       account.WrittenOff{}.Kind(),
	moveDifference:       account.DifferenceSettled{}.Kind(),
	moveVoided:           account.InvoiceVoided{}.Kind(),
	moveWaived:           account.LateChargeWaived{}.Kind(),
	moveRefunded:         account.RefundIssued{}.Kind(),
	moveReversed:         account.PaymentReversed{}.Kind(),
	movePaymentRecorded:  account.PaymentRecorded{}.Kind(),
	movePaymentApplied:   account.PaymentApplied{}.Kind(),
	movePaymentUnapplied: account.PaymentUnapplied{}.Kind(),
	moveCreditIssued:     account.CreditNoteIssued{}.Kind(),
	moveCreditApplied:    account.CreditApplied{}.Kind(),
	moveCreditUnapplied:  account.CreditUnapplied{}.Kind(),
}

var itemsDues = &Table{
	Name:    "items_dues",
	Key:     []Column{{Name: "account"}, {Name: "doc", Type: Text}, {Name: "on_day"}, {Name: "position"}},
	Columns: []Column{0: {Name: "due_on"}},
}

var itemsDisputes = &Table{
	Name: "items_disputes",
	Key:  []Column{{Name: "account"}, {Name: "doc", Type: Text}, {Name: "position"}},
	Columns: []Column{
		disputeOn:    {Name: "on_day"},
		disputeMinor: {Name: "minor", Merge: Add}, // below zero: resolved
		disputeID:    {Name: "dispute", Type: Text},
	},
}

const (
	disputeOn = iota
	disputeMinor
	disputeID
)

// entry is the event being folded.
type entry struct {
	w        *Writer
	account  int64
	on       domain.Date
	position eventstore.Position
}

func foldItems(w *Writer, event domain.Event, r eventstore.Recorded) {
	e, ok := event.(account.Event)
	id, known := w.Account(r.Stream, r.Position)
	if !ok || !known {
		return
	}
	w.Row(itemsHeads, Int(id)).Put(headVersion, int64(r.Version)).Put(headPosition, int64(r.Position)).Put(headNewest, e.On().DayNumber())
	in := entry{w, id, e.On(), r.Position}
	switch e := e.(type) {
	case account.InvoiceIssued:
		in.begin(classItem, string(e.Invoice), e.Total.Minor(), 0).Put(docDueOn, e.DueOn.DayNumber()).
			text(docNumber, e.Number).text(docReference, e.Reference)
	case account.LateChargeAssessed:
		in.begin(classItem, string(e.Charge), e.Amount.Minor(), 0).Put(docDueOn, e.DueOn.DayNumber()).
			Put(docLateCharge, 1).text(docNumber, e.Number).text(docReference, string(e.Invoice))
	case account.PaymentRecorded:
		in.begin(classPayment, string(e.Payment), e.Amount.Minor(), sum(e.Allocations)).text(docReference, e.Reference)
		in.settle(e.Allocations, -1, movePaymentRecorded, string(e.Payment))
	case account.CreditNoteIssued:
		in.begin(classCredit, string(e.Credit), e.Total.Minor(), sum(e.Applied)).
			text(docNumber, e.Number).text(docReference, string(e.Invoice))
		in.settle(e.Applied, -1, moveCreditIssued, string(e.Credit))
	case account.PaymentApplied:
		in.transfer(classPayment, string(e.Payment), e.Allocations, -1, movePaymentApplied)
	case account.PaymentUnapplied:
		in.transfer(classPayment, string(e.Payment), e.Allocations, +1, movePaymentUnapplied)
	case account.CreditApplied:
		in.transfer(classCredit, string(e.Credit), e.Allocations, -1, moveCreditApplied)
	case account.CreditUnapplied:
		in.transfer(classCredit, string(e.Credit), e.Allocations, +1, moveCreditUnapplied)
	case account.PaymentReversed:
		in.settle(e.Released, +1, moveReversed, string(e.Payment))
		in.move(classPayment, string(e.Payment), sum(e.Released)-e.Amount.Minor(), e.Effect(), moveReversed, "")
	case account.RefundIssued:
		class, doc := fund(e.Payment, e.Credit)
		in.move(class, doc, -e.Amount.Minor(), e.Effect(), moveRefunded, "")
	case account.WrittenOff:
		in.move(classItem, string(e.Invoice), -e.Amount.Minor(), e.Effect(), moveWrittenOff, string(e.WriteOff)).
			Put(docWrittenOff, e.Amount.Minor())
	case account.DifferenceSettled:
		if e.Payment != "" {
			in.move(classPayment, string(e.Payment), -e.Amount.Minor(), e.Effect(), moveDifference, "")
		} else {
			in.move(classItem, string(e.Invoice), -e.Amount.Minor(), e.Effect(), moveDifference, "")
		}
	case account.InvoiceVoided:
		in.move(classItem, string(e.Invoice), -e.Amount.Minor(), e.Effect(), moveVoided, "").Put(docVoided, 1)
	case account.LateChargeWaived:
		in.move(classItem, string(e.Charge), -e.Amount.Minor(), e.Effect(), moveWaived, "")
	case account.DueDateChanged:
		w.Row(itemsDues, Int(id), Str(e.Invoice), Int(in.on.DayNumber()), Int(r.Position)).Put(0, e.DueOn.DayNumber())
		in.document(classItem, string(e.Invoice)).Put(docDueChanges, 1)
	case account.DisputeOpened:
		in.dispute(e.Invoice, e.Dispute, e.Amount.Minor())
	case account.DisputeResolved:
		in.dispute(e.Invoice, e.Dispute, -e.Amount.Minor())
	case account.BalanceBroughtForward:
		w.Row(itemsHeads, Int(id)).PutText(headPeriod, e.Period)
	}
}

func sum(list []account.Allocation) (minor int64) {
	for _, a := range list {
		minor += a.Amount.Minor()
	}
	return minor
}

func fund(p domain.PaymentID, c domain.CreditID) (class int, doc string) {
	if p != "" {
		return classPayment, string(p)
	}
	return classCredit, string(c)
}

func (in entry) document(class int, doc string) *Row {
	return in.w.Row(itemsDocuments, Int(in.account), Int(class), Str(doc))
}

// touch notes when and where a document last moved.
func (in entry) touch(class int, doc string) *Row {
	return in.document(class, doc).Put(docLastOn, in.on.DayNumber()).Put(docLastPosition, int64(in.position))
}

// begin writes a new document; what it settles in the same event is never open on any day.
func (in entry) begin(class int, doc string, total, settles int64) *Row {
	return in.touch(class, doc).Put(docIssuedOn, in.on.DayNumber()).Put(docFirstPosition, int64(in.position)).
		Put(docTotal, total).Put(docOpen, total-settles)
}

// move changes what is open or unapplied of a document.
func (in entry) move(class int, doc string, minor, effect, kind int64, source string) *Row {
	m := in.w.Row(itemsMoves, Int(in.account), Int(class), Str(doc), Int(in.position)).
		Put(moveOn, in.on.DayNumber()).Put(moveMinor, minor).Put(moveKind, kind).text(moveSource, source)
	if effect != 0 {
		m.Put(moveEffect, effect)
	}
	return in.touch(class, doc).Put(docOpen, minor)
}

// settle moves the items of allocations: -1 settles, +1 opens them again.
func (in entry) settle(list []account.Allocation, sign, kind int64, source string) {
	for _, a := range list {
		in.move(classItem, string(a.Invoice), sign*a.Amount.Minor(), 0, kind, source)
	}
}

// transfer moves money between a payment or credit note and items; both move by the same.
func (in entry) transfer(class int, doc string, list []account.Allocation, sign, kind int64) {
	in.settle(list, sign, kind, doc)
	in.move(class, doc, sign*sum(list), 0, kind, "")
}

func (in entry) dispute(invoice domain.InvoiceID, id domain.DisputeID, minor int64) {
	in.w.Row(itemsDisputes, Int(in.account), Str(invoice), Int(in.position)).
		Put(disputeOn, in.on.DayNumber()).Put(disputeMinor, minor).text(disputeID, string(id))
	in.document(classItem, string(invoice)).Put(docDisputes, 1)
}

// text puts a text that is not empty.
func (r *Row) text(column int, s string) *Row {
	if s == "" {
		return r
	}
	return r.PutText(column, s)
}
