package httpapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// claim registers a customer with one invoice of a million yen.
func (h *house) claim(customer, due string, headers ...string) {
	h.t.Helper()
	h.must("customer-"+customer, "/v1/sellers/S/customers", `{"customer":"`+customer+`","name":"`+customer+` 商店","terms":{"kind":"NET","net_days":30}}`, headers...)
	h.must("invoice-"+customer, "/v1/sellers/S/invoices", fmt.Sprintf(`{"customer":%[1]q,"currency":"JPY","invoice":"I-%[1]s","number":"N-%[1]s","issued_on":"%[2]s","due_on":"%[2]s","total":{"amount":"1000000","currency":"JPY"}}`,
		customer, due), headers...)
}

func (h *house) pay(customer, day, amount string) {
	h.t.Helper()
	h.must("pay-"+customer+day, "/v1/sellers/S/payments", fmt.Sprintf(`{"customer":%[1]q,"currency":"JPY","payment":"P-%[2]s","received_on":%[2]q,"amount":{"amount":%[3]q,"currency":"JPY"},
		"allocations":[{"invoice":"I-%[1]s","amount":{"amount":%[3]q,"currency":"JPY"}}]}`, customer, day, amount))
}

// letter sends a reminder by registered letter.
func (h *house) letter(customer, day string) {
	h.t.Helper()
	path := "/v1/sellers/S/customers/" + customer + "/dunning/JPY/reminders"
	h.must("queue-"+customer, path, `{"on":"`+day+`","reminder":"R-1","acting":"CREDITOR","reason":"last demand"}`)
	h.must("send-"+customer, path+"/R-1/sending", `{"on":"`+day+`","acting":"CREDITOR","channel":"REGISTERED_LETTER","result":"ACCEPTED","text_hash":"`+strings.Repeat("0a", 32)+`"}`)
}

// furnishClaims: one claim that nothing was done about, one that was paid in part, two with a demand, the one late
// enough to matter.
func (h *house) furnishClaims() {
	h.t.Helper()
	h.furnish("S")
	h.must("policy", "/v1/sellers/S/dunning/policies", `{"policy":"default","on":"2026-01-01","language":"ja","reason":"agreed","levels":[
		{"level":"FINAL","days_after_due":60,"channel":"REGISTERED_LETTER","template":"final","tone":"FINAL","late_charge":"SHOWN","who":"CREDITOR"}]}`)
	for _, customer := range []string{"PLAIN", "PART", "DEMAND", "EARLY"} {
		h.claim(customer, "2026-09-30")
	}
	h.clock.Store(time.Date(2031, 9, 1, 0, 0, 0, 0, time.UTC).Unix())
	h.pay("PART", "2028-05-15", "1000")
	h.letter("DEMAND", "2031-08-01")
	h.letter("EARLY", "2031-01-10")
}

// The examples of the Civil Code's rules on limitation: five years from the due date, anew from a part payment, held up
// by a demand for six months, and warnings twelve, six and three months before.
func TestLimitationsByExample(t *testing.T) {
	h := open(t)
	h.furnishClaims()
	for _, c := range []struct{ day, customer, want string }{
		{"2030-09-29", "PLAIN", ""},
		{"2030-09-30", "PLAIN", "2031-09-30 IN_12_MONTHS"},
		{"2031-03-29", "PLAIN", "2031-09-30 IN_12_MONTHS"},
		{"2031-03-30", "PLAIN", "2031-09-30 IN_6_MONTHS"},
		{"2031-06-29", "PLAIN", "2031-09-30 IN_6_MONTHS"},
		{"2031-06-30", "PLAIN", "2031-09-30 IN_3_MONTHS"},
		{"2031-09-30", "PLAIN", "2031-09-30 IN_3_MONTHS"},
		{"2031-10-01", "PLAIN", "2031-09-30 LIMITATION_REACHED"},
		{"2032-05-14", "PART", ""},
		{"2032-05-15", "PART", "2033-05-15 IN_12_MONTHS"},
		{"2033-05-16", "PART", "2033-05-15 LIMITATION_REACHED"},
		{"2031-07-31", "DEMAND", "2031-09-30 IN_3_MONTHS"}, // the letter is not written yet
		{"2031-08-01", "DEMAND", "2032-02-01 IN_6_MONTHS"},
		{"2032-02-01", "DEMAND", "2032-02-01 IN_3_MONTHS"},
		{"2032-02-02", "DEMAND", "2032-02-01 LIMITATION_REACHED"},
		{"2031-01-10", "EARLY", "2031-09-30 IN_12_MONTHS"},
		{"2031-10-01", "EARLY", "2031-09-30 LIMITATION_REACHED"},
	} {
		rows, _ := rowsOf(t, h.get("/v1/sellers/S/limitations?customer="+c.customer+"&as_of="+c.day))
		got := ""
		for _, row := range rows {
			got += fmt.Sprint(row["limitation_on"], " ", row["status"])
		}
		if got != c.want {
			t.Errorf("%s as of %s: %q, want %q", c.customer, c.day, got, c.want)
		}
	}
}

