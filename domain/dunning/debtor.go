package dunning

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/urikake/urikake/domain"
)

// Debtor is the facts about one debtor in one currency, as of the day of a decision. All amounts are in its currency.
type Debtor struct {
	Key
	Items      []Item          // what is open, in any order; late charges are items of their own
	Unapplied  domain.Money    // cash and credit that settles nothing yet
	Credit     domain.Money    // the part of it that is credit
	Elsewhere  []domain.Money  // the same of the debtor's accounts in other currencies, by currency; none that is zero
	Unmatched  domain.Money    // receipts whose payer is not known and that may be this debtor's
	Receipts   []Receipt       // at least those since the open promise was made or the running plan agreed, and all that settle an item that is open or that they are about
	BankDataOn domain.Date     // last day whose bank data is in the books; none: not known
	Addresses  []Address       // how the debtor can be reached
	Group      string          // value of the customer's attribute group
	Language   domain.Language // empty: the policy's
}

// Item is an open invoice or late charge.
type Item struct {
	ID         domain.InvoiceID
	Number     string
	IssuedOn   domain.Date
	DueOn      domain.Date
	Open       domain.Money
	Disputed   domain.Money // the part of what is open that is in dispute
	LateCharge domain.Money // accrued to the day under the creditor's contract and not assessed; zero for none
}

// Receipt is money received from the debtor, as far as it settles one item or none.
type Receipt struct {
	On     domain.Date // the day on which it was received
	Amount domain.Money
	For    domain.InvoiceID // what it settles; empty: nothing yet
	Left   bool             // it settles nothing any more: it was paid back, or taken as a small surplus
}

// Address is a way to reach the debtor. The address itself stays in the customer's own, personal data.
type Address struct {
	Channel   Channel
	Recipient string // reference to the contact, such as contact:0
}

// undisputed is what of an item is open and not in dispute.
func (i Item) undisputed() int64 { return max(0, i.Open.Minor()-max(0, i.Disputed.Minor())) }

// undisputedCharge is the late charge on what is not in dispute, rounded down.
func (i Item) undisputedCharge() int64 {
	open, charge := i.Open.Minor(), max(0, i.LateCharge.Minor())
	if open <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(charge), uint64(i.undisputed()))
	part, _ := bits.Div64(high, low, uint64(open)) // at most charge, since undisputed is at most open
	return int64(part)
}

type sums struct{ open, disputed int64 }

func (d Debtor) sums() (s sums) {
	for _, i := range d.Items {
		s.open += max(0, i.Open.Minor())
		s.disputed += max(0, min(i.Disputed.Minor(), i.Open.Minor()))
	}
	return s
}

// overdue are the items that are late on a day and out of grace, oldest first.
func (d Debtor) overdue(on domain.Date, grace int) []Item {
	return d.pick(func(i Item) bool { return on.DaysSince(i.DueOn) > grace })
}

// soon are the items that fall due within so many days from a day on, the day itself included, oldest first.
func (d Debtor) soon(on domain.Date, days int) []Item {
	return d.pick(func(i Item) bool { ahead := i.DueOn.DaysSince(on); return ahead >= 0 && ahead <= days })
}

func (d Debtor) pick(want func(Item) bool) (list []Item) {
	for _, i := range d.Items {
		if i.Open.Minor() > 0 && want(i) {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b Item) int {
		if by := a.DueOn.Compare(b.DueOn); by != 0 {
			return by
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return list
}

// received is the money that came in from one day to another, both included.
func (d Debtor) received(from, to domain.Date) (sum int64) {
	for _, r := range d.Receipts {
		if !r.On.Before(from) && !r.On.After(to) {
			sum += r.Amount.Minor()
		}
	}
	return sum
}

// covers tells that the bank data shows what was paid until a day.
func (d Debtor) covers(p Policy, day domain.Date) bool {
	if d.BankDataOn.IsZero() {
		return p.BankDataMaxAge == 0
	}
	return !d.BankDataOn.Before(day)
}

// clears tells that the case has nothing left to dun for: nothing is open, or at least nothing that it ever listed, and
// no promise or plan is about the rest.
func (d Debtor) clears(s *State) bool {
	if d.sums().open == 0 {
		return true
	}
	if s.Promise != nil || s.Plan != nil || s.Returned || s.HandedTo != "" || !s.lists() {
		return false
	}
	return !slices.ContainsFunc(d.Items, func(i Item) bool { return i.Open.Minor() > 0 && s.listed(i.ID) })
}

// lists tells that a reminder of this generation listed anything; listed, that one did so with the item.
func (s *State) lists() bool { return len(s.Listed) > 0 || s.Pending != nil }

func (s *State) listed(id domain.InvoiceID) bool {
	return s.Listed[id] || s.Pending != nil &&
		slices.ContainsFunc(s.Pending.Items, func(i ReminderItem) bool { return i.Invoice == id })
}

// way is the first of a level's ways that reaches the debtor.
func (d Debtor) way(l Level) (w Way, recipient string, ok bool) {
	for _, w := range l.ways() {
		if recipient, ok := d.reach(w.Channel); ok {
			return w, recipient, true
		}
	}
	return Way{}, "", false
}

// reach is where a reminder goes by a channel.
func (d Debtor) reach(c Channel) (recipient string, ok bool) {
	for _, a := range d.Addresses {
		if a.Channel == c {
			return a.Recipient, true
		}
	}
	return "", false
}
