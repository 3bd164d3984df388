package projections

import "slices"

// first keeps those rows of many that come first in an order. Memory: twice as many rows as it keeps.
type first[T any] struct {
	most    int // 0: all of them
	compare func(a, b *T) int
	rows    []T
	last    *T // as long as most are known: what comes after it is not wanted
}

// wants tells whether a row may be among the first.
func (f *first[T]) wants(row *T) bool { return f.last == nil || f.compare(row, f.last) < 0 }

func (f *first[T]) add(rows ...T) {
	for _, row := range rows {
		f.rows = append(f.rows, row)
		if f.most > 0 && len(f.rows) >= 2*f.most {
			f.sorted()
		}
	}
}

// sorted are the first rows so far, in order.
func (f *first[T]) sorted() []T {
	slices.SortFunc(f.rows, func(a, b T) int { return f.compare(&a, &b) })
	if f.most > 0 && len(f.rows) >= f.most {
		clear(f.rows[f.most:])
		f.rows = f.rows[:f.most]
		last := f.rows[f.most-1]
		f.last = &last
	}
	return f.rows
}
