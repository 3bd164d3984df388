package projections

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/eventstore"
)

func (b *books) receipts(asOf string, known eventstore.Position) (list []ReceiptRow) {
	b.t.Helper()
	r, err := b.views.Receipts(b.t.Context(), ReceiptsQuery{Seller: "S1", AsOf: day(asOf), KnownAt: KnownAt{Position: known}})
	if err != nil {
		b.t.Fatal(err)
	}
	return r.Rows
}

func TestReceipts(t *testing.T) {
	b := newBooks(t)
	b.register()
	c1 := customer.Key{Seller: "S1", Customer: "C1"}
	b.write(c1.Stream(), customer.Changed{Key: c1, Reason: "x", Details: customer.Details{Name: "株式会社山田商事", Kana: "ヤマダショウジ"}})
	second := issue("I2", "2026-01-01", "2026-01-31", 700)
	second.Customer = "C2"
	b.do(issue("I1", "2026-01-01", "2026-01-31", 1000), second)
	at := func(id domain.ReceiptID, on string) receipt.Key {
		return receipt.Key{Seller: "S1", Receipt: id, ReceivedOn: day(on)}
	}
	stream := receipt.Stream("S1", 2026)
	came := b.write(stream,
		receipt.Recorded{Key: at("R2", "2026-02-03"), Amount: yen(700), Payer: "ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ", Reference: "ref", Account: "0001-001-0123456"},
		receipt.Recorded{Key: at("R1", "2026-02-02"), Amount: yen(5), Payer: "ｽｽﾞｷ"},
		receipt.Recorded{Key: at("R3", "2026-02-02"), Amount: yen(9), Payer: "ﾀﾅｶ"})
	b.write(stream, receipt.Assigned{Key: at("R1", "2026-02-02"), Customer: "C2", Payment: "R1"})
	b.write(stream, receipt.Booked{Key: at("R1", "2026-02-02"), Customer: "C2", Payment: "R1"})
	b.write(stream, receipt.Returned{Key: at("R3", "2026-02-02"), ReturnedOn: day("2026-02-10"), Amount: yen(9), Reason: "x"})
	for _, c := range []struct {
		asOf  string
		known eventstore.Position
		want  string
	}{
		{"2026-02-01", 0, "[]"},
		{"2026-02-02", 0, "[R3]"}, // R1 was C2's from the day it came
		{"2026-02-03", 0, "[R3 R2]"},
		{"2026-02-10", 0, "[R2]"},
		{"2026-02-10", came, "[R1 R3 R2]"},     // as known before anybody found out
		{"2026-02-10", came + 1, "[R1 R3 R2]"}, // found, and not booked yet
		{"2026-02-10", came + 2, "[R3 R2]"},
		{"2026-02-10", came - 3, "[]"},
	} {
		var ids []domain.ReceiptID
		for _, r := range b.receipts(c.asOf, c.known) {
			ids = append(ids, r.Key.Receipt)
		}
		if got := fmt.Sprint(ids); got != c.want {
			t.Errorf("%s known at %d: %s, want %s", c.asOf, c.known, got, c.want)
		}
	}
	row := b.receipts("2026-02-10", 0)[0]
	if row.Amount != yen(700) || row.Payer != "ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ" || row.Reference != "ref" || row.Account != "0001-001-0123456" || row.Age != 7 {
		t.Errorf("%+v", row)
	}
	if want := []Candidate{{"C1", receipt.ByPayer}, {"C2", receipt.ByAmount}}; !slices.Equal(row.Candidates, want) {
		t.Errorf("%+v, want %+v", row.Candidates, want)
	}
	before := fmt.Sprint(b.receipts("2026-02-10", 0), b.receipts("2026-02-10", came))
	b.reopen()
	if after := fmt.Sprint(b.receipts("2026-02-10", 0), b.receipts("2026-02-10", came)); after != before {
		t.Errorf("was %s\nnow %s", before, after)
	}
	b.write(customer.Key{Seller: "S1", Customer: "C2"}.Stream(),
		customer.PayersErased{Key: customer.Key{Seller: "S1", Customer: "C2"}, On: day("2026-02-20"), Receipts: []customer.PaidReceipt{{Receipt: "R1", ReceivedOn: day("2026-02-02")}}})
	if list := b.receipts("2026-02-10", came); list[0].Payer != "" || list[1].Payer != "ﾀﾅｶ" {
		t.Errorf("who was erased is still known before that: %+v", list)
	}
	if _, err := b.views.Receipts(t.Context(), ReceiptsQuery{Seller: "S9", AsOf: lastDay}); !errors.Is(err, ErrUnknownSeller) {
		t.Error(err)
	}
	if _, err := b.views.Receipts(t.Context(), ReceiptsQuery{Seller: "S1"}); !errors.Is(err, domain.ErrMissing) {
		t.Error(err)
	}
}
