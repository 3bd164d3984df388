package account

import (
	"reflect"
	"sort"

	"github.com/urikake/urikake/domain"
)

// Records are an account's items and funds as they stand. Amounts are minor units of the account's currency.
type Records struct {
	Items     []ItemRecord     `json:"items,omitempty" doc:"invoices and late charges"`
	Payments  []FundRecord     `json:"payments,omitempty" doc:"payments"`
	Credits   []FundRecord     `json:"credits,omitempty" doc:"credit notes"`
	WriteOffs []WriteOffRecord `json:"write_offs,omitempty" doc:"write-offs"`
	Disputes  []DisputeRecord  `json:"disputes,omitempty" doc:"disputes"`
}

// MoveRecord is a change on a day.
type MoveRecord struct {
	On    domain.Date `json:"on" doc:"the day"`
	Minor int64       `json:"minor" doc:"the change, in minor units"`
}

// ItemRecord is an invoice or late charge as it stands.
type ItemRecord struct {
	Invoice      domain.InvoiceID `json:"invoice" doc:"id within the account"`
	Charge       bool             `json:"late_charge,omitempty" doc:"it is a late charge"`
	IssuedOn     domain.Date      `json:"issued_on" doc:"date of the document"`
	DueOn        domain.Date      `json:"due_on" doc:"due date"`
	Total        int64            `json:"total_minor" doc:"what was owed by it"`
	Settled      int64            `json:"settled_minor,omitempty" doc:"by payments and differences"`
	Credited     int64            `json:"credited_minor,omitempty" doc:"by credit notes"`
	WrittenOff   int64            `json:"written_off_minor,omitempty" doc:"given up"`
	Cancelled    int64            `json:"cancelled_minor,omitempty" doc:"voided or waived"`
	Voided       bool             `json:"voided,omitempty" doc:"it was voided"`
	Moves        []MoveRecord     `json:"moves,omitempty" doc:"the open amount through the days"`
	Taxes        []Tax            `json:"taxes,omitempty" doc:"as issued"`
	Noted        []Tax            `json:"credited_taxes,omitempty" doc:"what credit notes and write-offs have taken back"`
	NotedTotal   int64            `json:"credit_notes_minor,omitempty" doc:"sum of its credit notes"`
	Disputed     int64            `json:"disputed_minor,omitempty" doc:"in open disputes"`
	Differences  int64            `json:"differences_minor,omitempty" doc:"small differences settled"`
	ChargedUntil domain.Date      `json:"charged_until,omitzero" doc:"late charges are assessed to this day"`
	DueSince     domain.Date      `json:"due_since,omitzero" doc:"the day of its latest change of due date"`
	DueChanges   []DueRecord      `json:"due_changes,omitempty" doc:"its due dates of before, by day"`
}

// DueRecord is a due date that held until a day.
type DueRecord struct {
	On  domain.Date `json:"on" doc:"the first day without it"`
	Was domain.Date `json:"was_due_on" doc:"the due date until then"`
}

// FundRecord is a payment or credit note as it stands.
type FundRecord struct {
	ID          string       `json:"id" doc:"id within the account"`
	On          domain.Date  `json:"on" doc:"received or issued"`
	Amount      int64        `json:"amount_minor" doc:"the whole"`
	Refunded    int64        `json:"refunded_minor,omitempty" doc:"paid back"`
	Reversed    int64        `json:"reversed_minor,omitempty" doc:"undone"`
	Differences int64        `json:"differences_minor,omitempty" doc:"small surplus settled"`
	Applied     []Applied    `json:"applied,omitempty" doc:"what it settles"`
	Moves       []MoveRecord `json:"moves,omitempty" doc:"the unapplied amount through the days"`
}

// Applied is what a fund settles of an item.
type Applied struct {
	Invoice domain.InvoiceID `json:"invoice" doc:"the item"`
	Minor   int64            `json:"minor" doc:"how much, in minor units"`
	On      domain.Date      `json:"on" doc:"the latest day of it"`
}

// WriteOffRecord is a write-off as it stands.
type WriteOffRecord struct {
	WriteOff  domain.WriteOffID `json:"write_off" doc:"id within the account"`
	Invoice   domain.InvoiceID  `json:"invoice" doc:"the item"`
	On        domain.Date       `json:"on" doc:"the day"`
	Amount    int64             `json:"amount_minor" doc:"given up"`
	Recovered int64             `json:"recovered_minor,omitempty" doc:"came in after all"`
	Taxes     []Tax             `json:"taxes,omitempty" doc:"the tax in what is not recovered"`
}

