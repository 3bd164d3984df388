package receipt

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/urikake/urikake/domain"
)

// Evidence is why a receipt may be a debtor's.
type Evidence string

const (
	ByAssignment Evidence = "ASSIGNED" // it was found to be his, and is just being booked
	ByPayer      Evidence = "PAYER"    // the payer's name is his, or holds it
	ByNumber     Evidence = "NUMBER"   // the reference names one of his invoices
	ByAmount     Evidence = "AMOUNT"   // it is what one of his invoices, or all of them, come to, perhaps less a fee
)

// Debtor is what is known of somebody who owes money in a currency.
type Debtor struct {
	Customer domain.CustomerID
	Currency domain.Currency
	Names    []string // name and reading
	Open     []Item
	Fee      int64 // what a transfer may fall short by, in minor units: the seller's tolerance
}

// Item is an open invoice or late charge.
type Item struct {
	Number string
	Minor  int64
}

// Match is a receipt that may be a debtor's.
type Match struct {
	Receipt
	By Evidence
}

const (
	gramLength   = 3 // letters of a name that must be there for it to be looked for within a payer's
	prefixLength = 8 // letters of a payer's name that may be one cut off by a bank
	numberLength = 3 // characters of a number, without dashes, that says anything
	tailLength   = 4 // digits of the last part of a number that says anything alone
)

// Index finds the open receipts that may be a debtor's: rather too many than too few, since a reminder to somebody who has
// paid does more harm than one that comes a day later. It never changes, so that many may ask it at once.
type Index struct{ shelves map[domain.Currency]*shelf }

// shelf is the receipts of a currency.
type shelf struct {
	list     []Receipt        // by amount
	keys     []string         // of their payers' names
	payers   map[string][]int // by key
	grams    map[string][]int // by any three letters in a row of the key
	numbers  map[string][]int // by what the reference or the payer's name may name
	assigned map[domain.CustomerID][]int
}

// NewIndex takes open receipts, in any order. O(n log n).
func NewIndex(open []Receipt) *Index {
	x := &Index{make(map[domain.Currency]*shelf)}
	open = slices.Clone(open)
	slices.SortFunc(open, func(a, b Receipt) int {
		return cmp.Or(cmp.Compare(a.Amount.Minor(), b.Amount.Minor()), a.ReceivedOn.Compare(b.ReceivedOn), cmp.Compare(a.Receipt, b.Receipt))
	})
	for _, r := range open {
		s := x.shelves[r.Amount.Currency()]
		if s == nil {
			s = &shelf{
				payers: make(map[string][]int), grams: make(map[string][]int), numbers: make(map[string][]int),
				assigned: make(map[domain.CustomerID][]int),
			}
			x.shelves[r.Amount.Currency()] = s
		}
		s.add(r)
	}
	return x
}

// Empty tells that there is nothing to find.
func (x *Index) Empty() bool { return len(x.shelves) == 0 }

func (s *shelf) add(r Receipt) {
	n := len(s.list)
	key := NameKey(r.Payer)
	s.list, s.keys = append(s.list, r), append(s.keys, key)
	if r.Customer != "" {
		s.assigned[r.Customer] = append(s.assigned[r.Customer], n)
		return
	}
	if key != "" {
		s.payers[key] = append(s.payers[key], n)
	}
	letters := []rune(key)
	for i := range max(0, len(letters)-gramLength+1) {
		gram := string(letters[i : i+gramLength])
		if list := s.grams[gram]; len(list) == 0 || list[len(list)-1] != n {
			s.grams[gram] = append(list, n)
		}
	}
	for _, number := range named(r.Reference, r.Payer) {
		s.numbers[number] = append(s.numbers[number], n)
	}
}

