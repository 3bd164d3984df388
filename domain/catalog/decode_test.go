package catalog_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/customer"
)

func TestDecode(t *testing.T) {
	c, err := catalog.Decode("WriteOff", []byte(` {"seller":"S1","customer":"C1","currency":"JPY","invoice":"I1","on":"2026-06-30",
		"amount":{"currency":"JPY","amount":"500"},"reason":"\u7834\u7523","approver":"A"} `))
	want := account.WriteOff{
		Key: account.Key{Seller: "S1", Customer: "C1", Currency: "JPY"}, Invoice: "I1",
		WriteOffOn: domain.NewDate(2026, 6, 30), Amount: domain.NewMoney(500, "JPY"), Reason: "破産", Approver: "A",
	}
	if err != nil || c != catalog.Command(want) {
		t.Errorf("%+v, %v", c, err)
	}
	// The names of free attributes are data: they may differ in case only.
	c, err = catalog.Decode("RegisterCustomer", []byte(`{"seller":"S1","customer":"C1","name":"x","attributes":{"Color":"a","color":"b"}}`))
	if err != nil || len(c.(customer.RegisterCustomer).Attributes) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
}

// faults are all refusals in an error.
func faults(err error) domain.Faults {
	var many domain.Faults
	many.Add("", err)
	return many
}

