package account

import (
	"fmt"
	"sort"

	"github.com/urikake/urikake/domain"
)

// auditor keeps books of its own, in plain maps, from the events alone: for every open item and every payment or
// credit note, what was added on which day.
type auditor struct {
	open      map[string]days
	unapplied map[string]days
	taxes     map[taxOf]int64           // what an invoice still bears of a tax, and of the net amount under net
	plain     map[domain.InvoiceID]bool // invoices whose taxes nobody knows
}

type taxOf struct {
	invoice  domain.InvoiceID
	category TaxCategory
	rate     domain.Rate
	net      bool
}

// days is a change by day; its amount at the end of a day is the sum up to it.
type days map[domain.Date]int64

func (d days) at(day domain.Date) (sum int64) {
	for on, delta := range d {
		if !on.After(day) {
			sum += delta
		}
	}
	return sum
}

var lastDay = on("2999-12-31")

func newAuditor() auditor {
	return auditor{make(map[string]days), make(map[string]days), make(map[taxOf]int64), make(map[domain.InvoiceID]bool)}
}

func (a auditor) tax(id domain.InvoiceID, rows []Tax, sign int64) {
	for _, t := range rows {
		a.taxes[taxOf{id, t.Category, t.Rate, false}] += sign * t.Tax.Minor()
		a.taxes[taxOf{id, t.Category, t.Rate, true}] += sign * t.Net.Minor()
	}
}

// taken tells of the first amount that credit notes and write-offs took back beyond what the invoice had. Only
// invoices of lines bear taxes that are known.
func (a auditor) taken(id domain.InvoiceID, rows []Tax) error {
	for _, t := range rows {
		for _, net := range []bool{false, true} {
			if left := a.taxes[taxOf{id, t.Category, t.Rate, net}]; left < 0 {
				return fmt.Errorf("invoice %s: %d of its %s %s %% is left (net %v)", id, left, t.Category, t.Rate, net)
			}
		}
	}
	return nil
}

func add(m map[string]days, id string, day domain.Date, amount int64) {
	if m[id] == nil {
		m[id] = make(days)
	}
	m[id][day] += amount
}

func (a auditor) settle(fund string, day domain.Date, list []Allocation, sign int64) {
	for _, l := range list {
		add(a.open, string(l.Invoice), day, -sign*l.Amount.Minor())
		add(a.unapplied, fund, day, -sign*l.Amount.Minor())
	}
}

// note books an event. It objects when more tax is taken back than there was.
func (a auditor) note(e domain.Event) error {
	switch e := e.(type) {
	case InvoiceIssued:
		a.tax(e.Invoice, e.Taxes, 1)
		if len(e.Taxes) == 0 {
			a.plain[e.Invoice] = true
		}
		add(a.open, string(e.Invoice), e.IssuedOn, e.Total.Minor())
	case InvoiceVoided:
		add(a.open, string(e.Invoice), e.VoidOn, -e.Amount.Minor())
	case LateChargeAssessed:
		add(a.open, string(e.Charge), e.AssessedOn, e.Amount.Minor())
	case LateChargeWaived:
		add(a.open, string(e.Charge), e.WaiveOn, -e.Amount.Minor())
	case WrittenOff:
		add(a.open, string(e.Invoice), e.WriteOffOn, -e.Amount.Minor())
		a.tax(e.Invoice, e.Taxes, -1)
		return a.taken(e.Invoice, e.Taxes)
	case PaymentRecorded:
		add(a.unapplied, string(e.Payment), e.ReceivedOn, e.Amount.Minor())
		a.settle(string(e.Payment), e.ReceivedOn, e.Allocations, 1)
	case PaymentApplied:
		a.settle(string(e.Payment), e.ApplyOn, e.Allocations, 1)
	case PaymentUnapplied:
		a.settle(string(e.Payment), e.UnapplyOn, e.Allocations, -1)
	case PaymentReversed:
		a.settle(string(e.Payment), e.ReverseOn, e.Released, -1)
		add(a.unapplied, string(e.Payment), e.ReverseOn, -e.Amount.Minor())
	case CreditNoteIssued:
		add(a.unapplied, string(e.Credit), e.IssuedOn, e.Total.Minor())
		a.settle(string(e.Credit), e.IssuedOn, e.Applied, 1)
		if e.Invoice != "" && !a.plain[e.Invoice] {
			a.tax(e.Invoice, e.Taxes, -1)
			return a.taken(e.Invoice, e.Taxes)
		}
	case CreditApplied:
		a.settle(string(e.Credit), e.ApplyOn, e.Allocations, 1)
	case CreditUnapplied:
		a.settle(string(e.Credit), e.UnapplyOn, e.Allocations, -1)
	case RefundIssued:
		add(a.unapplied, string(e.Payment)+string(e.Credit), e.RefundOn, -e.Amount.Minor())
	case DifferenceSettled:
		if e.Payment != "" {
			add(a.unapplied, string(e.Payment), e.SettleOn, -e.Amount.Minor())
		} else {
			add(a.open, string(e.Invoice), e.SettleOn, -e.Amount.Minor())
		}
	}
	return nil
}

// compare holds the account's books against the auditor's, at every day on which something happened: nothing is
// negative, nothing differs. What a carry forward left behind must be at rest, at zero for ever.
func (a auditor) compare(s *State) error {
	for _, id := range keysOf(a.open) {
		it := s.items.get(domain.InvoiceID(id))
		for day := range a.open[id] {
			want := a.open[id].at(day)
			if want < 0 {
				return fmt.Errorf("invoice %s stands at %d on %s", id, want, day)
			}
			if it != nil && it.moves.at(day) != want {
				return fmt.Errorf("invoice %s stands at %d on %s, the auditor has %d", id, it.moves.at(day), day, want)
			}
		}
		if left := a.open[id].at(lastDay); it == nil && left != 0 {
			return fmt.Errorf("invoice %s with %d open was left behind", id, left)
		}
	}
	for _, id := range keysOf(a.unapplied) {
		f := s.payments.get(domain.PaymentID(id))
		if f == nil {
			f = s.credits.get(domain.CreditID(id))
		}
		for day := range a.unapplied[id] {
			want := a.unapplied[id].at(day)
			if want < 0 {
				return fmt.Errorf("%s has %d unapplied on %s", id, want, day)
			}
			if f != nil && f.moves.at(day) != want {
				return fmt.Errorf("%s has %d unapplied on %s, the auditor has %d", id, f.moves.at(day), day, want)
			}
		}
		if left := a.unapplied[id].at(lastDay); f == nil && left != 0 {
			return fmt.Errorf("%s with %d unapplied was left behind", id, left)
		}
	}
	return nil
}

func keysOf(m map[string]days) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}
