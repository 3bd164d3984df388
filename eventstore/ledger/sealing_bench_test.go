package ledger_test

import (
	"testing"

	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/privacy"
)

// BenchmarkSealing is what it takes to write and to read a payment with the payer's name, and one without.
func BenchmarkSealing(b *testing.B) {
	codec := ledger.Sealing(privacy.InMemory())
	paid := account.PaymentRecorded{
		Payment: "P-000001", ReceivedOn: day("2026-05-20"), Amount: jpy(110_000), Method: "TRANSFER", Reference: "20260520-000017",
		Basis: account.ByAgreement, Allocations: []account.Allocation{{Invoice: "INV-000001", Amount: jpy(110_000)}},
	}
	named := paid
	named.Payer = "ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ"
	for name, e := range map[string]account.PaymentRecorded{"named": named, "nameless": paid} {
		p, err := codec.Encode(e)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/write", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := codec.Encode(e)
				if err == nil {
					_, err = codec.Seal("account-S1.C1.JPY", "command", 0, p)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		if p.Data, err = codec.Seal("account-S1.C1.JPY", "command", 0, p); err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/read", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := codec.Decode(eventstore.Recorded{Proposed: p, Stream: "account-S1.C1.JPY", Version: 1, Position: 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
