package projections

import (
	"cmp"
	"context"
	"maps"
	"math/bits"
	"slices"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// score is an amount times a weight, exact in 128 bits.
type score struct{ high, low uint64 }

func scoreOf(amount, weight int64) (s score) {
	s.high, s.low = bits.Mul64(uint64(amount), uint64(weight))
	return s
}

func (s score) compare(o score) int { return cmp.Or(cmp.Compare(s.high, o.high), cmp.Compare(s.low, o.low)) }

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// currencies tells the currency of each account of a seller, most of which have the same.
type currencies struct {
	most   domain.Currency
	others map[int64]domain.Currency
}

func (c currencies) of(id int64) domain.Currency {
	if other, ok := c.others[id]; ok {
		return other
	}
	return c.most
}
