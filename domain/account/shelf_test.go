package account

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
)

// A shelf is a map, however often things are packed, unpacked and left behind.
func TestShelfIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s shelf[domain.InvoiceID, item, *item]
		want := make(map[domain.InvoiceID]int64)
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			id := domain.InvoiceID(fmt.Sprintf("INV-%040d", rapid.IntRange(0, 60).Draw(t, "id")))
			open := int64(rapid.IntRange(0, 1).Draw(t, "open"))
			total := rapid.Int64Range(0, domain.MinorMax).Draw(t, "total")
			if it := s.use(id); it != nil {
				it.open, it.total = open, total
			} else {
				s.put(id, &item{id: id, open: open, total: total, issuedOn: domain.NewDate(2026, 4, 1)})
			}
			want[id] = total
			if rapid.Bool().Draw(t, "tidy") {
				s.tidy()
			}
		}
		s.tidy()
		got := make(map[domain.InvoiceID]int64)
		for id, it := range s.all() {
			got[id] = it.total
		}
		if !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		for id, total := range want {
			if it := s.get(id); it == nil || it.total != total || it.id != id || !s.has(id) {
				t.Fatalf("%s: got %+v, want a total of %d", id, it, total)
			}
			if loose := s.loose[id] != nil; loose == s.get(id).done() {
				t.Fatalf("%s: open %d, loose %v", id, s.get(id).open, loose)
			}
		}
		if s.has("INV-9") || s.get("INV-9") != nil || s.use("INV-9") != nil {
			t.Fatal("the shelf has what was never put there")
		}
	})
}

// What is packed comes back as it was.
func TestPackingKeepsEverything(t *testing.T) {
	on := domain.NewDate(2026, 4, 1)
	it := item{
		id: "A", charge: true, voided: true, issuedOn: on, dueOn: on.AddDays(30), total: domain.MinorMax, settled: domain.MinorMax,
		taxes: []portion{{net: -5, tax: -1, rate: 1460, category: 3, included: true}, {net: domain.MinorMax, category: 65535}},
		moves: timeline{{on, domain.MinorMax}, {on.AddDays(1), -domain.MinorMax}},
	}
	f := fund{on: on, amount: 7, applied: []application{{"A", 7, on.AddDays(2)}}, moves: timeline{{on, 7}, {on.AddDays(2), -7}}}
	var gotItem item
	gotItem.unpack("A", &unpacker{it.pack(nil)})
	var gotFund fund
	gotFund.unpack("P", &unpacker{f.pack(nil)})
	if fmt.Sprintf("%+v", gotItem) != fmt.Sprintf("%+v", it) || fmt.Sprintf("%+v", gotFund) != fmt.Sprintf("%+v", f) {
		t.Errorf("got\n%+v\n%+v\nwant\n%+v\n%+v", gotItem, gotFund, it, f)
	}
}
