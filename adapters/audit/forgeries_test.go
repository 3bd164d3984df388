package audit

import (
	"strings"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
)

// forged is an event that no decider would have stated, after some that it might have.
type forged struct {
	name   string
	stream string
	event  domain.Event
	rule   string
	text   string
	before []placed
}

type placed struct {
	stream string
	event  domain.Event
}

const (
	sellerS1 = "seller-S1"
	numbers  = "numbering-S1.INV.2026"
	receipts = "receipt-S1.2026"
	runs     = "dunningrun-S1.RUN"
	policies = "policy-S1"
	keys     = "access-keys"
)

func forgedMasterData() []forged {
	a, b, e := customer.Key{Seller: "S1", Customer: "A"}, customer.Key{Seller: "S1", Customer: "B"}, customer.Key{Seller: "S1", Customer: "E"}
	other := customer.Key{Seller: "S1", Customer: "X"}
	hash := strings.Repeat("0", 64)
	return []forged{
		{"seller of another stream", sellerS1, seller.Changed{Seller: "S2"}, Misplaced, "it belongs in seller-S2", nil},
		{"seller's event of another kind", sellerS1, customer.Deactivated{Key: a}, Misplaced, "no event of a seller", nil},
		{"seller registered twice", sellerS1, seller.Registered{Seller: "S1"}, Contradiction, "seller.already_registered", nil},
		{"seller changed before it is registered", "seller-S2", seller.Changed{Seller: "S2"}, Contradiction, "seller.unknown", nil},
		{"customer of another stream", a.Stream(), customer.Deactivated{Key: b}, Misplaced, "it belongs in customer-S1.B", nil},
		{"account's event in a customer's stream", a.Stream(), account.NumberForfeited{Number: "x"}, Misplaced, "no event of a customer", nil},
		{"customer registered twice", a.Stream(), customer.Registered{Key: a}, Contradiction, "customer.already_registered", nil},
		{"customer changed before it is registered", other.Stream(), customer.TermsSet{Key: other}, Contradiction, "customer.unknown", nil},
		{"customer deactivated twice", b.Stream(), customer.Deactivated{Key: b}, Contradiction, "customer.nothing_new", nil},
		{"customer reactivated while active", a.Stream(), customer.Reactivated{Key: a}, Contradiction, "customer.nothing_new", nil},
		{"changed after it was erased", e.Stream(), customer.TermsSet{Key: e}, Contradiction, "customer.erased", nil},
		{"erased twice", e.Stream(), customer.Erased{Key: e}, Contradiction, "customer.erased", nil},
		{"customer of an unknown seller", "customer-S2.A", customer.Registered{Key: customer.Key{Seller: "S2", Customer: "A"}}, Unregistered, "seller S2 was not registered", nil},
		{"account of an unknown customer", accountOf("X").Stream(), account.NumberForfeited{Number: "x"}, Unregistered, "customer X of seller S1 was not registered", nil},
		{"case of an unknown customer", caseOf("X").Stream(), dunning.CollectorAssigned{Collector: "x"}, Unregistered, "customer X of seller S1 was not registered", nil},
		{"policies of an unknown seller", "policy-S2", dunning.BankDataRecorded{Seller: "S2", RecordedOn: on("01-01"), Through: on("01-01")}, Unregistered, "seller S2 was not registered", nil},

		{"key in another stream", "access-other", access.KeyRevoked{Key: "k1"}, Misplaced, "it belongs in access-keys", nil},
		{"key's event of another kind", keys, customer.Deactivated{Key: a}, Misplaced, "no event of access keys", nil},
		{"key created twice", keys, access.KeyCreated{Key: "k1", Role: access.Clerk, Hash: hash, CreatedAt: noon}, Contradiction, "access.repeated_key", nil},
		{"key without a hash", keys, access.KeyCreated{Key: "k3", Role: access.Clerk, Hash: "x", CreatedAt: noon}, Contradiction, "access.bad_hash", nil},
		{"key of an unknown role", keys, access.KeyCreated{Key: "k3", Role: "boss", Hash: hash, CreatedAt: noon}, Contradiction, "a role is", nil},
		{"key that expired before", keys, access.KeyCreated{Key: "k3", Role: access.Clerk, Hash: hash, CreatedAt: noon, ExpiresAt: noon.Add(-time.Second)}, Contradiction, "access.expiry_in_past", nil},
		{"key revoked twice", keys, access.KeyRevoked{Key: "k2", RevokedAt: noon}, Contradiction, "access.already_revoked", nil},
		{"unknown key revoked", keys, access.KeyRevoked{Key: "k3", RevokedAt: noon}, Contradiction, "access.unknown_key", nil},
	}
}

