package dunning

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/scenario"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

func (o *office) wantQueued(n int) []rules.ReminderQueued {
	o.Helper()
	list := events[rules.ReminderQueued](o)
	if len(list) != n {
		o.Fatalf("%d reminders are queued, want %d: %+v", len(list), n, list)
	}
	return list
}

func TestARunTwiceIsOneRun(t *testing.T) {
	o := opened(t).must(invoice("C1", "I1", "06-30", 11000), invoice("C2", "I2", "07-31", 5000))
	first, decisions := o.run("07-03")
	if first.Reminders != 1 || first.Debtors != 2 || first.Repeated || !decisions["C1"].Reminds() || decisions["C2"].Why != rules.WhyNothingDue {
		t.Fatalf("%+v %+v", first, decisions)
	}
	if got := decisions["C1"]; got.LevelID != "R1" || got.Due != yen(11000) || got.OldestDueOn != day("06-30") || got.DaysOverdue != 3 || got.Policy != "default" || got.Version != 1 {
		t.Errorf("%+v", got)
	}
	o.must(invoice("C3", "I3", "06-20", 3000)) // comes after the run: the next day's
	head, _ := o.store.Head(t.Context())
	again, same := o.run("07-03")
	if after, _ := o.store.Head(t.Context()); after != head {
		t.Errorf("the run wrote up to %d again, after %d", after, head)
	}
	if !again.Repeated || again.Reminders != 1 || again.Debtors != 2 {
		t.Errorf("%+v", again)
	}
	if diff := cmp.Diff(decisions, same, scenario.Options); diff != "" {
		t.Error(diff)
	}
	if r := o.wantQueued(1)[0]; r.Run != first.Run || r.ToPay != yen(11000) {
		t.Errorf("%+v", r)
	}
	next, _ := o.run("07-04")
	if next.Reminders != 1 || next.Run == first.Run {
		t.Errorf("%+v", next)
	}
	o.wantQueued(2)
}

func TestADryRunChangesNothing(t *testing.T) {
	o := opened(t).must(invoice("C1", "I1", "06-30", 11000))
	head, _ := o.store.Head(t.Context())
	for range 2 {
		result, decisions, err := o.tryRun(Request{AsOf: day("07-03"), DryRun: true})
		if err != nil || !result.DryRun || result.Reminders != 1 || !decisions["C1"].Reminds() {
			t.Fatalf("%+v %v", result, err)
		}
	}
	if after, _ := o.store.Head(t.Context()); after != head {
		t.Errorf("it wrote up to %d, after %d", after, head)
	}
}

// owing has something of every kind, in parts of one debtor each: two late, one promise broken.
func owing(t testing.TB) *office {
	return opened(t).must(
		invoice("C1", "I1", "06-30", 11000), invoice("C2", "I2", "06-25", 5000), invoice("C3", "I3", "06-20", 3000),
		rules.RecordPromise{Order: rules.Order{Key: key("C3"), On: day("06-25")}, Promise: "P", Amount: yen(3000), Day: day("06-28")},
	)
}

// outcome is what one run comes to, with what was queued in the order of customers.
func (o *office) outcome() (list []string) {
	o.Helper()
	for _, c := range []domain.CustomerID{"C1", "C2", "C3"} {
		err := o.Ledger.Case(o.Context(), key(c), func(s *rules.State, v eventstore.Version) error {
			list = append(list, fmt.Sprint(c, " version ", v, " generation ", s.Generation, " pending ", s.Pending != nil, " promise ", s.Promise != nil))
			return nil
		})
		if err != nil {
			o.Fatal(err)
		}
	}
	list = append(list, fmt.Sprint(len(events[rules.RunBegun](o)), len(events[rules.RunEnded](o)), len(events[rules.ReminderQueued](o))))
	for _, p := range events[rules.RunDecided](o) {
		for _, d := range p.Decisions {
			list = append(list, fmt.Sprint(p.Part, " ", d.Customer, " ", d.Why, " ", len(d.Steps)))
		}
		if len(p.Refused) > 0 {
			list = append(list, fmt.Sprint(p.Refused))
		}
	}
	return list
}

func inParts() Request { return Request{AsOf: day("07-03"), partMax: 1} }

