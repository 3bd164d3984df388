package account

import (
	"fmt"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
)

func TestIssueCreditNote(t *testing.T) {
	start := InvoiceIssued{
		Invoice: "A", Number: "1", IssuedOn: on("10-01"), DueOn: on("10-31"), Total: yen(153_200),
		Taxes: []Tax{row(Standard, 10_00, 100_000, 10_000), row(Reduced, 8_00, 40_000, 3_200)},
	}
	lines := []Line{{Description: "returned", Quantity: number("1"), UnitPrice: number("10000"), Category: Standard, Rate: 10_00}}
	b := books(t, start).then(
		IssueCreditNote{Key: acme, Credit: "C1", Number: "CN-1", IssuedOn: on("10-05"), Invoice: "A", Reason: Return, Lines: lines, Note: "broken"},
		CreditNoteIssued{
			Credit: "C1", Number: "CN-1", IssuedOn: on("10-05"), Invoice: "A", Reason: Return, Lines: lines, Note: "broken",
			Taxes: []Tax{row(Standard, 10_00, 10_000, 1_000)}, Total: yen(11_000), Applied: list(to("A", 11_000)),
		},
	).then( // a plain total is split over what is left at each rate: 99,000 and 43,200
		IssueCreditNote{Key: acme, Credit: "C2", IssuedOn: on("10-06"), Invoice: "A", Reason: Discount, Total: yen(14_220)},
		CreditNoteIssued{
			Credit: "C2", Number: "N-1", IssuedOn: on("10-06"), Invoice: "A", Reason: Discount, Total: yen(14_220),
			Taxes: []Tax{included(Standard, 10_00, 9_000, 900), included(Reduced, 8_00, 4_000, 320)}, Applied: list(to("A", 14_220)),
		},
	)
	b.Given(paid("P", "10-10", 127_000, to("A", 127_000)))
	b.then( // more than is open: the rest is unapplied
		IssueCreditNote{Key: acme, Credit: "C3", IssuedOn: on("10-20"), Invoice: "A", Reason: Correction, Total: yen(1_000)},
		CreditNoteIssued{
			Credit: "C3", Number: "N-1", IssuedOn: on("10-20"), Invoice: "A", Reason: Correction, Total: yen(1_000),
			Taxes: []Tax{included(Standard, 10_00, 633, 63), included(Reduced, 8_00, 282, 22)}, Applied: list(to("A", 980)),
		})
	b.want(t, "balance", b.State().Balance(), -20)
	credit := IssueCreditNote{Key: acme, Credit: "C4", IssuedOn: on("10-21"), Invoice: "A", Reason: Goodwill, Total: yen(126_981)}
	b.refused(credit, ErrBeyondInvoice)
	credit.Total = yen(1)
	credit.IssuedOn = on("09-30")
	b.refusedAt(credit, ErrBeforeIssue, "/issued_on")
	credit.Invoice = "Z"
	b.refusedAt(credit, ErrUnknownItem, "/invoice")
	credit.Credit = "C1"
	b.refusedAt(credit, ErrRepeatedID, "/credit")

	credit = IssueCreditNote{Key: acme, Credit: "C4", IssuedOn: on("10-21"), Invoice: "A", Reason: Return, Lines: lines}
	lines[0].Quantity = number("10") // 100,000 at 10 %, of which some was credited
	b.refusedAt(credit, ErrBeyondInvoice, "/lines")
	lines[0].Category, lines[0].Rate = Old8, 8_00 // the same percent is not the same rate
	b.refusedAt(credit, ErrBeyondInvoice, "/lines")
	lines[0].Quantity = number("-1")
	b.refusedAt(credit, ErrCreditNotPositive, "/lines")

	b.then(IssueCreditNote{Key: acme, Credit: "F", IssuedOn: on("10-21"), Reason: Goodwill, Total: yen(700)},
		CreditNoteIssued{Credit: "F", Number: "N-1", IssuedOn: on("10-21"), Reason: Goodwill, Total: yen(700)})
	b.want(t, "a free credit is unapplied", b.State().Balance(), -720)
}

func included(c TaxCategory, rate domain.Rate, net, tax int64) Tax {
	t := row(c, rate, net, tax)
	t.Included = true
	return t
}