func paid(items ...any) (list []account.Allocation) {
	for i := 0; i < len(items); i += 2 {
		list = append(list, account.Allocation{Invoice: domain.InvoiceID(items[i].(string)), Amount: yen(int64(items[i+1].(int)))})
	}
	return list
}

func forgedAccounts() (list []forged) {
	row := func(net, tax int64) []account.Tax {
		return []account.Tax{{Category: account.Standard, Rate: 1000, Net: yen(net), Tax: yen(tax)}}
	}
	charge := account.LateChargeAssessed{
		Charge: "L9", Number: "L9", Invoice: "A2", Rate: 1460, From: on("02-04"), To: on("03-31"), DayCount: domain.Act365,
		Segments:   []account.ChargeSegment{{Base: yen(990), From: on("02-04"), To: on("03-31"), Amount: yen(21)}},
		AssessedOn: on("03-31"), DueOn: on("03-31"), Amount: yen(21),
	}
	charged := func(change func(*account.LateChargeAssessed)) account.LateChargeAssessed {
		c := charge
		c.Segments = append([]account.ChargeSegment(nil), c.Segments...)
		change(&c)
		return c
	}
	invoice := account.InvoiceIssued{Invoice: "A9", Number: "INV-2026-000999", IssuedOn: on("04-01"), DueOn: on("04-30"), Total: yen(100)}
	issued := func(change func(*account.InvoiceIssued)) account.InvoiceIssued {
		i := invoice
		change(&i)
		return i
	}
	credit := account.CreditNoteIssued{Credit: "K9", Number: "CN-2026-000999", IssuedOn: on("04-01"), Invoice: "A2", Reason: account.Return, Total: yen(110), Taxes: row(100, 10), Applied: paid("A2", 110)}
	noted := func(change func(*account.CreditNoteIssued)) account.CreditNoteIssued {
		c := credit
		change(&c)
		return c
	}
	payment := account.PaymentRecorded{Payment: "P9", ReceivedOn: on("04-01"), Amount: yen(600)}
	got := func(change func(*account.PaymentRecorded)) account.PaymentRecorded {
		p := payment
		change(&p)
		return p
	}
	for _, c := range []struct {
		name  string
		event domain.Event
		rule  string
		text  string
	}{
		{"another's event", customer.Deactivated{}, Misplaced, "no event of an account"},
		{"invoice in another currency", issued(func(i *account.InvoiceIssued) { i.Total = domain.NewMoney(100, "USD") }), Misplaced, "the account is in JPY"},
		{"invoice twice", issued(func(i *account.InvoiceIssued) { i.Invoice = "A1" }), Contradiction, "account.repeated_id"},
		{"invoice due before its issue", issued(func(i *account.InvoiceIssued) { i.DueOn = on("03-31") }), Contradiction, "account.due_before_issue"},
		{"invoice without a number", issued(func(i *account.InvoiceIssued) { i.Number = "" }), Contradiction, "account.no_number"},
		{"invoice below zero", issued(func(i *account.InvoiceIssued) { i.Total = yen(-1) }), Contradiction, "account.negative_total"},
		{"invoice beyond its lines", issued(func(i *account.InvoiceIssued) { i.Taxes = row(90, 9) }), Contradiction, "come to 99 JPY, and its total is 100 JPY"},
		{"void of nothing", account.InvoiceVoided{Invoice: "A9", VoidOn: on("04-01"), Amount: yen(1100)}, Contradiction, "account.unknown_invoice"},
		{"void of what is paid", account.InvoiceVoided{Invoice: "A1", VoidOn: on("04-01"), Amount: yen(1100), Taxes: row(1000, 100)}, Contradiction, "account.something_settled"},
		{"void of another amount", account.InvoiceVoided{Invoice: "A5", VoidOn: on("04-01"), Amount: yen(499)}, Contradiction, "the amount is 499 JPY"},
		{"void with other taxes", account.InvoiceVoided{Invoice: "A5", VoidOn: on("04-01"), Amount: yen(500), Taxes: row(400, 40)}, Contradiction, "it takes back"},
		{"due date that did not hold", account.DueDateChanged{Invoice: "A5", WasDueOn: on("02-04"), DueOn: on("05-01"), ChangeOn: on("03-01")}, Contradiction, "the due date until then is 2026-02-04"},
		{"due date changed back in time", account.DueDateChanged{Invoice: "A5", WasDueOn: on("02-28"), DueOn: on("05-01"), ChangeOn: on("01-10")}, Contradiction, "account.due_date_changed_later"},
		{"due date of nothing", account.DueDateChanged{Invoice: "A9", DueOn: on("05-01"), ChangeOn: on("03-01")}, Contradiction, "account.unknown_invoice"},
		{"credit note twice", noted(func(c *account.CreditNoteIssued) { c.Credit = "K1" }), Contradiction, "account.repeated_id"},
		{"credit note without a number", noted(func(c *account.CreditNoteIssued) { c.Number = "" }), Contradiction, "account.no_number"},
		{"credit note of nothing", noted(func(c *account.CreditNoteIssued) { c.Total = yen(0) }), Contradiction, "money.not_positive"},
		{"credit note on an unknown invoice", noted(func(c *account.CreditNoteIssued) { c.Invoice = "A9" }), Contradiction, "account.unknown_invoice"},
		{"credit note before its invoice", noted(func(c *account.CreditNoteIssued) { c.IssuedOn = on("01-01") }), Contradiction, "account.before_issue"},
		{"credit note beyond its invoice", noted(func(c *account.CreditNoteIssued) { c.Total = yen(991) }), Contradiction, "account.credit_beyond_invoice"},
		{"credit note beyond a rate", noted(func(c *account.CreditNoteIssued) { c.Taxes = row(10, 99) }), Contradiction, "left: 900 JPY and 90 JPY"},
		{"credit note with more taxes than its total", noted(func(c *account.CreditNoteIssued) { c.Taxes = row(101, 10) }), Contradiction, "come to 111 JPY"},
		{"credit note that settles less", noted(func(c *account.CreditNoteIssued) { c.Applied = paid("A2", 109) }), Contradiction, "it settles"},
		{"credit note said to be of a late charge", noted(func(c *account.CreditNoteIssued) { c.Charge = true }), Contradiction, "late charge is true"},
		{"unknown credit applied", account.CreditApplied{Credit: "K9", ApplyOn: on("04-01"), Allocations: paid("A1", 1)}, Contradiction, "account.unknown_credit_note"},
		{"credit applied beyond itself", account.CreditApplied{Credit: "K2", ApplyOn: on("04-01"), Allocations: paid("A1", 51)}, Contradiction, "account.over_allocated"},
		{"credit unapplied that is not", account.CreditUnapplied{Credit: "K2", UnapplyOn: on("04-01"), Allocations: paid("A1", 1)}, Contradiction, "account.not_applied"},
		{"unknown credit unapplied", account.CreditUnapplied{Credit: "K9", UnapplyOn: on("04-01"), Allocations: paid("A1", 1)}, Contradiction, "account.unknown_credit_note"},
		{"payment twice", got(func(p *account.PaymentRecorded) { p.Payment = "P1" }), Contradiction, "account.repeated_id"},
		{"payment of nothing", got(func(p *account.PaymentRecorded) { p.Amount = yen(0) }), Contradiction, "money.not_positive"},
		{"payment in another currency", got(func(p *account.PaymentRecorded) { p.Amount = domain.NewMoney(1, "USD") }), Misplaced, "the account is in JPY"},
		{"payment beyond an invoice", got(func(p *account.PaymentRecorded) { p.Allocations = paid("A1", 501) }), Contradiction, "account.exceeds_open"},
		{"payment beyond itself", got(func(p *account.PaymentRecorded) { p.Allocations = paid("A1", 500, "A2", 101) }), Contradiction, "account.over_allocated"},
		{"payment to one invoice twice", got(func(p *account.PaymentRecorded) { p.Allocations = paid("A1", 1, "A1", 1) }), Contradiction, "account.repeated_allocation"},
		{"payment to an unknown invoice", got(func(p *account.PaymentRecorded) { p.Allocations = paid("A9", 1) }), Contradiction, "account.unknown_invoice"},
		{"payment before its invoice", got(func(p *account.PaymentRecorded) { p.ReceivedOn, p.Allocations = on("01-01"), paid("A1", 1) }), Contradiction, "account.before_issue"},
		{"unknown payment applied", account.PaymentApplied{Payment: "P9", ApplyOn: on("04-01"), Allocations: paid("A1", 1)}, Contradiction, "account.unknown_payment"},
		{"payment applied to nothing", account.PaymentApplied{Payment: "P2", ApplyOn: on("04-01")}, Contradiction, "account.no_allocations"},
		{"payment applied beyond itself", account.PaymentApplied{Payment: "P2", ApplyOn: on("04-01"), Allocations: paid("A1", 251)}, Contradiction, "account.over_allocated"},
		{"payment applied before it came", account.PaymentApplied{Payment: "P2", ApplyOn: on("01-10"), Allocations: paid("A1", 1)}, Contradiction, "account.before_issue"},
		{"unknown payment unapplied", account.PaymentUnapplied{Payment: "P9", UnapplyOn: on("04-01"), Allocations: paid("A1", 1)}, Contradiction, "account.unknown_payment"},
		{"payment unapplied beyond what it settles", account.PaymentUnapplied{Payment: "P1", UnapplyOn: on("04-01"), Allocations: paid("A1", 601)}, Contradiction, "account.not_applied"},
		{"nothing unapplied", account.PaymentUnapplied{Payment: "P1", UnapplyOn: on("04-01")}, Contradiction, "it takes back nothing"},
		{"payment unapplied before it was applied", account.PaymentUnapplied{Payment: "P1", UnapplyOn: on("01-10"), Allocations: paid("A1", 600)}, Contradiction, "account.before_applied"},
		{"unknown payment reversed", account.PaymentReversed{Payment: "P9", ReverseOn: on("04-01"), Amount: yen(1)}, Contradiction, "account.unknown_payment"},
		{"payment reversed twice", account.PaymentReversed{Payment: "P3", ReverseOn: on("04-01"), Amount: yen(70)}, Contradiction, "account.already_reversed"},
		{"refunded payment reversed", account.PaymentReversed{Payment: "P2", ReverseOn: on("04-01"), Amount: yen(300)}, Contradiction, "account.partly_refunded"},
		{"payment reversed in part", account.PaymentReversed{Payment: "P1", ReverseOn: on("04-01"), Amount: yen(599), Released: paid("A1", 600)}, Contradiction, "the amount is 599 JPY"},
		{"payment reversed that goes on to settle", account.PaymentReversed{Payment: "P1", ReverseOn: on("04-01"), Amount: yen(600)}, Contradiction, "it sets free"},
		{"payment reversed before it moved", account.PaymentReversed{Payment: "P1", ReverseOn: on("01-10"), Amount: yen(600), Released: paid("A1", 600)}, Contradiction, "account.before_applied"},
		{"refund twice", account.RefundIssued{Refund: "R1", Payment: "P2", RefundOn: on("04-01"), Amount: yen(1)}, Contradiction, "account.repeated_id"},
		{"refund of nobody's money", account.RefundIssued{Refund: "R9", RefundOn: on("04-01"), Amount: yen(1)}, Contradiction, "account.refund_source"},
		{"refund of an unknown payment", account.RefundIssued{Refund: "R9", Payment: "P9", RefundOn: on("04-01"), Amount: yen(1)}, Contradiction, "account.unknown_payment"},
		{"refund beyond what is unapplied", account.RefundIssued{Refund: "R9", Payment: "P2", RefundOn: on("04-01"), Amount: yen(251)}, Contradiction, "account.exceeds_unapplied"},
		{"write-off twice", account.WrittenOff{WriteOff: "W1", Invoice: "A3", WriteOffOn: on("04-01"), Amount: yen(1)}, Contradiction, "account.repeated_id"},
		{"write-off beyond what is open", account.WrittenOff{WriteOff: "W9", Invoice: "A3", WriteOffOn: on("04-01"), Amount: yen(441)}, Contradiction, "account.exceeds_open"},
		{"write-off of more tax than there is", account.WrittenOff{WriteOff: "W9", Invoice: "A3", WriteOffOn: on("04-01"), Amount: yen(100), Taxes: row(50, 50)}, Contradiction, "left: 400 JPY and 40 JPY"},
		{"write-off of more tax than itself", account.WrittenOff{WriteOff: "W9", Invoice: "A3", WriteOffOn: on("04-01"), Amount: yen(100), Taxes: row(100, 10)}, Contradiction, "come to 110 JPY of 100 JPY"},
		{"write-off said to be of a late charge", account.WrittenOff{WriteOff: "W9", Invoice: "A3", WriteOffOn: on("04-01"), Amount: yen(1), Charge: true}, Contradiction, "late charge is true"},
		{"recovery twice", account.WriteOffRecovered{Recovery: "V1", WriteOff: "W1", Invoice: "A3", RecoverOn: on("04-01"), Amount: yen(1)}, Contradiction, "account.repeated_id"},
		{"recovery of nothing", account.WriteOffRecovered{Recovery: "V9", WriteOff: "W9", Invoice: "A3", RecoverOn: on("04-01"), Amount: yen(1)}, Contradiction, "account.unknown_write_off"},
		{"recovery for another invoice", account.WriteOffRecovered{Recovery: "V9", WriteOff: "W1", Invoice: "A2", RecoverOn: on("04-01"), Amount: yen(1)}, Contradiction, "the invoice is A2"},
		{"recovery beyond its write-off", account.WriteOffRecovered{Recovery: "V9", WriteOff: "W1", Invoice: "A3", RecoverOn: on("04-01"), Amount: yen(78)}, Contradiction, "account.exceeds_write_off"},
		{"recovery before its write-off", account.WriteOffRecovered{Recovery: "V9", WriteOff: "W1", Invoice: "A3", RecoverOn: on("02-01"), Amount: yen(1)}, Contradiction, "account.before_issue"},
		{"recovery of more tax than there is", account.WriteOffRecovered{Recovery: "V9", WriteOff: "W1", Invoice: "A3", RecoverOn: on("04-01"), Amount: yen(70), Taxes: row(8, 8)}, Contradiction, "account.credit_beyond_invoice"},
		{"difference of nothing", account.DifferenceSettled{SettleOn: on("04-01"), Amount: yen(1)}, Contradiction, "account.difference_target"},
		{"difference beyond an invoice", account.DifferenceSettled{Invoice: "A1", SettleOn: on("04-01"), Amount: yen(501)}, Contradiction, "account.exceeds_open"},
		{"difference beyond a payment", account.DifferenceSettled{Payment: "P2", SettleOn: on("04-01"), Amount: yen(251)}, Contradiction, "account.exceeds_unapplied"},
		{"dispute twice", account.DisputeOpened{Dispute: "D1", Invoice: "A1", OpenedOn: on("04-01"), Amount: yen(1)}, Contradiction, "account.repeated_id"},
		{"dispute about more than is open", account.DisputeOpened{Dispute: "D9", Invoice: "A2", OpenedOn: on("04-01"), Amount: yen(791)}, Contradiction, "account.exceeds_open"},
		{"unknown dispute resolved", account.DisputeResolved{Dispute: "D9", Invoice: "A2", ResolvedOn: on("04-01"), Amount: yen(200), Outcome: account.DisputeRejected}, Contradiction, "account.unknown_dispute"},
		{"dispute resolved twice", account.DisputeResolved{Dispute: "D2", Invoice: "A2", ResolvedOn: on("04-01"), Amount: yen(100), Outcome: account.DisputeRejected}, Contradiction, "account.dispute_resolved"},
		{"dispute resolved for another amount", account.DisputeResolved{Dispute: "D1", Invoice: "A2", ResolvedOn: on("04-01"), Amount: yen(199), Outcome: account.DisputeRejected}, Contradiction, "the amount is 199 JPY"},
		{"dispute resolved on another invoice", account.DisputeResolved{Dispute: "D1", Invoice: "A1", ResolvedOn: on("04-01"), Amount: yen(200), Outcome: account.DisputeRejected}, Contradiction, "the invoice is A1"},
		{"dispute resolved before it was opened", account.DisputeResolved{Dispute: "D1", Invoice: "A2", ResolvedOn: on("01-10"), Amount: yen(200), Outcome: account.DisputeRejected}, Contradiction, "account.before_issue"},
		{"dispute upheld without credit", account.DisputeResolved{Dispute: "D1", Invoice: "A2", ResolvedOn: on("04-01"), Amount: yen(200), Outcome: account.DisputeUpheld}, Contradiction, "account.credit_only_if_upheld"},
		{"dispute upheld with unknown credit", account.DisputeResolved{Dispute: "D1", Invoice: "A2", ResolvedOn: on("04-01"), Amount: yen(200), Outcome: account.DisputeUpheld, Credit: "K9"}, Contradiction, "account.unknown_credit_note"},
		{"late charge twice", charged(func(c *account.LateChargeAssessed) { c.Charge = "L1" }), Contradiction, "account.repeated_id"},
		{"late charge on a late charge", charged(func(c *account.LateChargeAssessed) { c.Invoice = "L1" }), Contradiction, "account.charge_on_charge"},
		{"late charge on a void invoice", charged(func(c *account.LateChargeAssessed) { c.Invoice = "A4" }), Contradiction, "account.no_late_charge"},
		{"late charge before the due date", charged(func(c *account.LateChargeAssessed) { c.From = on("02-03") }), Contradiction, "account.before_issue"},
		{"late charge for days that are charged", charged(func(c *account.LateChargeAssessed) { c.Invoice = "A1" }), Contradiction, "account.charged_already"},
		{"late charge for days to come", charged(func(c *account.LateChargeAssessed) { c.AssessedOn = on("03-30") }), Contradiction, "account.not_accrued"},
		{"late charge due before it", charged(func(c *account.LateChargeAssessed) { c.DueOn = on("03-30") }), Contradiction, "account.due_before_issue"},
		{"late charge beyond its segments", charged(func(c *account.LateChargeAssessed) { c.Amount = yen(22) }), Contradiction, "the amount is 22 JPY"},
		{"late charge at another rate", charged(func(c *account.LateChargeAssessed) { c.Rate = 1500 }), Contradiction, "it charges 21 JPY on 990 JPY"},
		{"late charge on more than was open", charged(func(c *account.LateChargeAssessed) { c.Segments[0].Base = yen(991) }), Contradiction, "account.exceeds_open"},
		{"late charge's segment beyond it", charged(func(c *account.LateChargeAssessed) { c.To = on("03-30") }), Contradiction, "a segment from"},
		{"late charge waived beyond itself", account.LateChargeWaived{Charge: "L1", WaiveOn: on("04-01"), Amount: yen(9999)}, Contradiction, "account.exceeds_open"},
		{"invoice waived", account.LateChargeWaived{Charge: "A1", WaiveOn: on("04-01"), Amount: yen(1)}, Contradiction, "account.not_a_late_charge"},
		{"balance brought into a first stream", account.BalanceBroughtForward{Period: "2027", Part: 1, Parts: 1}, Misplaced, `it opens period "2027", and this is ""`},
		{"another balance carried", account.BalanceCarriedForward{CarryOn: on("12-31"), Into: "2027", Open: yen(1), Unapplied: yen(290)}, Contradiction, "what is open is 1 JPY"},
		{"another credit carried", account.BalanceCarriedForward{CarryOn: on("12-31"), Into: "2027", Open: yen(2441), Unapplied: yen(1)}, Contradiction, "what is unapplied is 1 JPY"},
		{"carried into no period", account.BalanceCarriedForward{CarryOn: on("12-31"), Open: yen(2441), Unapplied: yen(290)}, Contradiction, "account.same_period"},
	} {
		list = append(list, forged{c.name, accountOf("A").Stream(), c.event, c.rule, c.text, nil})
	}
	return list
}