func TestKilledAnywhereAndRepeatedIsOneRun(t *testing.T) {
	prepared := owing(t).shut()
	whole := again(t, prepared)
	if _, _, err := whole.tryRun(inParts()); err != nil {
		t.Fatal(err)
	}
	want := whole.outcome()
	whole.wantQueued(3)
	for _, written := range []bool{false, true} {
		for n, more := 1, true; more; n++ {
			o := again(t, prepared)
			o.store.appends, o.store.breaksAt, o.store.written = 0, n, written
			_, _, err := o.tryRun(inParts())
			if more = o.store.appends >= n; more && !errors.Is(err, eventstore.ErrUnavailable) {
				t.Fatalf("append %d broke, and the run says %v", n, err)
			}
			o.store.breaksAt = 0
			o.Books = o.wire() // another process
			for range 2 {
				if result, decisions, err := o.tryRun(inParts()); err != nil || result.Reminders != 3 || len(decisions) != 3 {
					t.Fatalf("append %d, written %v: %+v %v", n, written, result, err)
				}
			}
			if diff := cmp.Diff(want, o.outcome()); diff != "" {
				t.Fatalf("append %d, written %v:\n%s", n, written, diff)
			}
		}
	}
}

func TestTwoRunsAtOnceAreOneRun(t *testing.T) {
	prepared := owing(t).shut()
	whole := again(t, prepared)
	if _, _, err := whole.tryRun(inParts()); err != nil {
		t.Fatal(err)
	}
	want := whole.outcome()
	for range 3 {
		o := again(t, prepared)
		houses := []Books{o.Books, o.wire(), o.wire()}
		var group sync.WaitGroup
		for _, books := range houses {
			group.Go(func() {
				other := *o
				other.Books = books
				if result, _, err := other.tryRun(inParts()); err != nil || result.Reminders != 3 {
					t.Errorf("%+v %v", result, err)
				}
			})
		}
		group.Wait()
		if diff := cmp.Diff(want, o.outcome()); diff != "" {
			t.Fatal(diff)
		}
	}
}

// What changes between the decision and its being carried out is refused by the case, and the run tells of it.
func TestARefusalIsRecorded(t *testing.T) {
	o := owing(t)
	o.store.appends, o.store.breaksAt = 0, 3 // the first part is recorded, and nothing of it carried out
	if _, _, err := o.tryRun(inParts()); err == nil {
		t.Fatal("the run was not killed")
	}
	o.store.breaksAt = 0
	o.Books = o.wire()
	o.must(payment("C1", "07-03", 11000))
	result, decisions, err := o.tryRun(inParts())
	if err != nil || result.Refusals != 1 || !decisions["C1"].Reminds() {
		t.Fatalf("%+v %v", result, err)
	}
	refused := events[rules.RunDecided](o)[1].Refused
	if len(refused) != 1 || refused[0].Customer != "C1" || refused[0].Rule != rules.ErrNotNow.Rule || refused[0].Do != rules.Remind {
		t.Errorf("%+v", refused)
	}
	o.wantQueued(2)
}

func TestAMissedDayIsMadeGood(t *testing.T) {
	o := opened(t).must(invoice("C1", "I1", "06-30", 11000))
	if _, d := o.run("07-02"); d["C1"].Reminds() || d["C1"].Why != rules.WhyNotReached || d["C1"].AllowedFrom != day("07-03") {
		t.Errorf("%+v", d["C1"])
	}
	// nobody ran on the third
	if _, d := o.run("07-06"); !d["C1"].Reminds() || d["C1"].DaysOverdue != 6 {
		t.Errorf("%+v", d["C1"])
	}
}

// However long nobody ran, one level comes after the other.
func TestOneLevelAtATime(t *testing.T) {
	o := opened(t).must(invoice("C1", "I1", "05-10", 11000))
	var levels []rules.LevelID
	for _, on := range []string{"07-03", "07-04", "07-06", "07-07", "07-09"} {
		o.run(on)
		o.send(on)
	}
	for _, e := range events[rules.ReminderSent](o) {
		levels = append(levels, e.LevelID)
	}
	if diff := cmp.Diff([]rules.LevelID{"R1", "R2"}, levels); diff != "" { // R3 is the creditor's
		t.Error(diff)
	}
	if _, d := o.run("07-10"); d["C1"].Why != rules.WhyNeedsCreditor || d["C1"].LevelID != "R3" {
		t.Errorf("%+v", d["C1"])
	}
	result, _, err := o.tryRun(Request{AsOf: day("07-10"), As: rules.Creditor})
	if err != nil || result.Reminders != 1 {
		t.Fatalf("%+v %v", result, err)
	}
	if _, list := o.send("07-10"); len(list) != 1 || list[0].Outcome != Waits || list[0].Why != rules.WhyNeedsCreditor {
		t.Errorf("an agency's sending of the creditor's demand: %+v", list)
	}
	if result, _, err := o.trySend(SendRequest{On: day("07-10"), As: rules.Creditor}); err != nil || result.Sent != 1 {
		t.Errorf("%+v %v", result, err)
	}
}

