package httpapi

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/projections"
)

// issue books invoices I-0001 ... of one customer, a hundred in a request.
func (h *house) issue(customer string, from, to int) {
	h.t.Helper()
	for from < to {
		var items []string
		for n := from; n < min(from+100, to); n++ {
			items = append(items, fmt.Sprintf(`{"name":"IssueInvoice","idempotency_key":"%[1]s-%04[2]d","command":{"seller":"S","customer":%[1]q,"currency":"JPY","invoice":"%[1]s-%04[2]d","number":"%[1]s/%04[2]d","issued_on":"2026-%02[3]d-01","total":{"amount":"%[4]d","currency":"JPY"}}}`,
				customer, n, 1+n%9, 1000+n%7))
		}
		r := h.post("/v1/commands", `{"together":"account","commands":[`+strings.Join(items, ",")+`]}`)
		if r.status != 200 || strings.Contains(r.body, `"problem"`) {
			h.t.Fatalf("%d %.500s", r.status, r.body)
		}
		from += 100
	}
}

func rowsOf(t *testing.T, r reply) (rows []map[string]any, next string) {
	t.Helper()
	var answer struct {
		Rows []map[string]any
		Next string
	}
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil || r.status != 200 {
		t.Fatalf("%v: %d %.500s", err, r.status, r.body)
	}
	return answer.Rows, answer.Next
}

// Pages show what the first one knew while invoices arrive between them; all formats have the same rows.
func TestPagesWhileDataArrives(t *testing.T) {
	h := open(t)
	h.furnish("S")
	h.issue("C1", 0, 250)
	for _, sort := range []string{"issued_on", "-total", "number"} {
		path := "/v1/sellers/S/invoices?as_of=2026-11-25&sort=" + sort
		whole := h.get(path, "Accept: text/csv")
		table, err := csv.NewReader(strings.NewReader(whole.body)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, row := range table[1:] {
			want = append(want, row[3])
		}
		var got []string
		query := path + "&limit=40"
		for page := 0; ; page++ {
			rows, next := rowsOf(t, h.get(query))
			for _, row := range rows {
				got = append(got, row["invoice"].(string))
			}
			if next == "" {
				break
			}
			query = path + "&limit=40&cursor=" + next
			at := 1000*len(sort) + 10*page
			h.issue("C1", at, at+3)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: pages have %d rows, the whole has %d", sort, len(got), len(want))
		}
		if again := h.get(query[:strings.Index(query, "&cursor")] + "&status=open&cursor=" + query[strings.LastIndex(query, "=")+1:]); again.status != 422 || again.problem(t).Rule != "views.bad_cursor" {
			t.Errorf("a cursor with other filters: %d %s", again.status, again.body)
		}
	}
}

func TestFormats(t *testing.T) {
	h := open(t)
	h.furnish("S")
	h.issue("C1", 0, 300)
	for _, path := range []string{"aging", "aging?group_by=invoice", "aging?group_by=total", "balances", "invoices?all=true", "unapplied", "customers/C1/statement", "customers/C1/history", "customers", "invoices/I1", "customers/C1/accounts/JPY"} {
		path = "/v1/sellers/S/" + path
		counts := make(map[string]int)
		for _, accept := range []string{"text/csv", "application/x-ndjson", "text/plain", "application/json", "*/*"} {
			r := h.get(path, "Accept: "+accept)
			if r.status != 200 || !strings.Contains(strings.Join(r.header.Values("Vary"), ","), "Accept") {
				t.Fatalf("%s as %s: %d %v %.300s", path, accept, r.status, r.header, r.body)
			}
			switch kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";"); kind {
			case "text/csv":
				table, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
				if err != nil {
					t.Errorf("%s: %v", path, err)
				}
				counts[kind] = len(table) - 1
			case "application/x-ndjson":
				counts[kind] = strings.Count(r.body, "\n")
			case "application/json":
				var object map[string]any
				if err := json.Unmarshal([]byte(r.body), &object); err != nil {
					t.Errorf("%s: %v: %.300s", path, err, r.body)
				}
				if rows, ok := object["rows"].([]any); ok {
					counts[kind] = len(rows)
				} else {
					counts[kind] = -1
				}
			case "text/plain":
			default:
				t.Errorf("%s as %s: %s", path, accept, kind)
			}
		}
		if n := counts["text/csv"]; n != counts["application/x-ndjson"] || counts["application/json"] >= 0 && n != counts["application/json"] {
			t.Errorf("%s: %v", path, counts)
		}
		if r := h.get(path, "Accept: image/png"); r.status != http.StatusNotAcceptable || r.problem(t).Rule != ErrNotAccept.Rule {
			t.Errorf("%s as a picture: %d %s", path, r.status, r.body)
		}
	}
}