// Everything that is not the command to the letter is refused, and the refusal points to the member.
func TestDecodeRefuses(t *testing.T) {
	deep := strings.Repeat(`[`, 20_000) + strings.Repeat(`]`, 20_000)
	for name, c := range map[string]struct {
		command, data string
		want          *domain.Error
		field         string
	}{
		"unknown command":            {"PayMe", `{}`, catalog.ErrUnknownCommand, ""},
		"command in another case":    {"issueInvoice", `{}`, catalog.ErrUnknownCommand, ""},
		"a long name":                {strings.Repeat("\xff", 9999), `{}`, catalog.ErrUnknownCommand, ""},
		"no command":                 {"", `{}`, catalog.ErrUnknownCommand, ""},
		"a command of the ledger's":  {"ForfeitNumber", `{}`, catalog.ErrUnknownCommand, ""},
		"empty":                      {"IssueInvoice", ``, catalog.ErrBadJSON, ""},
		"blank":                      {"IssueInvoice", " \n", catalog.ErrBadJSON, ""},
		"null":                       {"IssueInvoice", `null`, catalog.ErrBadJSON, ""},
		"a list":                     {"IssueInvoice", `[]`, catalog.ErrBadJSON, ""},
		"a string":                   {"IssueInvoice", `"x"`, catalog.ErrBadJSON, ""},
		"cut short":                  {"IssueInvoice", `{"seller":"S1"`, catalog.ErrBadJSON, ""},
		"not JSON":                   {"IssueInvoice", `seller: S1`, catalog.ErrBadJSON, ""},
		"a comma too many":           {"IssueInvoice", `{"seller":"S1",}`, catalog.ErrBadJSON, ""},
		"two commands":               {"IssueInvoice", `{} {}`, catalog.ErrBadJSON, ""},
		"something after it":         {"IssueInvoice", `{} x`, catalog.ErrBadJSON, ""},
		"a rate of nothing":          {"AssessLateCharge", `{"rate":"0"}`, domain.ErrBadRate, "/rate"},
		"a rate of nothing at all":   {"AssessLateCharge", `{"rate":"0.00"}`, domain.ErrBadRate, "/rate"},
		"a negative rate":            {"AssessLateCharge", `{"rate":"-1"}`, domain.ErrBadRate, "/rate"},
		"a rate as a number":         {"AssessLateCharge", `{"rate":14.6}`, domain.ErrBadRate, "/rate"},
		"unknown member":             {"IssueInvoice", `{"sellr":"S1"}`, catalog.ErrBadJSON, "/sellr"},
		"unknown member in a line":   {"IssueInvoice", `{"lines":[{},{"vat":"10"}]}`, catalog.ErrBadJSON, "/lines/1/vat"},
		"a name that needs escaping": {"IssueInvoice", `{"a/b~":1}`, catalog.ErrBadJSON, "/a~1b~0"},
		"the Go name":                {"IssueInvoice", `{"Reference":"x"}`, catalog.ErrBadJSON, "/Reference"},
		"an embedded Go name":        {"IssueInvoice", `{"Key":{"seller":"S1"}}`, catalog.ErrBadJSON, "/Key"},
		"another case":               {"IssueInvoice", `{"Seller":"S1"}`, catalog.ErrBadJSON, "/Seller"},
		"another case within":        {"IssueInvoice", `{"lines":[{"Quantity":"1"}]}`, catalog.ErrBadJSON, "/lines/0/Quantity"},
		"a member twice":             {"IssueInvoice", `{"seller":"S1","seller":"S2"}`, catalog.ErrBadJSON, "/seller"},
		"twice, in another case":     {"IssueInvoice", `{"seller":"S1","SELLER":"S2"}`, catalog.ErrBadJSON, "/SELLER"},
		"twice, once escaped":        {"IssueInvoice", `{"seller":"S1","sell\u0065r":"S2"}`, catalog.ErrBadJSON, "/seller"},
		"twice within money":         {"IssueInvoice", `{"total":{"amount":"1","amount":"2","currency":"JPY"}}`, catalog.ErrBadJSON, "/total/amount"},
		"an attribute twice":         {"RegisterCustomer", `{"attributes":{"a":"1","a":"2"}}`, catalog.ErrBadJSON, "/attributes/a"},
		"null for a member":          {"IssueInvoice", `{"note":null}`, catalog.ErrBadJSON, "/note"},
		"null for money":             {"IssueInvoice", `{"total":null}`, catalog.ErrBadJSON, "/total"},
		"null for a line":            {"IssueInvoice", `{"lines":[null]}`, catalog.ErrBadJSON, "/lines/0"},
		"a number for a string":      {"IssueInvoice", `{"seller":1}`, catalog.ErrBadJSON, "/seller"},
		"an object for a list":       {"IssueInvoice", `{"lines":{}}`, catalog.ErrBadJSON, "/lines"},
		"a string for true":          {"IssueInvoice", `{"lines":[{"tax_included":"yes"}]}`, catalog.ErrBadJSON, "/lines/0/tax_included"},
		"a number for a decimal":     {"IssueInvoice", `{"lines":[{"quantity":1}]}`, domain.ErrBadDecimal, "/lines/0/quantity"},
		"a number for a rate":        {"IssueInvoice", `{"lines":[{"tax_rate":10}]}`, domain.ErrBadRate, "/lines/0/tax_rate"},
		"a number for a date":        {"IssueInvoice", `{"issued_on":20260630}`, domain.ErrBadDate, "/issued_on"},
		"a number for an amount":     {"IssueInvoice", `{"total":{"amount":1,"currency":"JPY"}}`, catalog.ErrBadJSON, "/total/amount"},
		"money without currency":     {"IssueInvoice", `{"total":{"amount":"1"}}`, domain.ErrBadAmount, "/total"},
		"half a yen":                 {"IssueInvoice", `{"total":{"amount":"0.5","currency":"JPY"}}`, domain.ErrTooFine, "/total"},
		"a day that is none":         {"IssueInvoice", `{"issued_on":"2026-02-30"}`, domain.ErrBadDate, "/issued_on"},
		"a fraction for a count":     {"SetPaymentTerms", `{"terms":{"net_days":1.5}}`, catalog.ErrBadJSON, "/terms/net_days"},
		"a count beyond 64 bits":     {"SetPaymentTerms", `{"terms":{"net_days":99999999999999999999}}`, catalog.ErrBadJSON, "/terms/net_days"},
		"half a surrogate pair":      {"IssueInvoice", `{"note":"\ud800"}`, catalog.ErrBadJSON, "/note"},
		"not UTF-8":                  {"IssueInvoice", "{\"note\":\"\xff\"}", catalog.ErrBadJSON, "/note"},
		"a list for a string":        {"IssueInvoice", `{"note":[[]]}`, catalog.ErrBadJSON, "/note"},
		"deep":                       {"IssueInvoice", `{"note":` + deep + `}`, catalog.ErrBadJSON, "/note" + strings.Repeat("/0", 97) + "/..."},
		"deep, unknown":              {"IssueInvoice", `{"x":` + deep + `}`, catalog.ErrBadJSON, "/x" + strings.Repeat("/0", 99) + "..."},
		"deep all over":              {"IssueInvoice", deep, catalog.ErrBadJSON, strings.Repeat("/0", 100) + "..."},
		"huge":                       {"IssueInvoice", `{"note":"` + strings.Repeat("x", catalog.SizeMax) + `"}`, domain.ErrTooLong, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := catalog.Decode(c.command, []byte(c.data))
			found := false
			for _, e := range faults(err) {
				found = found || e.Rule == c.want.Rule && e.Field == c.field
				if len(e.Error()) > 600 {
					t.Errorf("a refusal of %d bytes", len(e.Error()))
				}
			}
			if got != nil || !found {
				t.Errorf("%+v, %.300v", got, err)
			}
		})
	}
}

