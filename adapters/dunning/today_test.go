package dunning

import (
	"errors"
	"testing"

	"github.com/urikake/urikake/domain"
	rules "github.com/urikake/urikake/domain/dunning"
)

// Nobody knows who will have paid by a day that is still to come.
func TestFutureDaysAreRefused(t *testing.T) {
	o := queued(t)
	today := domain.DateOf(o.now)
	if _, err := Run(t.Context(), o.Books, Request{Seller: "midori", AsOf: today.AddDays(2), Actor: "x"}); !errors.Is(err, rules.ErrFutureDay) {
		t.Errorf("%v", err)
	}
	if _, err := Send(t.Context(), o.Books, SendRequest{Seller: "midori", On: today.AddDays(2), Outbox: o.outbox(), Actor: "x"}); !errors.Is(err, rules.ErrFutureDay) {
		t.Errorf("%v", err)
	}
	if _, err := Run(t.Context(), o.Books, Request{Seller: "midori", AsOf: today.AddDays(2), DryRun: true, Actor: "x"}); err != nil {
		t.Errorf("a dry run looks ahead: %v", err)
	}
}

// The last look is at the books of today, whatever day the letter is to have.
func TestTheLastLookIsAtToday(t *testing.T) {
	o := queued(t)
	o.reach(day("07-06"))
	o.must(payment("C1", "07-06", 16000))
	if result, list := o.send("07-03"); result.Sent != 0 || result.Dropped != 1 || list[0].Drop != rules.DropPaid {
		t.Errorf("%+v %+v", result, list)
	}
}

// A run as of a day before a reminder changes nothing of the case: it would be out of order.
func TestARunOfAnEarlierDay(t *testing.T) {
	o := queued(t)
	o.send("07-04")
	result, d := o.run("07-01")
	if result.Reminders != 0 || d["C1"].Why != rules.WhyEarlierDay || len(events[rules.CaseClosed](o)) != 0 {
		t.Errorf("%+v %+v", result, d["C1"])
	}
}
