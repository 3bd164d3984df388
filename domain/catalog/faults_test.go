package catalog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
)

// Whoever sends a command mends it once.
func TestEveryFaultAtOnce(t *testing.T) {
	_, err := catalog.Decode("IssueInvoice", []byte(`{
		"sellr": "midori",
		"customer": null,
		"currency": 392,
		"issued_on": "2026-02-30",
		"due_on": 20261130,
		"note": ["a", {"b": 1, "b": 2}],
		"a/b~c": true,
		"lines": [
			{"description": "x", "quantity": 1.5, "unit_price": "1e3", "tax_category": "STANDARD", "tax_rate": 10},
			7,
			{"description": "y", "quantity": "1", "quantity": "2", "tax_included": "yes"}
		],
		"total": {"amount": 110000, "currency": "JPY", "vat": "10"},
		"issued_on": "2026-02-28"
	}`))
	var got []string
	for _, e := range faults(err) {
		got = append(got, fmt.Sprintf("%s %s %s", e.Field, e.Rule, e.Detail))
	}
	want := []string{
		`/sellr command.malformed the command has no such member`,
		`/customer command.malformed null stands here; leave the member out`,
		`/currency command.malformed the number 392 stands here; write it as a string, such as "JPY"`,
		`/issued_on date.malformed "2026-02-30"`,
		`/due_on date.malformed the number 20261130 stands here; write it as a string, such as "2026-06-30"`,
		`/note command.malformed a list stands where a string belongs`,
		`/a~1b~0c command.malformed the command has no such member`,
		`/lines/0/quantity number.malformed the number 1.5 stands here; write it as a string, such as "1.5"`,
		`/lines/0/unit_price number.malformed "1e3"`,
		`/lines/0/tax_rate rate.malformed the number 10 stands here; write it as a string, such as "10"`,
		`/lines/1 command.malformed the number 7 stands where an object belongs`,
		`/lines/2/quantity command.malformed the member stands twice`,
		`/lines/2/tax_included command.malformed a string stands where true or false belongs`,
		`/lines/2/unit_price input.missing `,
		`/lines/2/tax_category input.missing `,
		`/lines/2/tax_rate input.missing `,
		`/total/amount command.malformed the number 110000 stands here; write it as a string, such as "110000"`,
		`/total/vat command.malformed the command has no such member`,
		`/issued_on command.malformed the member stands twice`,
		`/seller input.missing `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Text that is no JSON is one fault, which tells the byte, whatever stood before it.
func TestNoJSON(t *testing.T) {
	for text, at := range map[string]string{
		`{"sellr":1,"lines":[}`:        "at byte 20",
		`{"sellr":1,"a":1} {}`:         "at byte 18",
		`{"sellr":1,"note":"\x"}`:      "at byte 19",
		"{\"sellr\":1,\"a\":\"\xff\"}": "at byte 16",
		``:                             "at byte 0",
	} {
		_, err := catalog.Decode("IssueInvoice", []byte(text))
		if list := faults(err); len(list) != 1 || list[0].Rule != catalog.ErrBadJSON.Rule || !strings.Contains(list[0].Detail, at) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What the rules fill in is not missing; what a slip left out never becomes zero.
func TestMissing(t *testing.T) {
	for _, c := range []struct{ name, text, faults string }{
		{"RegisterSeller", `{"seller":"S1","name":"x","time_zone":"UTC","base_currency":"JPY","color":1}`, "/color /language"},
		{"RegisterSeller", `{"seller":"S1","name":"x","time_zone":"UTC","base_currency":"JPY","language":"ja"}`, ""},
		{"RegisterSeller", `{"seller":"S1"}`, "/name /time_zone /base_currency /language"},
		{
			"IssueInvoice", `{"seller":"S1","customer":"C1","currency":"JPY","issued_on":"2026-06-30","lines":[` +
				`{"description":"a","quantity":"0","unit_price":"0","tax_category":"STANDARD","tax_rate":"0"},` +
				`{"description":"b","quantity":"1","tax_category":"STANDARD"}]}`, "/lines/1/unit_price /lines/1/tax_rate",
		},
	} {
		_, err := catalog.Decode(c.name, []byte(c.text))
		var fields []string
		for _, e := range faults(err) {
			fields = append(fields, e.Field)
		}
		if got := strings.Join(fields, " "); got != c.faults {
			t.Errorf("%s: %q, want %q", c.text, got, c.faults)
		}
	}
}

func TestFaultsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `"m%d":%d,`, i, i)
	}
	_, err := catalog.Decode("VoidInvoice", []byte(`{`+b.String()+`"seller":"S1","customer":"C1","currency":"JPY","invoice":"I1","on":"2026-06-30"}`))
	list := faults(err)
	last := list[len(list)-1]
	if len(list) != catalog.FaultsMax+1 || list[99].Field != "/m99" || last.Detail != "4901 more faults" || last.Field != "" {
		t.Errorf("%d faults, the last %v", len(list), last)
	}
	_, err = catalog.Decode("VoidInvoice", []byte(`{"`+strings.Repeat("/", 100_000)+`":1,"note":"`+strings.Repeat("x", 100_000)+`","on":`+strings.Repeat("1", 100_000)+`}`))
	if err == nil || len(err.Error()) > 3000 {
		t.Errorf("%d bytes", len(err.Error()))
	}
}

// What the path of a request has named may be left out of the command, and can't be said otherwise.
func TestDecodeWith(t *testing.T) {
	path := map[string]string{"seller": "S1", "customer": "C1", "currency": "JPY", "invoice": "I1", "color": "red", "": "x"}
	want := account.VoidInvoice{
		Key: account.Key{Seller: "S1", Customer: "C1", Currency: "JPY"}, Invoice: "I1",
		VoidOn: domain.NewDate(2026, 6, 30), Reason: "twice",
	}
	for name, text := range map[string]string{
		"left out":  `{"on":"2026-06-30","reason":"twice"}`,
		"the same":  `{"seller":"S1","customer":"C1","currency":"JPY","invoice":"I1","on":"2026-06-30","reason":"twice"}`,
		"in escape": `{"seller":"\u00531","on":"2026-06-30","reason":"twice"}`,
	} {
		if c, err := catalog.DecodeWith("VoidInvoice", []byte(text), path); err != nil || c != catalog.Command(want) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	for _, c := range []struct {
		text   string
		faults []string
	}{
		{`{"seller":"S2","on":"2026-06-30","reason":"twice"}`, []string{"/seller command.path_differs"}},
		{`{"seller":"","on":"2026-06-30","reason":"twice"}`, []string{"/seller command.path_differs"}},
		{`{"seller":null,"on":"2026-06-30","reason":"twice"}`, []string{"/seller command.malformed"}},
		{`{"seller":"S1","seller":"S2","on":"2026-06-30","reason":"twice"}`, []string{"/seller command.malformed"}},
		{
			`{"reason":1,"invoice":"I2","color":"red","seller":"s1"}`,
			[]string{"/reason command.malformed", "/invoice command.path_differs", "/color command.malformed", "/seller command.path_differs", "/on input.missing"},
		},
	} {
		command, err := catalog.DecodeWith("VoidInvoice", []byte(c.text), path)
		var got []string
		for _, e := range faults(err) {
			got = append(got, e.Field+" "+e.Rule)
		}
		if diff := cmp.Diff(c.faults, got); diff != "" || command != nil {
			t.Errorf("%s: %+v (-want +got)\n%s", c.text, command, diff)
		}
	}
	// The path names the command's own members, not those of its parts.
	_, err := catalog.DecodeWith("RecordPayment", []byte(`{"received_on":"2026-06-30","amount":{"amount":"1","currency":"JPY"},"allocations":[{"invoice":"I2","amount":{"amount":"1","currency":"JPY"}}]}`), path)
	if err != nil {
		t.Error(err)
	}
	// A faulty part does not make it the path's affair either.
	_, err = catalog.DecodeWith("RecordPayment", []byte(`{"allocations":[{"invoice":"I2","amount":1},{"amount":"1"}]}`), path)
	if errors.Is(err, catalog.ErrPathDiffers) || len(faults(err)) != 5 {
		t.Error(err)
	}
	if _, err := catalog.DecodeWith("PayMe", []byte(`{}`), path); !errors.Is(err, catalog.ErrUnknownCommand) {
		t.Error(err)
	}
}