// All of a seller's, the soonest first; what is paid or was not known at a moment is not there.
func TestLimitationsOfASeller(t *testing.T) {
	h := open(t)
	h.furnishClaims()
	h.claim("OLD", "2020-03-31")
	csv := func(query string) string {
		t.Helper()
		r := h.get("/v1/sellers/S/limitations?"+query, "Accept: text/csv")
		if r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return r.body
	}
	got := csv("as_of=2032-06-01")
	want := `customer,name,currency,invoice,number,due_on,open,limitation_on,status
OLD,OLD 商店,JPY,I-OLD,N-OLD,2020-03-31,1000000,,OLD_LAW
EARLY,EARLY 商店,JPY,I-EARLY,N-EARLY,2026-09-30,1000000,2031-09-30,LIMITATION_REACHED
PLAIN,PLAIN 商店,JPY,I-PLAIN,N-PLAIN,2026-09-30,1000000,2031-09-30,LIMITATION_REACHED
C1,テスト商店,JPY,I1,INV-2026-000001,2026-10-31,60000,2031-10-31,LIMITATION_REACHED
DEMAND,DEMAND 商店,JPY,I-DEMAND,N-DEMAND,2026-09-30,1000000,2032-02-01,LIMITATION_REACHED
PART,PART 商店,JPY,I-PART,N-PART,2026-09-30,999000,2033-05-15,IN_12_MONTHS
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	before := h.get("/v1/sellers/S/limitations?as_of=2032-06-01&customer=DEMAND", "Accept: text/csv").header.Get(positionHeader)
	h.pay("PLAIN", "2031-05-01", "1000000")
	if got := csv("as_of=2032-06-01&customer=PLAIN"); strings.Contains(got, "I-PLAIN") {
		t.Errorf("paid: %s", got)
	}
	if got := csv("as_of=2032-06-01&customer=PLAIN&known_at=" + before); !strings.Contains(got, "I-PLAIN") {
		t.Errorf("as known before the payment: %s", got)
	}
	queued := h.must("queue-DEMAND", "/v1/sellers/S/customers/DEMAND/dunning/JPY/reminders", `{"on":"2031-08-01","reminder":"R-1","acting":"CREDITOR","reason":"last demand"}`)
	if got := csv(fmt.Sprintf("as_of=2031-10-01&customer=DEMAND&known_at=%d", queued.receipt(t).Position)); !strings.Contains(got, "2031-09-30,LIMITATION_REACHED") {
		t.Errorf("as known before the letter was sent: %s", got)
	}
	for query, rule := range map[string]string{"customer=NOBODY": "views.unknown_customer", "known_at=99999": "views.beyond_log"} {
		if p := h.get("/v1/sellers/S/limitations?as_of=2032-06-01&" + query).problem(t); p.Rule != rule {
			t.Errorf("%s: %s", query, p.Rule)
		}
	}
}

// A part payment that was taken back acknowledges nothing.
func TestLimitationOfAPaymentTakenBack(t *testing.T) {
	h := open(t)
	h.furnishClaims()
	h.must("reverse", "/v1/sellers/S/payments/P-2028-05-15/reversal", `{"customer":"PART","currency":"JPY","on":"2028-05-20","reason":"another debtor's money"}`)
	rows, _ := rowsOf(t, h.get("/v1/sellers/S/limitations?customer=PART&as_of=2031-10-01"))
	if len(rows) != 1 || rows[0]["limitation_on"] != "2031-09-30" || rows[0]["open"] != "1000000" {
		t.Errorf("%v", rows)
	}
}

// lateCharges asks for what has accrued on a customer's one invoice.
func (h *house) lateCharges(customer, query string) LateCharges {
	h.t.Helper()
	r := h.get("/v1/sellers/S/customers/" + customer + "/late-charges?" + query)
	var out LateCharges
	if err := json.Unmarshal([]byte(r.body), &out); err != nil || r.status != 200 {
		h.t.Fatalf("%v: %d %s", err, r.status, r.body)
	}
	return out
}

// Worked examples: 31 days at 14.6 %, 267 days at the statutory rate, and a part payment in between.
func TestLateChargesByExample(t *testing.T) {
	h := open(t)
	h.furnish("S")
	h.claim("L1", "2026-09-30")
	h.claim("L8", "2026-06-30")
	h.pay("L8", "2026-07-31", "400000")
	h.must("c-L2", "/v1/sellers/S/customers", `{"customer":"L2","name":"L2","terms":{"kind":"NET","net_days":30}}`)
	h.must("i-L2", "/v1/sellers/S/invoices", `{"customer":"L2","currency":"JPY","invoice":"I-L2","issued_on":"2026-01-30","due_on":"2026-02-27","total":{"amount":"550000","currency":"JPY"}}`)
	for _, c := range []struct {
		customer, query string
		days, segments  int
		rate, accrued   string
	}{
		{"L1", "as_of=2026-10-31&rate=14.6", 31, 1, "14.6", "12400"},
		{"L1", "as_of=2026-10-01&rate=14.6", 1, 1, "14.6", "400"},
		{"L2", "as_of=2026-11-21", 267, 1, "3", "12069"},
		{"L8", "as_of=2026-07-31&rate=14.6", 31, 1, "14.6", "12400"},
		{"L8", "as_of=2026-09-30&rate=14.6", 92, 2, "14.6", "27040"},
	} {
		out := h.lateCharges(c.customer, c.query)
		if len(out.Items) != 1 || len(out.Totals) != 1 {
			t.Fatalf("%s %s: %+v", c.customer, c.query, out)
		}
		i := out.Items[0]
		if i.DaysLate != c.days || len(i.Segments) != c.segments || i.Rate.String() != c.rate || i.Accrued.Amount() != c.accrued || out.Totals[0] != i.Accrued {
			t.Errorf("%s %s: %+v", c.customer, c.query, out)
		}
	}
	if out := h.lateCharges("L1", "as_of=2026-09-30&rate=14.6"); len(out.Items) != 0 || len(out.Totals) != 0 {
		t.Errorf("on the due date: %+v", out)
	}
	if out := h.lateCharges("L1", "as_of=2026-10-31"); out.Items[0].DayCount != "CALENDAR_YEAR" || out.Items[0].Terms != "STATUTORY" || out.Items[0].Accrued.Amount() != "2547" {
		t.Errorf("without a rate: %+v", out)
	}
	if out := h.lateCharges("L1", "as_of=2028-03-31&rate=14.6&day_count=CALENDAR_YEAR"); out.Items[0].DayCount != "CALENDAR_YEAR" || out.Items[0].Terms != "GIVEN" || out.Items[0].Accrued.Amount() != "219100" {
		t.Errorf("by the calendar: %+v", out)
	}
}

// What is assessed does not accrue again, and bears no charge itself.
func TestLateChargesAfterAssessment(t *testing.T) {
	h := open(t)
	h.furnish("S")
	h.claim("L1", "2026-09-30")
	h.must("assess", "/v1/commands/AssessLateCharge", `{"seller":"S","customer":"L1","currency":"JPY","charge":"LC-1","invoice":"I-L1","rate":"14.6","to":"2026-10-10","on":"2026-10-10"}`)
	out := h.lateCharges("L1", "as_of=2026-10-31&rate=14.6")
	if len(out.Items) != 1 || out.Items[0].Accrued.Amount() != "8400" || out.Items[0].AssessedTo.String() != "2026-10-10" || out.Items[0].Number != "N-L1" {
		t.Errorf("%+v", out)
	}
	r := h.get("/v1/sellers/S/customers/L1/late-charges?as_of=2026-10-31&rate=14.6&currency=USD", "Accept: text/csv")
	if want := "invoice,number,due_on,days_late,rate,day_count,terms,capped_by,assessed_to,currency,open,accrued\n"; r.body != want {
		t.Errorf("no such account: %s", r.body)
	}
	for query, rule := range map[string]string{
		"rate=0": "rate.malformed", "rate=-1": "rate.malformed", "rate=x": "rate.malformed", "currency=XXX": "money.unknown_currency", "as_of=2026-02-30": "request.bad_parameter",
	} {
		if p := h.get("/v1/sellers/S/customers/L1/late-charges?" + query).problem(t); p.Rule != rule {
			t.Errorf("%s: %s", query, p.Rule)
		}
	}
	h.claim("LATER", "2029-03-31")
	r = h.get("/v1/sellers/S/customers/LATER/late-charges?as_of=2029-04-30")
	if p := r.problem(t); p.Rule != "rate.not_published" {
		t.Errorf("nobody knows the rate yet: %s", r.body)
	}
}

// What is agreed decides: a customer's own terms before the seller's, by the day on which the delay began, and no more
// than the law allows.
func TestLateChargesByContract(t *testing.T) {
	h := open(t)
	h.furnish("S")
	h.claim("L1", "2026-09-30")
	h.claim("L2", "2026-09-30")
	h.must("terms", "/v1/sellers/S/late-terms", `{"terms":[{"from":"2026-04-01","rate":"14.6"}],"reason":"general terms"}`)
	h.must("own", "/v1/sellers/S/customers/L2/late-terms", `{"terms":[{"from":"2026-10-01","rate":"18.25","cap":"CONSUMER"}],"reason":"a consumer"}`)
	if i := h.lateCharges("L1", "as_of=2026-10-31").Items[0]; i.Accrued.Amount() != "12400" || i.Terms != "SELLER" || i.DayCount != "ACT_365" || i.Agreed.String() != "14.6" || i.CappedBy != "" {
		t.Errorf("%+v", i)
	}
	if i := h.lateCharges("L2", "as_of=2026-10-31").Items[0]; i.Accrued.Amount() != "12400" || i.Terms != "CUSTOMER" || i.Agreed.String() != "18.25" || i.CappedBy != "CONSUMER" {
		t.Errorf("%+v", i)
	}
	if i := h.lateCharges("L2", "as_of=2026-10-31&rate=10").Items[0]; i.Accrued.Amount() != "8493" || i.Terms != "GIVEN" {
		t.Errorf("%+v", i)
	}
	if i := h.lateCharges("L1", "as_of=2028-03-31&day_count=CALENDAR_YEAR").Items[0]; i.Terms != "SELLER" || i.Accrued.Amount() != "219100" {
		t.Errorf("%+v", i)
	}
	h.must("assess", "/v1/sellers/S/late-charges", `{"customer":"L2","currency":"JPY","charge":"LC","invoice":"I-L2","to":"2026-10-31","on":"2026-10-31"}`)
	if i := h.lateCharges("L2", "as_of=2026-10-31").Items[0]; i.Accrued.Amount() != "0" || i.AssessedTo.String() != "2026-10-31" {
		t.Errorf("%+v", i)
	}
	if r := h.get("/v1/sellers/S"); !strings.Contains(r.body, `"late_terms":[{"from":"2026-04-01","rate":"14.6","day_count":"ACT_365"}]`) {
		t.Error(r.body)
	}
	if r := h.get("/v1/sellers/S/customers", "Accept: text/csv"); !strings.Contains(r.body, "2026-10-01: 18.25 % ACT_365 CONSUMER") {
		t.Error(r.body)
	}
}

func TestPayeesOverHTTP(t *testing.T) {
	h := open(t)
	h.furnish("S")
	account := `{"currency":"JPY","bank":"みどり銀行","bank_code":"0001","branch":"本店","branch_code":"001","kind":"ORDINARY","number":"0123456","holder":"ミドリ（カ"}`
	h.must("payees", "/v1/sellers/S/payees", `{"payees":[`+account+`],"reason":"new account"}`)
	if r := h.get("/v1/sellers/S"); !strings.Contains(r.body, `"number":"0123456","holder":"ﾐﾄﾞﾘ(ｶ"`) {
		t.Error(r.body)
	}
	if r := h.get("/v1/sellers/S", "Accept: text/csv"); !strings.Contains(r.body, "JPY みどり銀行 0001 本店 001 ORDINARY 0123456 ﾐﾄﾞﾘ(ｶ") {
		t.Error(r.body)
	}
	h.must("none", "/v1/sellers/S/payees", `{"reason":"closed"}`)
	if r := h.get("/v1/sellers/S"); strings.Contains(r.body, "payees") {
		t.Error(r.body)
	}
}