func TestApplyCredit(t *testing.T) {
	b := books(t, issued("A", "09-01", "09-30", 1000), issued("B", "09-01", "10-31", 1000), noted("CN", "10-01", "", 1200))
	b.then(ApplyCredit{Key: acme, Credit: "CN", ApplyOn: on("10-02"), Allocations: list(to("B", 100))}, CreditApplied{"CN", on("10-02"), list(to("B", 100))})
	b.then(ApplyCredit{Key: acme, Credit: "CN", ApplyOn: on("10-03")}, CreditApplied{"CN", on("10-03"), list(to("A", 1000), to("B", 100))})
	b.refusedAt(ApplyCredit{Key: acme, Credit: "CN", ApplyOn: on("10-03")}, ErrNothingToApply, "/allocations")
	b.refusedAt(ApplyCredit{Key: acme, Credit: "Z", ApplyOn: on("10-03")}, ErrUnknownCredit, "/credit")
	b.refusedAt(ApplyCredit{Key: acme, Credit: "CN", ApplyOn: on("09-03")}, ErrBeforeIssue, "/on")
	b.refusedAt(ApplyCredit{Key: acme, Credit: "CN", ApplyOn: on("10-04"), Allocations: list(to("B", 1))}, ErrOverAllocated, "/allocations/0/amount")
	b.refusedAt(ApplyCredit{Key: acme, Credit: "CN", ApplyOn: on("10-04"), Allocations: list(to("A", 1))}, ErrExceedsOpen, "/allocations/0/amount")
	un := UnapplyCredit{Key: acme, Credit: "CN", UnapplyOn: on("10-02"), Reason: "typo"}
	b.refusedAt(un, ErrBeforeApplied, "/on")
	un.UnapplyOn = on("10-05")
	un.Allocations = list(to("B", 201))
	b.refusedAt(un, ErrNotApplied, "/allocations/0")
	un.Allocations = nil
	b.then(un, CreditUnapplied{"CN", on("10-05"), list(to("B", 200), to("A", 1000)), "typo"})
	un.Credit = "Z"
	b.refusedAt(un, ErrUnknownCredit, "/credit")
	b.want(t, "B on 10-04", b.open("B", "10-04"), 800)
	b.want(t, "B on 10-05", b.open("B", "10-05"), 1000)
}

// Credit notes for an invoice's lines, each rounded by itself, may differ from the invoice's tax by a unit and more;
// together they are the invoice, to the last cent, in whatever order and rounding, by lines or by plain totals.
func TestCreditNotesAddUpToTheInvoice(t *testing.T) {
	usd := Key{Seller: "S1", Customer: "C1", Currency: "USD"}
	prices := []string{"68.33", "68.33", "57.50", "85.00"}
	for _, r := range []domain.Rounding{domain.RoundDown, domain.RoundUp, domain.RoundHalfUp} {
		for _, in := range []bool{false, true} {
			for order := range 24 {
				for plain := range 16 { // which of the notes name a plain total instead of the line
					creditAll(t, usd, r, in, permutation(prices, order), plain)
				}
			}
			// so small that each one's tax rounds to nothing or to all of it
			creditAll(t, usd, r, in, strings.Fields("0.02 0.02 0.02 0.02 0.02 0.02 0.02 0.02 0.02 0.02"), 0)
		}
	}
}

func permutation(of []string, n int) (list []string) {
	rest := append([]string(nil), of...)
	for len(rest) > 0 {
		i := n % len(rest)
		n /= len(rest)
		list = append(list, rest[i])
		rest = append(rest[:i:i], rest[i+1:]...)
	}
	return list
}

func creditAll(t *testing.T, k Key, r domain.Rounding, in bool, prices []string, plain int) {
	t.Helper()
	parties := usual
	parties.Rounding = r
	s := Decider.New()
	do := func(c Command) error {
		events, err := Decider.Decide(s, Request{Command: c, Parties: parties})
		for _, e := range events {
			s = Decider.Evolve(s, e)
			if err := s.CheckInvariants(); err != nil {
				t.Fatal(err)
			}
		}
		return err
	}
	line := func(price string) Line {
		return Line{Description: "item", Quantity: number("1"), UnitPrice: number(price), Category: Standard, Rate: 20_00, TaxIncluded: in}
	}
	var lines []Line
	for _, p := range prices {
		lines = append(lines, line(p))
	}
	if err := do(IssueInvoice{Key: k, Invoice: "A", IssuedOn: on("10-01"), Lines: lines}); err != nil {
		t.Fatal(err)
	}
	total := s.Balance()
	if want := map[bool]int64{false: 334_99, true: 279_16}[in]; total != want && len(prices) == 4 && r != domain.RoundUp {
		t.Fatalf("%s: the invoice is %d, want %d", r, total, want)
	}
	for i, p := range prices {
		c := IssueCreditNote{Key: k, Credit: domain.CreditID(fmt.Sprint("C", i)), IssuedOn: on("10-02"), Invoice: "A", Reason: Return}
		if plain>>i&1 == 0 {
			c.Lines = []Line{line(p)}
		} else {
			m, _ := domain.ParseMoney(p, "USD")
			c.Total = m
		}
		if err := do(c); err != nil {
			t.Fatalf("%s included %v plain %04b: note %d on %s: %v", r, in, plain, i, p, err)
		}
	}
	if left := s.Balance(); left > 0 { // plain totals were without the tax
		if plain == 0 {
			t.Fatalf("%s included %v: all lines are credited, %d is left", r, in, left)
		}
		if err := do(IssueCreditNote{Key: k, Credit: "last", IssuedOn: on("10-03"), Invoice: "A", Reason: Return, Total: k.money(left)}); err != nil {
			t.Fatal(err)
		}
	}
	it := s.items.get("A")
	if it.rare().notedTotal != total || it.open != 0 || s.Balance() != 0 {
		t.Fatalf("%s included %v plain %04b: credited %d of %d", r, in, plain, it.rare().notedTotal, total)
	}
	for _, rest := range s.uncredited(it) {
		if rest.Net.Minor() != 0 || rest.Tax.Minor() != 0 {
			t.Fatalf("%s included %v plain %04b: %+v is left", r, in, plain, rest)
		}
	}
	if err := do(IssueCreditNote{Key: k, Credit: "more", IssuedOn: on("10-04"), Invoice: "A", Reason: Return, Total: k.money(1)}); err == nil {
		t.Fatal("a cent more than the invoice was credited")
	}
}
