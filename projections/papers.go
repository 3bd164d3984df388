package projections

import "github.com/urikake/urikake/eventstore"

// paper is one document of an account with all that ever moved it, so that it can be seen at many positions without
// asking the database each time. What is seen is what sheet reads; a test compares the two.
type paper struct {
	class    int
	issuedOn int64
	dueOn    int64
	open     int64 // now
	first    int64
	moves    []step
	dues     []step // by day, then position
	disputes []step
}

// step is an amount, or a due date, with its day and position.
type step struct{ day, position, n int64 }

// papers are the documents of one account.
type papers map[paperKey]*paper

type paperKey struct {
	class int
	id    string
}

// papers reads an account. O(its documents and moves).
func (r *reader) papers(id int64) (papers, error) {
	all := make(papers)
	err := r.each("SELECT class, doc, issued_on, due_on, open_minor, first_position FROM items_documents WHERE account = ?", []Value{Int(id)},
		func(c *cursor) error {
			all[paperKey{int(c.int(0)), c.text(1)}] = &paper{class: int(c.int(0)), issuedOn: c.int(2), dueOn: c.int(3), open: c.int(4), first: c.int(5)}
			return nil
		})
	for _, list := range []struct {
		query string
		add   func(p *paper, s step)
	}{
		{"SELECT class, doc, on_day, position, minor FROM items_moves WHERE account = ?", func(p *paper, s step) { p.moves = append(p.moves, s) }},
		{"SELECT 1, doc, on_day, position, due_on FROM items_dues WHERE account = ? ORDER BY on_day, position", func(p *paper, s step) { p.dues = append(p.dues, s) }},
		{"SELECT 1, doc, on_day, position, minor FROM items_disputes WHERE account = ?", func(p *paper, s step) { p.disputes = append(p.disputes, s) }},
	} {
		err = firstError(err, r.each(list.query, []Value{Int(id)}, func(c *cursor) error {
			if p := all[paperKey{int(c.int(0)), c.text(1)}]; p != nil {
				list.add(p, step{c.int(2), c.int(3), c.int(4)})
			}
			return nil
		}))
	}
	return all, err
}

// add counts the paper as of a's day, as known at a position.
func (p *paper) add(a *aging, cells []int64, position int64) {
	if p.issuedOn > a.at.day || p.first > position {
		return
	}
	d := document{class: p.class, issuedOn: p.issuedOn, dueOn: p.dueOn, open: p.open}
	for _, m := range p.moves {
		if m.day > a.at.day || m.position > position {
			d.open -= m.n
		}
	}
	if d.open == 0 {
		return
	}
	for _, due := range p.dues {
		if due.day <= a.at.day && due.position <= position {
			d.dueOn = due.n
		}
	}
	var disputed int64
	for _, s := range p.disputes {
		if s.day <= a.at.day && s.position <= position {
			disputed += s.n
		}
	}
	a.add(cells, &d, min(disputed, d.open))
}

// all are the account's cells as known at a position, without the oldest due date, which is no amount.
func (ps papers) all(a *aging, position eventstore.Position) []int64 {
	cells := make([]int64, a.width)
	for _, p := range ps {
		p.add(a, cells, int64(position))
	}
	cells[a.width-1] = 0
	return cells
}

// touched are the papers that the event at a position is about.
type touched map[int64][]*paper

// touched lists the papers by what happened to them after a position up to another.
func (ps papers) touched(from, to eventstore.Position) touched {
	at := make(touched)
	for _, p := range ps {
		note := func(position int64) {
			if position > int64(from) && position <= int64(to) {
				if list := at[position]; len(list) == 0 || list[len(list)-1] != p {
					at[position] = append(list, p)
				}
			}
		}
		note(p.first)
		for _, steps := range [][]step{p.moves, p.dues, p.disputes} {
			for _, s := range steps {
				note(s.position)
			}
		}
	}
	return at
}

// did is what the event at a position did to a's day.
func (t touched) did(a *aging, position eventstore.Position) []int64 {
	did, before := make([]int64, a.width), make([]int64, a.width)
	for _, p := range t[int64(position)] {
		p.add(a, before, int64(position)-1)
		p.add(a, did, int64(position))
	}
	for i := range did {
		did[i] -= before[i]
	}
	did[a.width-1] = 0
	return did
}
