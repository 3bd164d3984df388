package account

import (
	"sort"

	"github.com/urikake/urikake/domain"
)

// timeline is an amount through the days: what is open on an item, what is unapplied of a payment. Entries are
// recorded in any order, since facts become known late; it keeps them by day and answers for any day.
type timeline []move

type move struct {
	on    domain.Date
	delta int64 // minor units
}

// add records a change on a day. O(log n) to find the day; most changes come last.
func (t *timeline) add(on domain.Date, delta int64) {
	moves := *t
	i := len(moves)
	if i > 0 && !moves[i-1].on.Before(on) {
		i = sort.Search(len(moves), func(i int) bool { return !moves[i].on.Before(on) })
	}
	if i < len(moves) && moves[i].on == on {
		moves[i].delta += delta
		return
	}
	moves = append(moves, move{})
	copy(moves[i+1:], moves[i:])
	moves[i] = move{on, delta}
	*t = moves
}

// at is the amount at the end of a day.
func (t timeline) at(day domain.Date) (amount int64) {
	for _, m := range t {
		if m.on.After(day) {
			break
		}
		amount += m.delta
	}
	return amount
}

// low is the least amount at the end of that day or of any later one: what may be taken away on the day without
// making a later day negative.
func (t timeline) low(from domain.Date) int64 {
	var amount, least int64
	seen := false
	for i, m := range t {
		amount += m.delta
		last := i == len(t)-1
		if (last || t[i+1].on.After(from)) && (!seen || amount < least) {
			least, seen = amount, true
		}
	}
	if len(t) > 0 && t[0].on.After(from) && least > 0 {
		return 0 // on the day itself there was nothing yet
	}
	return least
}

// last is the day of the latest change.
func (t timeline) last() domain.Date {
	if len(t) == 0 {
		return domain.Date{}
	}
	return t[len(t)-1].on
}
