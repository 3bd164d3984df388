package dunning_test

import (
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

func promised(on, until string, amount int64) dunning.PromiseRecorded {
	return dunning.PromiseRecorded{Promise: "P", MadeOn: day(on), Amount: yen(amount), Day: day(until), By: "山田", Acting: dunning.Agency}
}

func covers(id domain.InvoiceID, open, paid int64) dunning.Covered {
	c := dunning.Covered{Invoice: id, Open: yen(open)}
	if paid > 0 {
		c.Paid = yen(paid)
	}
	return c
}

// about is the promise with what it is about; without, it is one of earlier times.
func about(p dunning.PromiseRecorded, items ...dunning.Covered) dunning.PromiseRecorded {
	p.Items, p.PayBy = items, domain.JapanBankDays().Next(p.Day)
	return p
}

func TestPromises(t *testing.T) {
	promise := dunning.RecordPromise{Order: at("07-01"), Promise: "P", Amount: yen(11000), Day: day("07-20"), By: "山田"}
	settle := func(on string, outcome dunning.PromiseOutcome, received int64) dunning.SettlePromise {
		return dunning.SettlePromise{Order: at(on), Promise: "P", Outcome: outcome, Received: yen(received)}
	}
	settled := func(on string, outcome dunning.PromiseOutcome, received int64) dunning.PromiseSettled {
		return dunning.PromiseSettled{Promise: "P", SettledOn: day(on), Outcome: outcome, Amount: yen(11000), Received: yen(received)}
	}
	made := about(promised("07-01", "07-20", 11000), covers("I1", 11000, 0))
	bad := promise
	bad.Amount, bad.Day, bad.By = domain.NewMoney(1, "USD"), day("06-30"), strings.Repeat("x", dunning.NameMax+1)
	far, none := promise, promise
	far.Day, none.Amount = day("10-02"), domain.Money{}
	given(t).
		When(ask(bad)).RefusedAt(dunning.ErrWrongCurrency, "/amount").
		When(ask(bad)).RefusedAt(dunning.ErrBadPromise, "/day").
		When(ask(bad)).RefusedAt(domain.ErrTooLong, "/by").
		When(ask(far)).RefusedAt(dunning.ErrBadPromise, "/day").
		When(ask(none)).RefusedAt(domain.ErrMissing, "/amount").
		When(ask(promise)).Then(made).
		When(ask(promise)).RefusedAt(dunning.ErrRepeatedID, "/promise")
	// 07-20 is a bank holiday: there is time until 07-21.
	nothing := owing(item("I1", "06-30", 11000))
	one, all := received(nothing, "07-20", 1, "I1"), received(owing(), "07-05", 11000, "I1")
	given(t, made).
		When(askOf(settle("07-21", dunning.Broken, 0), nothing)).RefusedAt(dunning.ErrNotOver, "/on").
		When(askOf(settle("07-22", dunning.Broken, 0), one)).RefusedAt(dunning.ErrOutcomeDiffers, "/outcome").
		When(askOf(settle("07-22", dunning.Kept, 0), one)).RefusedAt(dunning.ErrOutcomeDiffers, "/outcome").
		When(askOf(settle("07-22", dunning.PartlyKept, 2), one)).RefusedAt(dunning.ErrReceivedDiffers, "/received").
		When(askOf(settle("07-22", "HALF", 1), one)).RefusedAt(domain.ErrUnknown, "/outcome").
		When(askOf(settle("06-30", dunning.Kept, 11000), all)).RefusedAt(dunning.ErrTooEarly, "/on").
		When(askOf(settle("07-22", dunning.PartlyKept, 1), one)).Then(settled("07-22", dunning.PartlyKept, 1)).
		When(askOf(settle("07-22", dunning.PartlyKept, 1), one)).RefusedAt(dunning.ErrUnknownPromise, "/promise")
	given(t, made).When(askOf(settle("07-05", dunning.Kept, 0), all)).Then(settled("07-05", dunning.Kept, 11000))
	given(t, made).When(askOf(settle("07-22", dunning.Broken, 0), nothing)).Then(settled("07-22", dunning.Broken, 0))
	given(t, made).When(askOf(settle("07-22", dunning.Broken, 0), all)).RefusedAt(dunning.ErrOutcomeDiffers, "/outcome")
	late := received(owing(), "07-22", 11000, "I1")
	given(t, made).When(askOf(settle("07-22", dunning.Kept, 0), late)).RefusedAt(dunning.ErrOutcomeDiffers, "/outcome").
		When(askOf(settle("07-22", dunning.Broken, 0), late)).Then(settled("07-22", dunning.Broken, 0))

	unknown := askOf(settle("07-22", dunning.Broken, 0), nothing) // the bank may know of a payment
	unknown.Facts.Policy.BankDataMaxAge = 5
	unknown.Facts.Debtor.BankDataOn = day("07-20")
	given(t, made).When(unknown).RefusedAt(dunning.ErrBankDataOld, "/on")

	renewed := promise
	renewed.Promise, renewed.Day = "P2", day("07-31")
	want := about(promised("07-01", "07-31", 11000), covers("I1", 11000, 0))
	want.Promise, want.Replaces = "P2", "P"
	s := given(t, promised("07-01", "07-20", 11000)).When(ask(renewed)).Then(want)
	if s.State().Promise.ID != "P2" {
		t.Errorf("%+v", s.State().Promise)
	}
}

// A promise is about the invoices that it names, or about all that is late and, as far as its amount asks for more, what
// falls due next.
func TestWhatAPromiseIsAbout(t *testing.T) {
	disputed := item("I3", "06-20", 2000)
	disputed.Disputed = yen(2000)
	debtor := owing(item("I2", "07-31", 4000), item("I1", "06-30", 11000), disputed, item("I4", "08-31", 500), item("I0", "06-29", 70))
	debtor = received(debtor, "06-29", 30, "I0")
	for name, c := range map[string]struct {
		amount int64
		named  []domain.InvoiceID
		want   []dunning.Covered
	}{
		"less than what is late": {100, nil, []dunning.Covered{covers("I0", 70, 30), covers("I1", 11000, 0)}},
		"what is late":           {11070, nil, []dunning.Covered{covers("I0", 70, 30), covers("I1", 11000, 0)}},
		"more than that":         {11071, nil, []dunning.Covered{covers("I0", 70, 30), covers("I1", 11000, 0), covers("I2", 4000, 0)}},
		"more than there is":     {99999, nil, []dunning.Covered{covers("I0", 70, 30), covers("I1", 11000, 0), covers("I2", 4000, 0), covers("I4", 500, 0)}},
		"what it names":          {100, []domain.InvoiceID{"I4", "I3"}, []dunning.Covered{covers("I4", 500, 0), covers("I3", 2000, 0)}},
	} {
		promise := dunning.RecordPromise{Order: at("07-01"), Promise: "P", Amount: yen(c.amount), Day: day("07-20"), Invoices: c.named, By: "山田"}
		t.Run(name, func(t *testing.T) {
			given(t).When(askOf(promise, debtor)).Then(about(promised("07-01", "07-20", c.amount), c.want...))
		})
	}
	promise := dunning.RecordPromise{Order: at("07-01"), Promise: "P", Amount: yen(1), Day: day("07-20"), Invoices: []domain.InvoiceID{"I1", "I9"}}
	given(t).When(askOf(promise, debtor)).RefusedAt(dunning.ErrNothingOpen, "/invoices/1")
	promise.Invoices[1] = "I1"
	given(t).When(askOf(promise, debtor)).RefusedAt(dunning.ErrRepeatedID, "/invoices/1")
	promise.Invoices = nil
	given(t).When(askOf(promise, owing())).Refused(dunning.ErrNothingOpen)
}

// What counts is what settles the promised invoices, and money that settles nothing yet.
func TestWhatKeepsAPromise(t *testing.T) {
	made := about(promised("07-01", "07-10", 5000), covers("I1", 11000, 600))
	base := received(owing(item("I1", "06-30", 11000), item("I2", "06-30", 8000)), "06-30", 600, "I1") // known when it was made
	open := func(d dunning.Debtor, left int64) dunning.Debtor {
		d.Items = []dunning.Item{item("I1", "06-30", left), item("I2", "06-30", 8000)}
		return d
	}
	credit := func(d dunning.Debtor, minor int64) dunning.Debtor {
		d.Credit, d.Unapplied = yen(minor), yen(minor)
		return d
	}
	back := base
	back.Receipts = append(back.Receipts, dunning.Receipt{On: day("07-05"), Amount: yen(5000), Left: true})
	for name, c := range map[string]struct {
		debtor  dunning.Debtor
		want    dunning.PromiseOutcome
		paid    int64
		reduced int64
	}{
		"nothing came":                       {base, dunning.Broken, 0, 0},
		"all of it came":                     {open(received(base, "07-10", 5000, "I1"), 6000), dunning.Kept, 5000, 0},
		"a part came":                        {open(received(base, "07-10", 4999, "I1"), 6001), dunning.PartlyKept, 4999, 0},
		"it came for something else":         {received(base, "07-05", 8000, "I2"), dunning.Broken, 0, 0},
		"it came, and settles nothing yet":   {received(base, "07-05", 5000, ""), dunning.Kept, 5000, 0},
		"money of before settles it now":     {open(received(base, "06-15", 5000, "I1"), 6000), dunning.Kept, 5000, 0},
		"money of before settles nothing":    {received(base, "06-15", 5000, ""), dunning.Broken, 0, 0},
		"it came too late":                   {open(received(base, "07-11", 5000, "I1"), 6000), dunning.Broken, 0, 0},
		"it was paid back":                   {back, dunning.Broken, 0, 0},
		"a credit note, the promise stands":  {open(base, 6000), dunning.Broken, 0, 0},
		"a credit note leaves less to pay":   {open(received(base, "07-10", 3000, "I1"), 0), dunning.Kept, 3000, 2000},
		"some of the less":                   {open(received(base, "07-10", 2000, "I1"), 1000), dunning.PartlyKept, 2000, 2000},
		"a credit note that settles nothing": {credit(open(received(base, "07-10", 1000, "I1"), 10000), 10000), dunning.Kept, 1000, 4000},
		"credited as a whole":                {open(base, 0), dunning.Kept, 0, 5000},
	} {
		t.Run(name, func(t *testing.T) {
			want := dunning.PromiseSettled{Promise: "P", SettledOn: day("07-15"), Outcome: c.want, Amount: yen(5000), Received: yen(c.paid)}
			if c.reduced > 0 {
				want.Reduced = yen(c.reduced)
			}
			given(t, made).When(askOf(dunning.SettlePromise{Order: at("07-15"), Promise: "P", Outcome: c.want}, c.debtor)).Then(want)
			d := dunning.Decide(plain(), stateOf(made), c.debtor, day("07-15"), dunning.Agency)
			if d.Steps[0].Outcome != c.want || d.Steps[0].Received != yen(c.paid) {
				t.Errorf("%s: %+v", d, d.Steps)
			}
			carryOut(t, stateOf(made), plain(), c.debtor, d, "again")
		})
	}
	// Promises of earlier times don't say what they are about: any money keeps them.
	early := promised("07-01", "07-10", 5000)
	given(t, early).When(askOf(dunning.SettlePromise{Order: at("07-05"), Promise: "P", Outcome: dunning.Kept}, received(base, "07-05", 5000, "I2"))).
		Then(dunning.PromiseSettled{Promise: "P", SettledOn: day("07-05"), Outcome: dunning.Kept, Amount: yen(5000), Received: yen(5000)})
}
