package dunning

import (
	"fmt"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain/account"
	rules "github.com/urikake/urikake/domain/dunning"
)

// charging has a reminder queued by which a late charge of 2,465 yen, for 30 days at 3 %, will be owed.
func charging(t testing.TB) *office {
	p := steps()
	p.Levels[0].LateCharge, p.Levels[0].Who, p.Levels[0].Template = rules.LateChargeAssessed, rules.Creditor, "demand-2"
	o := opened(t).must(policy(p), invoice("C1", "I1", "06-03", 1_000_000), invoice("C1", "I2", "06-30", 100))
	for range 3 {
		if result, _, err := o.tryRun(Request{AsOf: day("07-03"), As: rules.Creditor}); err != nil || result.Reminders != 1 || result.Refusals != 0 {
			t.Fatalf("%+v %v", result, err)
		}
	}
	if r := o.wantQueued(1)[0]; r.ToPay != yen(1_000_100) || r.LateCharge != yen(2465) || len(events[account.LateChargeAssessed](o)) != 0 {
		t.Fatalf("%+v", r)
	}
	return o
}

var byCreditor = SendRequest{On: day("07-06"), As: rules.Creditor}

// A late charge that a level assesses is owed once the reminder is sent, in the amount that the letter names.
func TestALateChargeIsAssessedWhenItIsSent(t *testing.T) {
	o := charging(t)
	for range 2 {
		if _, _, err := o.trySend(byCreditor); err != nil {
			t.Fatal(err)
		}
	}
	charges := events[account.LateChargeAssessed](o)
	if len(charges) != 1 || charges[0].Invoice != "I1" || charges[0].Amount != yen(2465) || charges[0].To != day("07-03") || charges[0].AssessedOn != day("07-06") {
		t.Fatalf("%+v", charges)
	}
	sent := events[rules.ReminderSent](o)
	if len(sent) != 1 {
		t.Fatalf("%+v", sent)
	}
	if text := o.letterOf(sent[0].Reminder); !strings.Contains(text, "2,465円") {
		t.Errorf("the letter does not name the charge:\n%s", text)
	}
}

// What is dropped makes nothing owed.
func TestADroppedReminderAssessesNothing(t *testing.T) {
	o := charging(t).must(payment("C1", "07-03", 1_000_100))
	if result, _, err := o.trySend(byCreditor); err != nil || result.Dropped != 1 {
		t.Fatalf("%+v %v", result, err)
	}
	if charges := events[account.LateChargeAssessed](o); len(charges) != 0 {
		t.Errorf("%+v", charges)
	}
}

// Assessed by hand meanwhile, the letter would name another figure than is owed.
func TestAssessedMeanwhile(t *testing.T) {
	o := charging(t).must(account.AssessLateCharge{
		Key: account.Key(key("C1")), Charge: "LC", Invoice: "I1", Rate: 300, To: day("07-02"), AssessedOn: day("07-03"),
	})
	if _, list, err := o.trySend(byCreditor); err != nil || len(list) != 1 || list[0].Drop != rules.DropChanged {
		t.Fatalf("%+v %v", list, err)
	}
}

// Killed between any two writes and repeated, the charge is owed once, and the letter is out once.
func TestAChargeKilledAnywhere(t *testing.T) {
	prepared := charging(t).shut()
	for _, written := range []bool{false, true} {
		for n, more := 1, true; more; n++ {
			o := again(t, prepared)
			o.store.appends, o.store.breaksAt, o.store.written = 0, n, written
			_, _, err := o.trySend(byCreditor)
			if more = o.store.appends >= n; more && err == nil {
				t.Fatalf("append %d broke, and nobody says so", n)
			}
			o.store.breaksAt = 0
			o.Books = o.wire()
			for range 2 {
				if _, _, err := o.trySend(byCreditor); err != nil {
					t.Fatal(err)
				}
			}
			got := fmt.Sprint(len(events[account.LateChargeAssessed](o)), len(events[rules.ReminderDispatched](o)), len(events[rules.ReminderSent](o)))
			if got != "1 1 1" {
				t.Fatalf("append %d, written %v: %s charges, dispatches and sendings", n, written, got)
			}
			o.wantFiles(2)
		}
	}
}
