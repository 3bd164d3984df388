package account

import (
	"testing"

	"github.com/urikake/urikake/domain"
)

// BD-T1: what is left of a mixed invoice after a part payment is split by original gross per rate.
func TestWriteOffAndRecovery(t *testing.T) {
	start := InvoiceIssued{
		Invoice: "A", Number: "1", IssuedOn: on("09-01"), DueOn: on("09-30"), Total: yen(131_200),
		Taxes: []Tax{row(Standard, 10_00, 80_000, 8_000), row(Reduced, 8_00, 40_000, 3_200)},
	}
	b := books(t, start, paid("P", "10-01", 50_000, to("A", 50_000)))
	c := WriteOff{Key: acme, WriteOff: "W", Invoice: "A", WriteOffOn: on("12-01"), Amount: yen(81_201), Reason: "bankrupt", Approver: "Sato"}
	b.refusedAt(c, ErrExceedsOpen, "/amount")
	c.Amount = yen(81_200)
	rows := []Tax{included(Standard, 10_00, 54_463-4_951, 4_951), included(Reduced, 8_00, 26_737-1_980, 1_980)}
	b.then(c, WrittenOff{WriteOff: "W", Invoice: "A", WriteOffOn: on("12-01"), Amount: yen(81_200), Taxes: rows, Reason: "bankrupt", Approver: "Sato"})
	b.want(t, "loss", rows[0].Net.Minor()+rows[1].Net.Minor(), 74_269)
	b.want(t, "balance", b.State().Balance(), 0)
	b.refusedAt(c, ErrRepeatedID, "/write_off")
	c.WriteOff, c.Invoice = "W2", "Z"
	b.refusedAt(c, ErrUnknownItem, "/invoice")
	c.Invoice, c.WriteOffOn = "A", on("08-31")
	b.refusedAt(c, ErrBeforeIssue, "/on")
	// what was given up was never paid, so that only the 50,000 can be credited
	b.refused(IssueCreditNote{Key: acme, Credit: "CN", IssuedOn: on("12-02"), Invoice: "A", Reason: Return, Total: yen(50_001)}, ErrBeyondInvoice)

	b.refusedAt(IssueCreditNote{Key: acme, Credit: "CN", IssuedOn: on("12-02"), Invoice: "A", Reason: Return, Lines: lines(in(std("33538")))}, ErrBeyondInvoice, "/lines")

	r := RecoverWriteOff{Key: acme, Recovery: "R1", WriteOff: "W", RecoverOn: on("11-30"), Amount: yen(40_600), Reference: "9"}
	b.refusedAt(r, ErrBeforeIssue, "/on")
	r.RecoverOn = on("12-20")
	// 27,231.5 and 13,368.5: the higher rate takes the odd yen of a tie
	half := []Tax{included(Standard, 10_00, 27_232-2_475, 2_475), included(Reduced, 8_00, 13_368-990, 990)}
	b.then(r, WriteOffRecovered{"R1", "W", "A", on("12-20"), yen(40_600), half, "9"})
	b.want(t, "a recovery opens nothing", b.State().Balance(), 0)
	b.refusedAt(r, ErrRepeatedID, "/recovery")
	r.Recovery, r.Amount = "R2", yen(40_601)
	b.refusedAt(r, ErrExceedsWriteOff, "/amount")
	r.WriteOff = "Z"
	b.refusedAt(r, ErrUnknownWriteOff, "/write_off")
}

// A whole invoice takes back exactly the tax it had, however that was rounded; after a credit note for all of one
// rate, only the other rate is left to give up.
func TestWriteOffTakesBackWhatIsLeft(t *testing.T) {
	up := InvoiceIssued{
		Invoice: "A", Number: "1", IssuedOn: on("09-01"), DueOn: on("09-30"), Rounding: domain.RoundUp,
		Taxes: []Tax{row(Standard, 10_00, 105, 11)}, Total: yen(116),
	}
	books(t, up).then(WriteOff{Key: acme, WriteOff: "W", Invoice: "A", WriteOffOn: on("12-01"), Amount: yen(116), Reason: "x", Approver: "y"},
		WrittenOff{WriteOff: "W", Invoice: "A", WriteOffOn: on("12-01"), Amount: yen(116), Taxes: []Tax{included(Standard, 10_00, 105, 11)}, Reason: "x", Approver: "y"})

	mixed := InvoiceIssued{
		Invoice: "A", Number: "1", IssuedOn: on("09-01"), DueOn: on("09-30"), Total: yen(131_200),
		Taxes: []Tax{row(Standard, 10_00, 80_000, 8_000), row(Reduced, 8_00, 40_000, 3_200)},
	}
	credit := noted("CN", "10-01", "A", 88_000, to("A", 88_000))
	credit.Taxes = []Tax{row(Standard, 10_00, 80_000, 8_000)}
	books(t, mixed, credit).then(WriteOff{Key: acme, WriteOff: "W", Invoice: "A", WriteOffOn: on("12-01"), Amount: yen(43_200), Reason: "x", Approver: "y"},
		WrittenOff{WriteOff: "W", Invoice: "A", WriteOffOn: on("12-01"), Amount: yen(43_200), Taxes: []Tax{included(Reduced, 8_00, 40_000, 3_200)}, Reason: "x", Approver: "y"})

	// credited and yet open, since the credit went elsewhere: what is given up beyond the rest bears no tax any more
	books(t, mixed, credit, CreditUnapplied{"CN", on("10-02"), list(to("A", 88_000)), "elsewhere"}).
		then(WriteOff{Key: acme, WriteOff: "W", Invoice: "A", WriteOffOn: on("12-01"), Amount: yen(131_200), Reason: "x", Approver: "y"},
			WrittenOff{WriteOff: "W", Invoice: "A", WriteOffOn: on("12-01"), Amount: yen(131_200), Taxes: []Tax{included(Reduced, 8_00, 40_000, 3_200)}, Reason: "x", Approver: "y"})
}

