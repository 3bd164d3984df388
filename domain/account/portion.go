package account

import (
	"math/bits"
	"slices"
	"sort"

	"github.com/urikake/urikake/domain"
)

// portion is a Tax as the state keeps it, in few bytes: there is one for each rate of every invoice.
type portion struct {
	net, tax int64
	rate     domain.Rate
	category uint16 // its place in State.categories
	included bool
}

// at tells that both are of one category and rate.
func (p portion) at(o portion) bool { return p.category == o.category && p.rate == o.rate }

func (s *State) pack(rows []Tax) []portion {
	if len(rows) == 0 {
		return nil
	}
	list := make([]portion, len(rows))
	for i, t := range rows {
		s.currency = t.Net.Currency()
		at := slices.Index(s.categories, t.Category)
		if at < 0 {
			at = len(s.categories)
			s.categories = append(s.categories, t.Category)
		}
		list[i] = portion{t.Net.Minor(), t.Tax.Minor(), t.Rate, uint16(at), t.Included}
	}
	return list
}

func (s *State) unpack(list []portion) []Tax {
	if len(list) == 0 {
		return nil
	}
	rows := make([]Tax, len(list))
	for i, p := range list {
		rows[i] = Tax{s.categories[p.category], p.rate, p.included, domain.NewMoney(p.net, s.currency), domain.NewMoney(p.tax, s.currency)}
	}
	return rows
}

// uncredited is what credit notes and write-offs have left of the invoice, by category and rate.
func (s *State) uncredited(it *item) []Tax {
	rest := append([]portion(nil), it.taxes...)
	for i := range rest {
		for _, n := range it.rare().noted {
			if n.at(rest[i]) {
				rest[i].net -= n.net
				rest[i].tax -= n.tax
			}
		}
	}
	return s.unpack(rest)
}

// takeBack notes what a credit note or a write-off takes from the invoice.
func (s *State) takeBack(it *item, rows []Tax) {
	r := it.seldom()
	for _, p := range s.pack(rows) {
		i := slices.IndexFunc(r.noted, p.at)
		if i < 0 {
			r.noted = append(r.noted, p)
			continue
		}
		r.noted[i].net += p.net
		r.noted[i].tax += p.tax
	}
}

// part gives an amount of an invoice its taxes, by what is left at each rate. What takes all that is left takes exactly
// its tax; what goes beyond bears none, since its tax went back already.
func (s *State) part(it *item, amount int64) []Tax { return part(s.uncredited(it), amount, s.currency) }

func part(rest []Tax, amount int64, c domain.Currency) []Tax {
	var whole int64
	for _, t := range rest {
		whole += max(0, t.gross())
	}
	rows := share(rest, min(amount, whole), c)
	if err := within(rest, rows, c); err != nil {
		return nil // can't be: share gives no rate more than it has left
	}
	return rows
}

// without is what is left of rows when others are taken from them; what comes to nothing is left out.
func without(rows, taken []Tax) (rest []Tax) {
	for _, t := range rows {
		for _, o := range taken {
			if o.key() == t.key() {
				t.Net = domain.NewMoney(t.Net.Minor()-o.Net.Minor(), t.Net.Currency())
				t.Tax = domain.NewMoney(t.Tax.Minor()-o.Tax.Minor(), t.Tax.Currency())
			}
		}
		if t.gross() != 0 {
			rest = append(rest, t)
		}
	}
	return rest
}

// within fits a credit note's rows into what is left at each rate. Parts that are rounded on their own may come out
// a unit apart from the invoice's tax; the part that takes the rest takes exactly the rest, and none takes more.
func within(rest, rows []Tax, c domain.Currency) error {
	for i := range rows {
		t := &rows[i]
		var left *Tax
		for j := range rest {
			if rest[j].key() == t.key() {
				left = &rest[j]
			}
		}
		if left == nil {
			return ErrBeyondInvoice.With("the invoice has nothing at %s %s %%", t.Category, t.Rate).At("/lines")
		}
		net, tax := t.Net.Minor(), t.Tax.Minor()
		if t.Included {
			if t.gross() > left.gross() {
				return ErrBeyondInvoice.With("%s at %s %%, left: %s", domain.NewMoney(t.gross(), c), t.Rate, domain.NewMoney(left.gross(), c)).At("/lines")
			}
			if t.gross() == left.gross() {
				net, tax = left.Net.Minor(), left.Tax.Minor()
			}
			if over := tax - left.Tax.Minor(); over > 0 {
				net, tax = net+over, tax-over
			}
			if over := net - left.Net.Minor(); over > 0 {
				net, tax = net-over, tax+over
			}
		} else {
			if net > left.Net.Minor() {
				return ErrBeyondInvoice.With("%s net at %s %%, left: %s", t.Net, t.Rate, left.Net).At("/lines")
			}
			if net == left.Net.Minor() || tax > left.Tax.Minor() {
				tax = left.Tax.Minor()
			}
		}
		t.Net, t.Tax = domain.NewMoney(net, c), domain.NewMoney(tax, c)
	}
	return nil
}

// share splits an amount over rows in proportion to their gross (largest remainder, ties to the row that stands
// first, which has the higher rate) and gives each part its tax, rounded down. Rows must have a positive total.
// An amount beyond their total gives nil. It serves credit notes, write-offs, recoveries and fees, whose tax goes back
// at the original rates (Consumption Tax Act art. 38, 39).
func share(rows []Tax, amount int64, c domain.Currency) []Tax {
	var whole int64
	for _, t := range rows {
		whole += max(0, t.gross())
	}
	if whole == 0 || amount > whole || amount < 0 {
		return nil
	}
	parts := make([]int64, len(rows))
	rests := make([]uint64, len(rows))
	order := make([]int, len(rows))
	left := amount
	for i, t := range rows {
		hi, lo := bits.Mul64(uint64(amount), uint64(max(0, t.gross())))
		part, rest := bits.Div64(hi, lo, uint64(whole)) // amount <= whole, so the quotient fits
		parts[i], rests[i], order[i] = int64(part), rest, i
		left -= int64(part)
	}
	sort.SliceStable(order, func(a, b int) bool { return rests[order[a]] > rests[order[b]] })
	for i := range left { // fewer units are left than there are rows with a remainder
		parts[order[i]]++
	}
	var out []Tax
	for i, t := range rows {
		if parts[i] == 0 {
			continue
		}
		tax, _ := domain.RoundDown.MulDiv(parts[i], int64(t.Rate), domain.RateWhole+int64(t.Rate))
		out = append(out, Tax{
			Category: t.Category, Rate: t.Rate, Included: true,
			Net: domain.NewMoney(parts[i]-tax, c), Tax: domain.NewMoney(tax, c),
		})
	}
	return out
}