// DisputeRecord is a dispute as it stands.
type DisputeRecord struct {
	Dispute    domain.DisputeID `json:"dispute" doc:"id within the account"`
	Invoice    domain.InvoiceID `json:"invoice" doc:"the item"`
	On         domain.Date      `json:"on" doc:"opened"`
	Amount     int64            `json:"amount_minor" doc:"in dispute"`
	Resolved   bool             `json:"resolved,omitempty" doc:"it is over"`
	ResolvedOn domain.Date      `json:"resolved_on,omitzero" doc:"the day on which it was resolved"`
}

// split cuts records into parts of about PartMax; there is always one.
func (r Records) split() (parts []Records) {
	for rest := r; len(parts) == 0 || rest.some(); {
		var p Records
		room := PartMax
		p.Items, rest.Items, room = cut(rest.Items, room)
		p.Payments, rest.Payments, room = cut(rest.Payments, room)
		p.Credits, rest.Credits, room = cut(rest.Credits, room)
		p.WriteOffs, rest.WriteOffs, room = cut(rest.WriteOffs, room)
		p.Disputes, rest.Disputes, _ = cut(rest.Disputes, room)
		parts = append(parts, p)
	}
	return parts
}

func (r Records) some() bool {
	return len(r.Items)+len(r.Payments)+len(r.Credits)+len(r.WriteOffs)+len(r.Disputes) > 0
}

// heaviest is the record that weighs most; write-offs and disputes are always light.
func (r Records) heaviest() (id string, weight int) {
	for _, it := range r.Items {
		if w := it.weight(); w > weight {
			id, weight = string(it.Invoice), w
		}
	}
	for _, list := range [][]FundRecord{r.Payments, r.Credits} {
		for _, f := range list {
			if w := f.weight(); w > weight {
				id, weight = f.ID, w
			}
		}
	}
	return id, weight
}

// cut takes what there is room for, and what needs a whole part for itself.
func cut[T interface{ weight() int }](list []T, room int) (head, tail []T, left int) {
	n := 0
	for ; n < len(list) && (list[n].weight() <= room || room == PartMax); n++ {
		room -= list[n].weight()
	}
	return list[:n:n], list[n:], room
}

func (r ItemRecord) weight() int {
	return 1 + len(r.Moves) + len(r.Taxes) + len(r.Noted) + len(r.DueChanges)
}
func (r FundRecord) weight() int     { return 1 + len(r.Moves) + len(r.Applied) }
func (r WriteOffRecord) weight() int { return 1 + len(r.Taxes) }
func (r DisputeRecord) weight() int  { return 1 }

// records lists the state in a stable order: what keep says, by the last day it moved and whether anything is still
// open on it, and whatever a kept payment or credit note settles.
func (s *State) records(keep func(last domain.Date, live bool) bool) (r Records) {
	needed := make(map[domain.InvoiceID]bool)
	funds := func(id string, f *fund, list *[]FundRecord) {
		if !keep(f.moves.last(), f.unapplied > 0) {
			return
		}
		rec := FundRecord{
			ID: id, On: f.on, Amount: f.amount, Refunded: f.left().refunded, Reversed: f.left().reversed,
			Differences: f.left().differences, Moves: moveRecords(f.moves),
		}
		for _, a := range f.applied {
			rec.Applied = append(rec.Applied, Applied{a.item, a.amount, a.on})
			needed[a.item] = true
		}
		*list = append(*list, rec)
	}
	for id, f := range s.payments.all() {
		funds(string(id), f, &r.Payments)
	}
	for id, f := range s.credits.all() {
		funds(string(id), f, &r.Credits)
	}
	for id, w := range s.writeOffs {
		if keep(w.on, w.recovered < w.amount) {
			r.WriteOffs = append(r.WriteOffs, WriteOffRecord{id, w.item, w.on, w.amount, w.recovered, w.taxes})
			needed[w.item] = true
		}
	}
	for id, d := range s.disputes {
		if keep(domain.LaterOf(d.openedOn, d.resolvedOn), !d.resolved) {
			r.Disputes = append(r.Disputes, DisputeRecord{id, d.item, d.openedOn, d.amount, d.resolved, d.resolvedOn})
			needed[d.item] = true
		}
	}
	for id, it := range s.items.all() {
		if needed[id] || keep(it.moves.last(), it.open > 0) {
			r.Items = append(r.Items, s.record(it))
		}
	}
	sort.Slice(r.Items, func(i, j int) bool { return r.Items[i].Invoice < r.Items[j].Invoice })
	sort.Slice(r.Payments, func(i, j int) bool { return r.Payments[i].ID < r.Payments[j].ID })
	sort.Slice(r.Credits, func(i, j int) bool { return r.Credits[i].ID < r.Credits[j].ID })
	sort.Slice(r.WriteOffs, func(i, j int) bool { return r.WriteOffs[i].WriteOff < r.WriteOffs[j].WriteOff })
	sort.Slice(r.Disputes, func(i, j int) bool { return r.Disputes[i].Dispute < r.Disputes[j].Dispute })
	return r
}

