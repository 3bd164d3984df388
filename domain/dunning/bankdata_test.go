package dunning_test

import (
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

func TestBankDataGoesForward(t *testing.T) {
	through := func(on, last string) dunning.RecordBankData {
		return dunning.RecordBankData{Seller: "midori", On: day(on), Through: day(last)}
	}
	recorded := func(on, last string) dunning.BankDataRecorded {
		return dunning.BankDataRecorded{Seller: "midori", RecordedOn: day(on), Through: day(last)}
	}
	s := policies(t)
	if !s.State().BankDataOn().IsZero() {
		t.Error("bank data before any was recorded")
	}
	s = s.
		When(dunning.RecordBankData{Seller: "midori", Through: day("07-03")}).RefusedAt(domain.ErrMissing, "/on").
		When(dunning.RecordBankData{Seller: "midori", On: day("07-03")}).RefusedAt(domain.ErrMissing, "/through").
		When(through("07-03", "07-04")).RefusedAt(dunning.ErrBankDataAhead, "/through").
		When(through("07-06", "07-03")).Then(recorded("07-06", "07-03")).
		When(through("07-07", "07-03")).RefusedAt(dunning.ErrNothingNew, "/through").
		When(through("07-07", "07-02")).RefusedAt(dunning.ErrBankDataBack, "/through").
		When(through("07-07", "07-07")).Then(recorded("07-07", "07-07"))
	if on := s.State().BankDataOn(); on != day("07-07") {
		t.Errorf("through %s", on)
	}
}