func TestWhoPaidIsNotReminded(t *testing.T) {
	o := opened(t).must(
		invoice("C1", "I1", "06-30", 11000), payment("C1", "07-01", 11000),
		invoice("C2", "I2", "06-30", 11000), payment("C2", "07-01", 4000),
		invoice("C3", "I3", "06-30", 11000), account.OpenDispute{Key: account.Key(key("C3")), Dispute: "D", Invoice: "I3", OpenedOn: day("07-01"), Reason: account.Defective},
	)
	_, d := o.run("07-03")
	if _, asked := d["C1"]; asked {
		t.Errorf("C1 owes nothing: %+v", d["C1"])
	}
	if d["C3"].Reminds() || d["C3"].Why != rules.WhyDisputed || d["C3"].Disputed != yen(11000) {
		t.Errorf("%+v", d["C3"])
	}
	r := o.wantQueued(1)[0]
	if r.ToPay != yen(7000) || r.Items[0].Open != yen(7000) {
		t.Errorf("what remains is 7000: %+v", r)
	}
}

// Money that may be somebody's waits for its payer: who may have sent it is not reminded, by a run or by what a run has
// queued before the money came. Once it is found to be another's, he is.
func TestMoneyWithoutAPayer(t *testing.T) {
	came := func(id domain.ReceiptID, on, payer string, amount int64) receipt.RecordReceipt {
		return receipt.RecordReceipt{Key: receipt.Key{Seller: "midori", Receipt: id, ReceivedOn: day(on)}, Amount: yen(amount), Payer: payer}
	}
	o := opened(t).must(
		customer.ChangeCustomer{Key: customer.Key{Seller: "midori", Customer: "C2"}, Reason: "reading", Details: customer.Details{
			Name: "山田商事株式会社", Kana: "ヤマダショウジ", Contacts: []customer.Contact{{Email: "ar@c2.example"}},
		}},
		invoice("C1", "I1", "06-30", 11000), invoice("C2", "I2", "06-30", 22000), invoice("C3", "I3", "06-30", 33000),
		came("R1", "07-01", "ﾔﾏﾀﾞｼﾖｳｼﾞ(ｶ)ﾄｳｷﾖｳ", 500), came("R2", "07-02", "ｻﾄｳ", 33000))
	_, dry, err := o.tryRun(Request{AsOf: day("07-03"), DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	_, d := o.run("07-03")
	for name, d := range map[string]map[domain.CustomerID]rules.RunDecision{"dry": dry, "live": d} {
		if d["C1"].Why != rules.WhyLevelReached || !d["C1"].Unmatched.IsZero() {
			t.Errorf("%s: %+v", name, d["C1"])
		}
		for c, amount := range map[domain.CustomerID]int64{"C2": 500, "C3": 33000} {
			if d[c].Why != rules.WhyUnmatched || d[c].Unmatched != yen(amount) {
				t.Errorf("%s: %s: %+v", name, c, d[c])
			}
		}
	}
	if _, decision, err := Preview(t.Context(), o.Books, PreviewRequest{Key: key("C2"), AsOf: day("07-03")}); err != nil || decision.Why != rules.WhyUnmatched {
		t.Errorf("preview: %+v, %v", decision, err)
	}
	o.must(came("R3", "07-03", "ﾀﾅｶ", 11000)) // after the run
	if result, list := o.send("07-03"); len(list) != 1 || list[0].Drop != rules.DropUnmatched {
		t.Errorf("%+v %+v", result, list)
	}
	at := func(id domain.ReceiptID, on string) receipt.Key {
		return receipt.Key{Seller: "midori", Receipt: id, ReceivedOn: day(on)}
	}
	o.must(
		receipt.AssignReceipt{Key: at("R3", "07-03"), Customer: "C1"},
		receipt.AssignReceipt{Key: at("R1", "07-01"), Customer: "C3", Unapplied: true},
		receipt.ReturnReceipt{Key: at("R2", "07-02"), ReturnedOn: day("07-03"), Reason: "not ours"})
	o.run("07-04")
	asked := make(map[domain.Money]bool) // several debtors' reminders are queued at the same time, in any order
	for _, r := range o.wantQueued(3) {
		asked[r.ToPay] = true
	}
	if !asked[yen(11000)] || !asked[yen(22000)] || !asked[yen(32500)] { // the first was dropped
		t.Errorf("%v", asked)
	}
}

func TestEachCurrencyIsACase(t *testing.T) {
	dollars := account.Key{Seller: "midori", Customer: "C1", Currency: "USD"}
	p := steps()
	p.Levels[0].MinimumAmount = []domain.Money{yen(1000), domain.NewMoney(2000, "USD")}
	o := opened(t).must(policy(p), invoice("C1", "I1", "06-30", 11000),
		account.IssueInvoice{Key: dollars, Invoice: "U", Number: "U-1", IssuedOn: day("05-01"), DueOn: day("06-30"), Total: domain.NewMoney(1999, "USD")})
	o.run("07-03")
	if r := o.wantQueued(1)[0]; r.ToPay != yen(11000) {
		t.Errorf("%+v", r)
	}
	o.must(account.IssueInvoice{Key: dollars, Invoice: "U2", Number: "U-2", IssuedOn: day("05-01"), DueOn: day("06-30"), Total: domain.NewMoney(1, "USD")})
	o.run("07-04")
	if r := o.wantQueued(2)[1]; r.ToPay != domain.NewMoney(2000, "USD") {
		t.Errorf("%+v", r)
	}
}

// The day is the seller's: half past eleven in the evening in New York is the next day in Tokyo.
func TestTheDayIsTheSellers(t *testing.T) {
	o := opened(t).must(seller.RegisterSeller{Seller: "hudson", Settings: seller.Settings{
		Name: "Hudson", TimeZone: "America/New_York", BaseCurrency: "USD", Language: domain.English,
	}})
	o.now = time.Date(2026, 7, 3, 3, 30, 0, 0, time.UTC)
	for id, want := range map[domain.SellerID]string{"midori": "07-03", "hudson": "07-02"} {
		if result, err := Run(t.Context(), o.Books, Request{Seller: id, Actor: "x"}); err != nil || result.AsOf != day(want) {
			t.Errorf("%s: %+v %v", id, result, err)
		}
	}
}

func TestOldBankDataStopsARun(t *testing.T) {
	p := steps()
	p.BankDataMaxAge, p.OldBankData = 2, rules.StopOnOldData
	o := opened(t).must(policy(p), invoice("C1", "I1", "06-30", 11000), rules.RecordBankData{Seller: "midori", On: day("07-01"), Through: day("06-30")})
	if _, _, err := o.tryRun(Request{AsOf: day("07-03")}); !errors.Is(err, rules.ErrBankDataOld) {
		t.Errorf("want %s, got %v", rules.ErrBankDataOld.Rule, err)
	}
	if result, d, err := o.tryRun(Request{AsOf: day("07-03"), DryRun: true}); err != nil || len(result.Warnings) != 1 || d["C1"].Why != rules.WhyBankDataOld || d["C1"].BankDataOn != day("06-30") {
		t.Errorf("%+v %v", d, err)
	}
	o.must(rules.RecordBankData{Seller: "midori", On: day("07-03"), Through: day("07-02")})
	if result, _ := o.run("07-03"); result.Reminders != 1 || result.BankDataOn != day("07-02") || len(result.Warnings) > 0 {
		t.Errorf("%+v", result)
	}
	p.OldBankData = rules.WarnOnOldData
	o.must(policy(p))
	if result, _ := o.run("07-10"); len(result.Warnings) != 1 || result.Warnings[0] != rules.WhyBankDataOld {
		t.Errorf("%+v", result)
	}
}

func TestRunsOfNobody(t *testing.T) {
	o := opened(t)
	if _, err := Run(t.Context(), o.Books, Request{Seller: "nobody", AsOf: day("07-03"), Actor: "x"}); !errors.Is(err, rules.ErrUnknownSeller) {
		t.Errorf("%v", err)
	}
	if result, _ := o.run("07-03"); result.Debtors != 0 {
		t.Errorf("%+v", result)
	}
	o.must(invoice("C1", "I1", "06-30", 11000), rules.HoldDunning{
		Order: rules.Order{Key: key("C1"), On: day("07-01"), Acting: rules.Creditor}, Kind: rules.CreditorsHold, Until: day("07-31"), Reason: "wait",
	}, customer.ChangeCustomer{Key: customer.Key{Seller: "midori", Customer: "C2"}, Details: customer.Details{Name: "C2"}, Reason: "moved"}, invoice("C2", "I2", "06-30", 5000))
	_, d := o.run("07-04")
	if got := d["C1"]; got.Why != rules.WhyOnHold || got.Hold != rules.CreditorsHold || got.Until != day("07-31") || got.AllowedFrom != day("08-01") {
		t.Errorf("%+v", got)
	}
	if got := d["C2"]; got.Why != rules.WhyNoChannel {
		t.Errorf("%+v", got)
	}
}