func forgedCarryForwards() []forged {
	first, second := accountOf("C").Stream(), accountOf("C").Stream()+".2027"
	part := account.BalanceBroughtForward{BroughtOn: on("12-31"), From: first, Period: "2027", Part: 1, Parts: 1}
	moved := func(change func(*account.BalanceBroughtForward)) account.BalanceBroughtForward {
		p := part
		change(&p)
		return p
	}
	a := accountOf("A").Stream()
	closing := placed{accountOf("F").Stream(), account.BalanceCarriedForward{CarryOn: on("12-31"), Into: "2027", KeepSince: on("12-31"), Open: yen(1100), Unapplied: yen(0)}}
	opened := account.BalanceBroughtForward{BroughtOn: on("12-31"), From: accountOf("F").Stream(), Period: "2027", Part: 1, Parts: 1, Records: account.Records{
		Items: []account.ItemRecord{{Invoice: "F1", IssuedOn: on("01-05"), DueOn: on("02-04"), Total: 1099, Moves: []account.MoveRecord{{On: on("01-05"), Minor: 1099}}}},
	}}
	parts := opened
	parts.Parts, parts.Records = 2, account.Records{}
	return []forged{
		{"after a carry forward", first, account.PaymentRecorded{Payment: "P9", ReceivedOn: on("04-01"), Amount: yen(1)}, Contradiction, "account.carried_forward", nil},
		{"brought twice", second, part, Contradiction, "account.same_period", nil},
		{"brought from another account", second, moved(func(p *account.BalanceBroughtForward) { p.From = a }), Misplaced, "carried forward from", nil},
		{"another period", second, moved(func(p *account.BalanceBroughtForward) { p.Period = "2028" }), Misplaced, `it opens period "2028"`, nil},
		{"a period without a balance", a + ".2027", account.NumberForfeited{Number: "x"}, Contradiction, "account.carried_forward", nil},
		{"an id of the closed stream", second, account.PaymentRecorded{Payment: "CP", ReceivedOn: on("04-01"), Amount: yen(1)}, Contradiction, "payment CP, in a closed stream", nil},
		{"nothing was carried", a + ".2027", moved(func(p *account.BalanceBroughtForward) { p.From = a }), WrongCarry, "no stream of the account was carried forward", nil},
		{"another balance", accountOf("F").Stream() + ".2027", opened, WrongCarry, "the closed stream gives", []placed{closing}},
		{"more parts", accountOf("F").Stream() + ".2027", parts, WrongCarry, "part 1 of 2, and the closed stream gives 1", []placed{closing}},
	}
}