// What is refused while a long answer is put together is a problem, not half an answer.
func TestStreamsRefuseWhole(t *testing.T) {
	h := open(t)
	h.furnish("S")
	for path, rule := range map[string]string{
		"aging?group_by=invoice&customer=C9": "views.unknown_customer", "invoices?customer=C9&all=true": "views.unknown_customer",
		"aging?group_by=invoice&known_at=99999": "views.beyond_log", "invoices?all=true&sort=x": ErrBadParameter.Rule,
	} {
		r := h.get("/v1/sellers/S/"+path, "Accept: text/csv")
		if p := r.problem(t); p.Rule != rule || len(p.Errors) == 0 || p.Errors[0].Parameter == "" || r.header.Get("ETag") != "" {
			t.Errorf("%s: %d %v %s", path, r.status, r.header, r.body)
		}
	}
	if r := h.get("/v1/sellers/NOBODY/aging"); r.status != 404 || !strings.Contains(r.body, "there are: S") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestGzip(t *testing.T) {
	h := open(t)
	h.furnish("S")
	h.issue("C1", 0, 300)
	path := h.url + "/v1/sellers/S/invoices?all=true"
	req, _ := http.NewRequest(http.MethodGet, path, nil)
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("Accept", "text/csv")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%v", resp.Header)
	}
	unzip, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(unzip)
	if plain := h.get("/v1/sellers/S/invoices?all=true", "Accept: text/csv", "Accept-Encoding: identity"); err != nil || string(b) != plain.body {
		t.Errorf("%v: %d bytes, plain %d", err, len(b), len(plain.body))
	}
}

// A query that can't be read is refused: nobody gets the figures of another question.
func TestQueriesAreReadWhole(t *testing.T) {
	h := open(t)
	h.furnish("S")
	for _, query := range []string{"as_of=2026-01-01%zz", "customer=C1%zz", "known_at=5%", "as_of=", "customer=", "as_of=2026-01-01&as_of=2026-01-02", "a;b"} {
		if r := h.get("/v1/sellers/S/balances?" + query); r.status != 422 || r.problem(t).Rule != ErrBadParameter.Rule {
			t.Errorf("%s: %d %s", query, r.status, r.body)
		}
	}
}