func TestSettleDifference(t *testing.T) {
	start := InvoiceIssued{
		Invoice: "A", Number: "1", IssuedOn: on("09-01"), DueOn: on("09-30"), Total: yen(110_000),
		Taxes: []Tax{row(Standard, 10_00, 100_000, 10_000)},
	}
	b := books(t, start, paid("P", "10-01", 109_340, to("A", 109_340)))
	c := SettleDifference{Key: acme, Invoice: "A", SettleOn: on("10-01"), Amount: yen(661), Reason: BankFee}
	b.refusedAt(c, ErrExceedsOpen, "/amount")
	c.Amount = yen(660)
	b.then(c, DifferenceSettled{Invoice: "A", SettleOn: on("10-01"), Amount: yen(660), Reason: BankFee, Taxes: []Tax{included(Standard, 10_00, 600, 60)}})
	b.want(t, "balance", b.State().Balance(), 0)

	// the tolerance holds for an invoice as a whole, not for each difference
	b = books(t, start)
	c.Amount = yen(1001)
	b.refusedAt(c, ErrBeyondTolerance, "/amount")
	c.Amount, c.Reason = yen(600), RoundingError
	b.then(c, DifferenceSettled{Invoice: "A", SettleOn: on("10-01"), Amount: yen(600), Reason: RoundingError})
	c.Amount = yen(401)
	b.refusedAt(c, ErrBeyondTolerance, "/amount")
	c.Amount = yen(400)
	b.then(c, DifferenceSettled{Invoice: "A", SettleOn: on("10-01"), Amount: yen(400), Reason: RoundingError})
	c.Amount, c.SettleOn = yen(1), on("08-31")
	b.parties.Tolerance = 5000
	b.refusedAt(c, ErrBeforeIssue, "/on")
	c.Invoice = "Z"
	b.refusedAt(c, ErrUnknownItem, "/invoice")

	b = books(t, paid("P", "10-01", 1500))
	c = SettleDifference{Key: acme, Payment: "P", SettleOn: on("10-02"), Amount: yen(700), Reason: RoundingError}
	b.then(c, DifferenceSettled{Payment: "P", SettleOn: on("10-02"), Amount: yen(700), Reason: RoundingError})
	c.Amount = yen(301)
	b.refusedAt(c, ErrBeyondTolerance, "/amount")
	b.parties.Tolerance = 5000
	c.Amount = yen(801)
	b.refusedAt(c, ErrExceedsUnapplied, "/amount")
	c.Payment = "Z"
	b.refusedAt(c, ErrUnknownPayment, "/payment")
	b.want(t, "balance", b.State().Balance(), -800)
}

// However a write-off is recovered in parts, the parts' tax comes to the tax that was written off, rate by rate, also
// over a carry forward.
func TestRecoveriesInPartsGiveBackTheWholeTax(t *testing.T) {
	start := InvoiceIssued{
		Invoice: "A", Number: "1", IssuedOn: on("09-01"), DueOn: on("09-30"), Total: yen(1_312), Rounding: domain.RoundUp,
		Taxes: []Tax{row(Standard, 10_00, 799, 80), row(Reduced, 8_00, 400, 32), row(NonTaxable, 0, 1, 0)},
	}
	for _, parts := range [][]int64{{1_312}, {1, 1_311}, {1_311, 1}, {3, 3, 3, 1_303}, {437, 437, 438}, {656, 655, 1}} {
		b := books(t, start, WrittenOff{
			WriteOff: "W", Invoice: "A", WriteOffOn: on("12-01"), Amount: yen(1_312), Reason: "x", Approver: "y", Taxes: start.Taxes,
		})
		back := map[rateKey]Tax{}
		for i, part := range parts {
			events, err := Decider.Decide(b.State(), b.request(RecoverWriteOff{
				Key: acme, Recovery: domain.RecoveryID(rune('a' + i)), WriteOff: "W", RecoverOn: on("12-20"), Amount: yen(part),
			}))
			if err != nil {
				t.Fatal(err)
			}
			b.Given(events...)
			var sum int64
			for _, r := range events[0].(WriteOffRecovered).Taxes {
				o := back[r.key()]
				back[r.key()] = Tax{Net: yen(o.Net.Minor() + r.Net.Minor()), Tax: yen(o.Tax.Minor() + r.Tax.Minor())}
				if sum += r.gross(); min(r.Net.Minor(), r.Tax.Minor()) < 0 {
					t.Errorf("%v: %+v", parts, r)
				}
			}
			b.want(t, "gross of the part", sum, part)
			b = goOn(t, b, "12-31", string(rune('a'+i)))
		}
		for _, r := range start.Taxes {
			if got := back[r.key()]; got.Net != r.Net || got.Tax != r.Tax {
				t.Errorf("%v: %s %s %% got back %s and tax %s, want %s and %s", parts, r.Category, r.Rate, got.Net, got.Tax, r.Net, r.Tax)
			}
		}
	}
}