func forgedNumbers() []forged {
	key := numbering.Key{Seller: "S1", Series: "INV", Year: 2026}
	a := accountOf("A").Stream()
	x := numbering.Taker{Account: a, Invoice: "A9", CommandID: "x"}
	y := numbering.Taker{Account: a, Invoice: "A10", CommandID: "y"}
	next := 10 // the story has issued nine by the series
	taken := func(n int, t numbering.Taker) numbering.NumbersTaken {
		return numbering.NumbersTaken{Key: key, Taken: []numbering.Taken{{N: n, Taker: t}}}
	}
	waits := placed{numbers, taken(next, x)}
	text := numbering.Text{Seller: "S1", Number: "OLD-7"}
	free := numbering.Text{Seller: "S1", Number: "OLD-8"}
	old := numbering.Taker{Account: a, Invoice: "A5", CommandID: "story-13"}
	inForm := numbering.Text{Seller: "S1", Number: key.Number(99)}
	issued := func(number string) account.InvoiceIssued {
		return account.InvoiceIssued{Invoice: "A9", Number: number, IssuedOn: on("04-01"), DueOn: on("04-30"), Total: yen(1)}
	}
	again := issued(key.Number(next))
	again.Invoice = "A10"
	return []forged{
		{"numbers of another series", numbers, numbering.NumbersConfirmed{Key: numbering.Key{Seller: "S1", Series: "CN", Year: 2026}}, Misplaced, "it belongs in numbering-S1.CN.2026", nil},
		{"a free number's event in a series", numbers, numbering.TextClaimed{Text: free, Taker: x}, Misplaced, "no event of a series", nil},
		{"a gap", numbers, taken(next+1, x), Contradiction, "it gives out INV-2026-000011, and the next is INV-2026-000010", nil},
		{"a number given out twice", numbers, taken(1, x), Contradiction, "it gives out INV-2026-000001", nil},
		{"no numbers given out", numbers, numbering.NumbersTaken{Key: key}, Contradiction, "it gives out 0 numbers", nil},
		{"two numbers for one", numbers, taken(next+1, x), Contradiction, "INV-2026-000010 waits for A9", []placed{waits}},
		{"two numbers for one at once", numbers, numbering.NumbersTaken{Key: key, Taken: []numbering.Taken{{N: next, Taker: x}, {N: next + 1, Taker: x}}}, Contradiction, "two for A9", nil},
		{"a used number claimed", numbers, numbering.NumberClaimed{Key: key, N: 1, Taker: x}, Contradiction, "numbering.number_taken", nil},
		{"a number claimed besides another", numbers, numbering.NumberClaimed{Key: key, N: 50, Taker: x}, Contradiction, "numbering.number_taken", []placed{waits}},
		{"number zero claimed", numbers, numbering.NumberClaimed{Key: key, N: 0, Taker: x}, Contradiction, "numbering.bad_number", nil},
		{"confirmed and not given out", numbers, numbering.NumbersConfirmed{Key: key, Numbers: []int{60}}, Contradiction, "INV-2026-000060 waits for no document", nil},
		{"returned and not waiting", numbers, numbering.NumberReturned{Key: key, N: 60, Taker: x}, Contradiction, "numbering.not_held", nil},
		{"returned by another", numbers, numbering.NumberReturned{Key: key, N: next, Taker: y}, Contradiction, "numbering.not_held", []placed{waits}},
		{"text of another stream", text.Stream(), numbering.TextClaimed{Text: free, Taker: x}, Misplaced, "it belongs in " + free.Stream(), nil},
		{"text's event of another kind", text.Stream(), taken(next, x), Misplaced, "no event of a free number", nil},
		{"text claimed twice", text.Stream(), numbering.TextClaimed{Text: text, Taker: x}, Contradiction, `"OLD-7" stands on A5`, nil},
		{"text in the form of a series", inForm.Stream(), numbering.TextClaimed{Text: inForm, Taker: x}, Contradiction, "numbering.in_series_form", nil},
		{"text released by another", text.Stream(), numbering.TextReleased{Text: text, Taker: x}, Contradiction, "numbering.not_held", nil},
		{"text released that stands on a document", text.Stream(), numbering.TextReleased{Text: text, Taker: old}, WrongNumber, "OLD-7 is given back, and stands on A5", nil},
		{"a number that was not given out", a, issued("INV-2026-000777"), WrongNumber, "A9 has the number INV-2026-000777, which was not given out for it", nil},
		{"a number of another document", a, issued(key.Number(1)), WrongNumber, "or stands on another document", nil},
		{"a number that waits for another", a, again, WrongNumber, "given out for A9 of " + a, []placed{waits}},
		{"a number on two documents", a, again, WrongNumber, "or stands on another document", []placed{waits, {a, issued(key.Number(next))}}},
		{"a credit note's number", a, account.CreditNoteIssued{Credit: "K9", Number: "CN-2026-000777", IssuedOn: on("04-01"), Total: yen(1)}, WrongNumber, "K9 has the number", nil},
		{"confirmed without its document", numbers, numbering.NumbersConfirmed{Key: key, Numbers: []int{next}}, WrongNumber, "INV-2026-000010 is said to stand on A9", []placed{waits}},
		{"returned that stands on a document", numbers, numbering.NumberReturned{Key: key, N: next, Taker: x}, WrongNumber, "INV-2026-000010 is given back", []placed{waits, {a, issued(key.Number(next))}}},
	}
}