// What was known then stays as it is, names too, until a customer is erased: then it is another answer.
func TestOnlyErasuresChangeWhatWasKnown(t *testing.T) {
	h := open(t)
	h.furnish("S")
	renamed := h.must("c2", "/v1/sellers/S/customers", `{"customer":"C2","name":"花子"}`).receipt(t).Position
	paths := []string{"balances?as_of=2026-11-25&", "customers/C1/accounts/JPY?as_of=2026-11-25&", "customers?", "customers/C2?", "customers/C1?"}
	tags := make(map[string]string)
	for i, path := range paths {
		paths[i] = fmt.Sprintf("/v1/sellers/S/%sknown_at=%d", path, renamed)
		tags[paths[i]] = h.get(paths[i]).header.Get("ETag")
	}
	h.must("rename", "/v1/sellers/S/customers/C2/details", `{"name":"新花子","reason":"married"}`)
	for _, path := range paths {
		if r := h.get(path, "If-None-Match: "+tags[path]); r.status != 304 || tags[path] == "" {
			t.Errorf("%s: %d %s, %q", path, r.status, r.body, tags[path])
		}
		if r := h.get(path); strings.Contains(r.body, "新花子") || strings.Contains(path, "C2") && !strings.Contains(r.body, "花子") {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	if r := h.get("/v1/sellers/S/customers/C2"); !strings.Contains(r.body, `"name":"新花子"`) {
		t.Errorf("now: %s", r.body)
	}
	h.must("erase", "/v1/commands/EraseCustomer", `{"seller":"S","customer":"C2","on":"2026-11-25","reason":"asked to be forgotten"}`)
	for _, path := range paths {
		if r := h.get(path, "If-None-Match: "+tags[path]); r.status != 200 || strings.Contains(r.body, "花子") {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if r := h.get("/v1/sellers/S/customers?known_at=2", "Accept: text/csv"); r.status != 200 || strings.Contains(r.body, "C2") {
		t.Errorf("before he was registered: %d %s", r.status, r.body)
	}
	for query, rule := range map[string]string{
		"customers/C2?known_at=2": projections.ErrUnknownCustomer.Rule, "customers?known_at=999": projections.ErrBeyondLog.Rule,
		"customers?known_at=soon": projections.ErrBadKnownAt.Rule, "customers/NOBODY": projections.ErrUnknownCustomer.Rule,
	} {
		if r := h.get("/v1/sellers/S/" + query); r.problem(t).Rule != rule {
			t.Errorf("%s: %d %s", query, r.status, r.body)
		}
	}
	past := h.get("/v1/sellers/S/customers/C1/accounts/JPY?as_of=2026-11-25&known_at=4").header.Get("ETag")
	if r := h.post("/v1/sellers/S/payments", payment, "Idempotency-Key: k", "If-Match: "+past); r.problem(t).Rule != ErrBadIfMatch.Rule {
		t.Errorf("a reading of the past stands for the present: %s %s", past, r.body)
	}
}

// A question with after= waits for what its sender has seen, and not for ever for what nobody has written.
func TestAfter(t *testing.T) {
	h := open(t)
	h.furnish("S")
	position := h.must("p", "/v1/sellers/S/payments", payment).receipt(t).Position
	path := "/v1/sellers/S/customers/C1/accounts/JPY?as_of=2026-11-25&after="
	if r := h.get(fmt.Sprint(path, position)); r.status != 200 || !strings.Contains(r.body, `"open":{"amount":"59000"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	answered := make(chan reply)
	go func() { answered <- h.get(fmt.Sprint(path, position+1)) }()
	select {
	case r := <-answered:
		t.Fatalf("it did not wait: %d %s", r.status, r.body)
	case <-time.After(100 * time.Millisecond):
	}
	h.must("q", "/v1/sellers/S/payments", payment)
	if r := <-answered; r.status != 200 || !strings.Contains(r.body, `"open":{"amount":"58000"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestHeadAndMethods(t *testing.T) {
	h := open(t)
	h.furnish("S")
	if r := h.send(http.MethodHead, "/v1/sellers/S/aging", ""); r.status != 200 || r.body != "" || r.header.Get("ETag") == "" {
		t.Errorf("%d %v %s", r.status, r.header, r.body)
	}
	if r := h.send(http.MethodDelete, "/v1/sellers/S/invoices", ""); r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("%d %v", r.status, r.header)
	}
	if r := h.get("/v2/sellers"); r.status != 404 || r.problem(t).Rule != ErrNoRoute.Rule {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := h.get("/healthz"); r.status != 200 || r.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", r.status, r.header)
	}
	if r := h.get("/metrics"); r.status != 200 || !strings.Contains(r.body, `urikake_commands_total{command="RecordPayment",outcome="done",rule=""} 1`) {
		t.Errorf("%d %.1000s", r.status, r.body)
	}
}
