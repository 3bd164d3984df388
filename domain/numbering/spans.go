package numbering

import (
	"iter"
	"slices"
)

// span is a run of numbers, both ends included; spans are runs in ascending order that never touch. A set of numbers
// kept so costs by its gaps and not by its size: a million numbers brought in from elsewhere are one span.
type (
	span  [2]int
	spans []span
)

// at is where n's span stands, or would stand.
func (s spans) at(n int) (i int, has bool) {
	i, _ = slices.BinarySearchFunc(s, n, func(r span, n int) int { return r[1] - n })
	return i, i < len(s) && s[i][0] <= n
}

func (s spans) has(n int) bool {
	_, has := s.at(n)
	return has
}

// add puts n in, which is not in yet.
func (s *spans) add(n int) {
	i, _ := s.at(n)
	joinsLeft, joinsRight := i > 0 && (*s)[i-1][1] == n-1, i < len(*s) && (*s)[i][0] == n+1
	switch {
	case joinsLeft && joinsRight:
		(*s)[i-1][1] = (*s)[i][1]
		*s = slices.Delete(*s, i, i+1)
	case joinsLeft:
		(*s)[i-1][1] = n
	case joinsRight:
		(*s)[i][0] = n
	default:
		*s = slices.Insert(*s, i, span{n, n})
	}
}

// remove takes n out, if it is in.
func (s *spans) remove(n int) {
	i, has := s.at(n)
	if !has {
		return
	}
	switch r := (*s)[i]; {
	case r[0] == r[1]:
		*s = slices.Delete(*s, i, i+1)
	case r[0] == n:
		(*s)[i][0] = n + 1
	case r[1] == n:
		(*s)[i][1] = n - 1
	default:
		(*s)[i][1] = n - 1
		*s = slices.Insert(*s, i+1, span{n + 1, r[1]})
	}
}

// all yields the numbers, lowest first.
func (s spans) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, r := range s {
			for n := r[0]; n <= r[1]; n++ {
				if !yield(n) {
					return
				}
			}
		}
	}
}