func (s *State) record(it *item) ItemRecord {
	r := it.rare()
	return ItemRecord{
		it.id, it.charge, it.issuedOn, it.dueOn, it.total, it.settled, r.credited, r.writtenOff, r.cancelled,
		it.voided, moveRecords(it.moves), s.unpack(it.taxes), s.unpack(r.noted), r.notedTotal, r.disputed, r.differences,
		r.chargedUntil, r.dueSince, dueRecords(r.dues),
	}
}

func dueRecords(dues []dueChange) (list []DueRecord) {
	for _, d := range dues {
		list = append(list, DueRecord{d.on, d.was})
	}
	return list
}

func dueChanges(list []DueRecord) (dues []dueChange) {
	for _, d := range list {
		dues = append(dues, dueChange{d.On, d.Was})
	}
	return dues
}

func moveRecords(t timeline) []MoveRecord {
	list := make([]MoveRecord, len(t))
	for i, m := range t {
		list[i] = MoveRecord{m.on, m.delta}
	}
	return list
}

// restore is the inverse of records.
func (s *State) restore(r Records) {
	for _, rec := range r.Items {
		it := s.restoreItem(rec)
		s.items.put(it.id, it)
		s.openTotal += it.open
		if it.open > 0 {
			s.open = append(s.open, it)
		}
	}
	sort.Slice(s.open, func(i, j int) bool { return s.open[i].before(s.open[j]) })
	for _, rec := range r.Payments {
		s.payments.put(domain.PaymentID(rec.ID), s.restoreFund(rec))
	}
	for _, rec := range r.Credits {
		s.credits.put(domain.CreditID(rec.ID), s.restoreFund(rec))
	}
	for _, rec := range r.WriteOffs {
		if s.writeOffs == nil {
			s.writeOffs = make(map[domain.WriteOffID]*writeOff)
		}
		s.writeOffs[rec.WriteOff] = &writeOff{rec.Invoice, rec.On, rec.Amount, rec.Recovered, rec.Taxes}
	}
	for _, rec := range r.Disputes {
		if s.disputes == nil {
			s.disputes = make(map[domain.DisputeID]*dispute)
		}
		s.disputes[rec.Dispute] = &dispute{rec.Invoice, rec.On, rec.Amount, rec.Resolved, rec.ResolvedOn}
	}
}

func (s *State) restoreItem(rec ItemRecord) *item {
	it := &item{
		id: rec.Invoice, charge: rec.Charge, voided: rec.Voided, issuedOn: rec.IssuedOn, dueOn: rec.DueOn,
		total: rec.Total, settled: rec.Settled, taxes: s.pack(rec.Taxes), moves: moves(rec.Moves),
	}
	it.open = it.total - it.settled - rec.Credited - rec.WrittenOff - rec.Cancelled
	r := rarely{
		rec.Credited, rec.WrittenOff, rec.Cancelled, s.pack(rec.Noted), rec.NotedTotal, rec.Disputed,
		rec.Differences, rec.ChargedUntil, rec.DueSince, dueChanges(rec.DueChanges),
	}
	if !reflect.ValueOf(r).IsZero() {
		it.rarely = &r
	}
	return it
}

func (s *State) restoreFund(rec FundRecord) *fund {
	f := &fund{on: rec.On, amount: rec.Amount, unapplied: rec.Amount, moves: moves(rec.Moves)}
	if g := (gone{rec.Refunded, rec.Reversed, rec.Differences}); g != (gone{}) {
		f.gone = &g
		f.unapplied -= g.refunded + g.reversed + g.differences
	}
	for _, a := range rec.Applied {
		f.applied = append(f.applied, application{a.Invoice, a.Minor, a.On})
		f.unapplied -= a.Minor
	}
	s.unappliedTotal += f.unapplied
	return f
}

func moves(list []MoveRecord) timeline {
	t := make(timeline, len(list))
	for i, m := range list {
		t[i] = move{m.On, m.Minor}
	}
	return t
}