func forgedReceipts() (list []forged) {
	open, done, back := receiptOn("Q1", "02-02"), receiptOn("Q2", "02-02"), receiptOn("Q3", "02-02")
	a := accountOf("A").Stream()
	assigned := placed{receipts, receipt.Assigned{Key: open, Customer: "A", Payment: "Q1"}}
	payment := account.PaymentRecorded{Payment: "Q1", ReceivedOn: on("02-02"), Amount: yen(900), Receipt: "Q1"}
	got := func(change func(*account.PaymentRecorded)) account.PaymentRecorded {
		p := payment
		change(&p)
		return p
	}
	booked := placed{a, payment}
	return []forged{
		{"receipt of another year", receipts, receipt.Recorded{Key: receipt.Key{Seller: "S1", Receipt: "Q9", ReceivedOn: domain.NewDate(2025, 1, 1)}, Amount: yen(1)}, Misplaced, "it belongs in receipt-S1.2025", nil},
		{"receipts' event of another kind", receipts, seller.Changed{Seller: "S1"}, Misplaced, "no event of receipts", nil},
		{"receipt twice", receipts, receipt.Recorded{Key: open, Amount: yen(1)}, Contradiction, "receipt.repeated_id", nil},
		{"settled receipt twice", receipts, receipt.Recorded{Key: done, Amount: yen(1)}, Contradiction, "receipt.repeated_id", nil},
		{"receipt of nothing", receipts, receipt.Recorded{Key: receiptOn("Q9", "02-02"), Amount: yen(0)}, Contradiction, "money.not_positive", nil},
		{"unknown receipt assigned", receipts, receipt.Assigned{Key: receiptOn("Q9", "02-02"), Customer: "A", Payment: "Q9"}, Contradiction, "receipt.unknown", nil},
		{"receipt assigned twice", receipts, receipt.Assigned{Key: open, Customer: "B", Payment: "Q1"}, Contradiction, "receipt.assigned", []placed{assigned}},
		{"booked receipt assigned", receipts, receipt.Assigned{Key: done, Customer: "A", Payment: "Q2"}, Contradiction, "receipt.settled", nil},
		{"booked without assignment", receipts, receipt.Booked{Key: open, Customer: "A", Payment: "Q1"}, Contradiction, "Q1 of 2026-02-02 is assigned to nobody", nil},
		{"booked twice", receipts, receipt.Booked{Key: done, Customer: "A", Payment: "Q2"}, Contradiction, "is assigned to nobody", nil},
		{"booked for another", receipts, receipt.Booked{Key: open, Customer: "B", Payment: "Q1"}, Contradiction, "the customer is B", []placed{assigned, booked}},
		{"booked as another payment", receipts, receipt.Booked{Key: open, Customer: "A", Payment: "Q7"}, Contradiction, "the payment is Q7", []placed{assigned, booked}},
		{"released without assignment", receipts, receipt.Released{Key: open, Customer: "A"}, Contradiction, "is assigned to nobody", nil},
		{"released from another", receipts, receipt.Released{Key: open, Customer: "B"}, Contradiction, "the customer is B", []placed{assigned}},
		{"returned for another amount", receipts, receipt.Returned{Key: open, ReturnedOn: on("02-03"), Amount: yen(899)}, Contradiction, "the amount is 899 JPY", nil},
		{"returned before it came", receipts, receipt.Returned{Key: open, ReturnedOn: on("02-01"), Amount: yen(900)}, Contradiction, "receipt.before_received", nil},
		{"returned twice", receipts, receipt.Returned{Key: back, ReturnedOn: on("02-05"), Amount: yen(40)}, Contradiction, "receipt.settled", nil},
		{"returned while assigned", receipts, receipt.Returned{Key: open, ReturnedOn: on("02-03"), Amount: yen(900)}, Contradiction, "receipt.assigned", []placed{assigned}},
		{"booked and not paid", receipts, receipt.Booked{Key: open, Customer: "A", Payment: "Q1"}, WrongReceipt, "whose account has no such payment", []placed{assigned}},
		{"released and paid", receipts, receipt.Released{Key: open, Customer: "A"}, WrongReceipt, "is set free, and is payment Q1 of A", []placed{assigned, booked}},
		{"paid and no receipt", a, got(func(p *account.PaymentRecorded) { p.Receipt = "Q9" }), WrongReceipt, "no such receipt", nil},
		{"paid and not assigned", a, payment, WrongReceipt, `it was assigned to ""`, nil},
		{"paid by another", accountOf("C").Stream() + ".2027", payment, WrongReceipt, `it was assigned to "A"`, []placed{assigned}},
		{"paid as another payment", a, got(func(p *account.PaymentRecorded) { p.Payment = "Q7" }), WrongReceipt, "it was assigned as payment Q1", []placed{assigned}},
		{"paid another amount", a, got(func(p *account.PaymentRecorded) { p.Amount = yen(899) }), WrongReceipt, "899 JPY, and 900 JPY came", []placed{assigned}},
		{"paid on another day", a, got(func(p *account.PaymentRecorded) { p.ReceivedOn = on("02-03") }), WrongReceipt, "and it came on 2026-02-02", []placed{assigned}},
		{"paid twice", a, payment, WrongReceipt, "it is a payment already", []placed{assigned, booked}},
	}
}