// FuzzDecodeCommand: no input panics, every refusal has a rule, what is accepted is written and read the same, and the
// slow reader finds a fault exactly where the fast one refuses.
func FuzzDecodeCommand(f *testing.F) {
	for _, c := range catalog.Commands() {
		data, err := catalog.Example(c.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(c.Name(), data)
	}
	f.Add("IssueInvoice", []byte(`{"total":{"amount":1,"amount":"2","x":{}},"seller":null,"lines":[{"tax_rate":[]},7],"a~/":{}}`))
	f.Add("RegisterCustomer", []byte(`{"attributes":{"a":"1","a":"2","b":null},"terms":{"net_days":1.5,"kind":{"a":1,"a":2}}}`))
	f.Add("IssueInvoice", []byte(`{"lines":[{"quantity":"-0.00"}],"total":{"amount":"-0","currency":"JPY"}}`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		c, err := catalog.Decode(name, data)
		if err != nil && c != nil {
			t.Fatalf("%v, %+v", err, c)
		}
		for _, e := range faults(err) {
			if e.Rule == "" || len(e.Error()) > 2000 {
				t.Fatal(e)
			}
		}
		if slow, ok := catalog.FindFaults(name, data); ok {
			if (len(slow) == 0) != (err == nil) || len(slow) > catalog.FaultsMax+1 {
				t.Fatalf("%s\nfast: %v\nslow: %v", data, err, slow)
			}
		}
		if bound, err := catalog.DecodeWith(name, data, map[string]string{"seller": "S1"}); err == nil {
			if encoded, _ := json.Marshal(bound); !strings.Contains(string(encoded), `"seller":"S1"`) {
				t.Fatalf("%s was sent to S1 and is %s", data, encoded)
			}
		}
		if err != nil {
			return
		}
		again := recode(t, c)
		twice := recode(t, again)
		if diff := cmp.Diff(again, twice, equalValues); diff != "" {
			t.Fatalf("%s\n%s", data, diff)
		}
		if a, ok := again.(account.Command); ok {
			_ = account.Check(account.WithID(a, "X")) // whatever it says, it must not panic
		}
	})
}

func recode(t *testing.T, c catalog.Command) catalog.Command {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	again, err := catalog.Decode(c.Name(), data)
	if err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return again
}

// equalValues compares what a value says, not how it is kept.
var equalValues = cmp.Options{
	cmp.Comparer(func(a, b domain.Decimal) bool { return a.Equal(b.Decimal) }),
	cmp.Comparer(func(a, b domain.Money) bool { return a == b }),
	cmp.Comparer(func(a, b domain.Date) bool { return a == b }),
}

// FuzzDecodeEvent: no bytes in the log make the program panic, and what is read is written and read the same.
func FuzzDecodeEvent(f *testing.F) {
	schemas := make(map[string]domain.Schema)
	for _, s := range catalog.Events() {
		schemas[s.Kind] = s
	}
	for _, s := range samples(f) {
		f.Add(s.kind, s.version, s.data)
	}
	f.Fuzz(func(t *testing.T, kind string, version int, data []byte) {
		s, ok := schemas[kind]
		if !ok {
			return
		}
		e, err := s.Decode(version, data)
		if err != nil {
			if !errors.Is(err, domain.ErrSchema) {
				t.Fatal(err)
			}
			return
		}
		encoded, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		if strings.Contains(string(encoded), `"currency":""`) {
			return // an amount was missing that every program has written: read as none, and none can't be written
		}
		again, err := s.Decode(s.Version, encoded)
		if err != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		second, err := json.Marshal(again)
		if err != nil || string(second) != string(encoded) {
			t.Fatalf("%s\n%s\n%v", encoded, second, err)
		}
	})
}

// The examples are good commands: each aggregate's own check lets them pass.
func TestExamples(t *testing.T) {
	entries, err := os.ReadDir("testdata/commands")
	if err != nil || len(entries) != len(catalog.Commands()) {
		t.Errorf("%d examples for %d commands, %v", len(entries), len(catalog.Commands()), err)
	}
	for _, empty := range catalog.Commands() {
		data, err := catalog.Example(empty.Name())
		if err != nil {
			t.Errorf("%s: %v", empty.Name(), err)
			continue
		}
		c, err := catalog.Decode(empty.Name(), data)
		if err != nil {
			t.Errorf("%s: %v", empty.Name(), err)
			continue
		}
		if reflect.TypeOf(c) != reflect.TypeOf(empty) {
			t.Errorf("%s decodes as %T", empty.Name(), c)
		}
		if err := shapeFault(c); err != nil {
			t.Errorf("%s: %v", empty.Name(), err)
		}
		encoded, err := json.Marshal(c)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(generic(t, data), generic(t, encoded)); diff != "" {
			t.Errorf("%s (-example +today):\n%s", empty.Name(), diff)
		}
	}
	if _, err := catalog.Example("../../seller.registered"); !errors.Is(err, catalog.ErrUnknownCommand) {
		t.Error(err)
	}
}
