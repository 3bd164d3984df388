package main

import (
	"maps"
	"slices"
)

// fill makes it a step on its account.
func (d *drawer) fill(s step) step {
	b := d.a.of(s)
	s.What, s.On = pick(d, accountSteps), d.day()
	s.Amount = d.amount(b)
	switch s.What {
	case "issue":
		d.issue(&s, b)
	case "pay":
		d.pay(&s, b)
	case "apply", "apply-credit", "unapply", "unapply-credit":
		d.apply(&s, b)
	case "reverse":
		s.Fund = d.known(b.ids("P"), "P0")
	case "refund":
		d.refund(&s, b)
	case "credit":
		s.Doc, s.Number = d.freshOr("N", b.ids("N")), d.number()
		if !d.chance(4) {
			s.About = d.known(b.items(), "I0")
		}
	case "void", "write-off", "due", "difference", "dispute":
		d.onItem(&s, b)
	case "recover":
		s.Doc, s.About = d.freshOr("V", nil), d.known(b.writeOffs(), "W0")
		if w := b.WriteOffs[s.About]; w != nil {
			s.Amount = d.upTo(w.Amount - w.Recovered)
		}
	case "resolve":
		d.resolve(&s, b)
	case "charge", "waive":
		d.charge(&s, b)
	case "carry":
		if !d.chance(2) {
			return d.fill(s)
		}
		s.Doc = d.freshOr("Y", nil)
	}
	return s
}

func (d *drawer) issue(s *step, b *books) {
	s.Doc, s.Until, s.Amount = d.freshOr("I", b.items()), s.On+d.rng.IntN(30), 1+d.rng.Int64N(2000)
	if d.chance(12) {
		s.Until = s.On - 1
	}
	if s.Currency == "JPY" && d.chance(3) {
		s.Mode = "lines"
	}
	s.Number = d.number()
}

func (d *drawer) pay(s *step, b *books) {
	s.Doc, s.Shares = d.freshOr("P", b.ids("P")), d.shares(b, b.items())
	s.Mode = pick(d, []string{"", "", "", "none", "currency"})
	if s.Mode != "currency" && len(s.Shares) > 0 || s.Mode == "currency" && !d.chance(3) {
		s.Mode = ""
	}
}

// apply is also of what is taken back: some of what the fund settles.
func (d *drawer) apply(s *step, b *books) {
	funds := b.ids("P")
	if s.What == "apply-credit" || s.What == "unapply-credit" {
		funds = b.ids("N")
	}
	s.Fund, s.Shares = d.known(funds, "P0"), d.shares(b, b.items())
	if f := b.Funds[s.Fund]; f != nil && s.What[0] == 'u' {
		s.Shares = nil
		for _, id := range slices.Sorted(maps.Keys(f.Applied)) {
			if d.chance(2) {
				s.Shares = append(s.Shares, share{id, d.upTo(f.Applied[id].Amount)})
			}
		}
	}
}

func (d *drawer) refund(s *step, b *books) {
	s.Doc, s.Fund = d.freshOr("R", nil), d.known(append(b.ids("P"), b.ids("N")...), "P0")
	if f := b.Funds[s.Fund]; f != nil {
		s.Amount = d.upTo(low(f.Left, s.On))
	}
}

// onItem is of what is about as much of an item as is open.
func (d *drawer) onItem(s *step, b *books) {
	s.About = d.known(b.items(), "I0")
	s.Doc = map[string]string{"write-off": d.freshOr("W", b.writeOffs()), "dispute": d.freshOr("D", b.disputes())}[s.What]
	if i := b.Items[s.About]; i != nil {
		s.Amount = d.upTo(low(i.Open, s.On))
		if s.What == "due" {
			s.Until = i.Issued + d.rng.IntN(40)
		}
	}
	if s.What == "dispute" && d.chance(3) {
		s.Amount = 0
	}
	if s.What == "difference" {
		if s.Amount = 1 + d.rng.Int64N(60); d.chance(3) {
			s.About, s.Fund = "", d.known(b.ids("P"), "P0")
		}
	}
}

func (d *drawer) resolve(s *step, b *books) {
	s.About, s.Amount = d.known(b.disputes(), "D0"), 0
	if d.chance(2) {
		s.Doc = d.freshOr("N", b.ids("N"))
		if x := b.Disputes[s.About]; x != nil && d.chance(2) {
			s.Amount = d.upTo(x.Amount)
		}
	}
}

// charge is also of waivers.
func (d *drawer) charge(s *step, b *books) {
	if s.What == "waive" {
		s.About = d.known(b.ids("", 'L'), d.known(b.items(), "L0"))
		if d.chance(2) {
			s.Amount = 0
		}
		return
	}
	s.Doc, s.About, s.Until = d.freshOr("L", b.items()), d.known(b.items(), "I0"), s.On
	if d.chance(3) {
		s.On += 60
		s.Until = s.On - d.rng.IntN(3) + 1
	}
}