// Of gives the receipts of up to a day that may be a debtor's, by amount, each with the best evidence there is.
// O(names + items + what is found), whatever else is open.
func (x *Index) Of(d Debtor, on domain.Date) (found []Match) {
	s := x.shelves[d.Currency]
	if s == nil {
		return nil
	}
	by := make(map[int]Evidence)
	add := func(e Evidence, list ...int) {
		for _, n := range list {
			if _, there := by[n]; !there && !s.list[n].ReceivedOn.After(on) {
				by[n] = e
			}
		}
	}
	add(ByAssignment, s.assigned[d.Customer]...)
	for _, name := range d.Names {
		s.named(NameKey(name), add)
	}
	var total int64
	for _, i := range d.Open {
		for _, number := range forms(i.Number) {
			add(ByNumber, s.numbers[number]...)
		}
		s.worth(i.Minor, d.Fee, add)
		total += i.Minor
	}
	s.worth(total, d.Fee, add)
	for n, e := range by {
		found = append(found, Match{s.list[n], e})
	}
	slices.SortFunc(found, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.Amount.Minor(), b.Amount.Minor()), a.ReceivedOn.Compare(b.ReceivedOn), cmp.Compare(a.Receipt.Receipt, b.Receipt.Receipt))
	})
	return found
}

// named finds payers whose name is a debtor's, holds it, or is its beginning.
func (s *shelf) named(key string, add func(Evidence, ...int)) {
	if key == "" {
		return
	}
	add(ByPayer, s.payers[key]...)
	letters := []rune(key)
	if len(letters) < gramLength {
		return
	}
	for _, n := range s.grams[string(letters[:gramLength])] {
		if strings.Contains(s.keys[n], key) {
			add(ByPayer, n)
		}
	}
	for i := prefixLength; i < len(letters); i++ {
		add(ByPayer, s.payers[string(letters[:i])]...)
	}
}

// worth finds receipts of an amount, or of up to a fee less.
func (s *shelf) worth(minor, fee int64, add func(Evidence, ...int)) {
	if minor <= 0 {
		return
	}
	from := sort.Search(len(s.list), func(n int) bool { return s.list[n].Amount.Minor() >= minor-fee })
	for n := from; n < len(s.list) && s.list[n].Amount.Minor() <= minor; n++ {
		if s.list[n].Customer == "" {
			add(ByAmount, n)
		}
	}
}

// Total is what receipts come to, in a currency that all of them have; more than the books can say is the most they can.
func Total(found []Match, c domain.Currency) domain.Money {
	var minor int64
	for _, m := range found {
		minor = min(minor+m.Amount.Minor(), domain.MinorMax)
	}
	return domain.NewMoney(minor, c)
}

// named are the numbers that texts may name, each once: every word, and each text as one word.
func named(texts ...string) (list []string) {
	for _, text := range texts {
		text = plain(text)
		words := strings.FieldsFunc(text, func(r rune) bool { return r != '-' && r != '_' && r != '/' && r != '.' && !isPlain(r) })
		for _, word := range append(words, text) {
			list = append(list, kept(word, isPlain), kept(word, isDigit), lastDigits(word))
		}
	}
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(s string) bool { return len(s) < numberLength || !strings.ContainsFunc(s, isDigit) })
}

// forms are the ways in which a payer may write an invoice's number: without dashes, its digits only, its last part only.
func forms(number string) (list []string) {
	number = plain(number)
	for _, form := range []string{kept(number, isPlain), kept(number, isDigit)} {
		if len(form) >= numberLength && !slices.Contains(list, form) {
			list = append(list, form)
		}
	}
	if tail := lastDigits(number); len(tail) >= tailLength && !slices.Contains(list, tail) {
		list = append(list, tail)
	}
	return list
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }
func isPlain(r rune) bool { return isDigit(r) || r >= 'A' && r <= 'Z' }

// kept leaves everything else out of a text.
func kept(text string, keep func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if keep(r) {
			return r
		}
		return -1
	}, text)
}

func lastDigits(text string) string { return text[len(strings.TrimRightFunc(text, isDigit)):] }
