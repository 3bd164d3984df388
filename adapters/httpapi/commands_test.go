package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/urikake/urikake/domain/catalog"
)

func TestEveryCommandHasANoun(t *testing.T) {
	seen := make(map[string]bool)
	for _, n := range nouns {
		if _, err := catalog.Find(n.command); err != nil || seen[n.command] {
			t.Errorf("%s: %v, twice %v", n.command, err, seen[n.command])
		}
		seen[n.command] = true
		example := exampleOf(n.command)
		for _, name := range n.members() {
			if _, ok := example[name]; !ok {
				t.Errorf("%s has no member %s", n.command, name)
			}
		}
	}
	for _, c := range catalog.Commands() {
		if !seen[c.Name()] {
			t.Errorf("%s is served nowhere", c.Name())
		}
	}
}

const payment = `{"customer":"C1","currency":"JPY","received_on":"2026-11-01","amount":{"amount":"1000","currency":"JPY"}}`

func TestAKeyIsOneCommand(t *testing.T) {
	h := open(t)
	h.furnish("S")
	h.must("c2", "/v1/sellers/S/customers", `{"customer":"C2","name":"二","terms":{"kind":"NET","net_days":30}}`)
	path := "/v1/sellers/S/payments"
	first := h.must("bank-17", path, payment)
	again := h.must("bank-17", path, payment)
	if first.body != again.body || first.header.Get("ETag") != again.header.Get("ETag") || again.header.Get(ReplayedHeader) != "true" ||
		first.header.Get(ReplayedHeader) != "" {
		t.Errorf("first\n%s %v\nagain\n%s %v", first.body, first.header, again.body, again.header)
	}
	if byName := h.must("bank-17", "/v1/commands/RecordPayment", strings.Replace(payment, "{", `{"seller":"S",`, 1)); byName.body != first.body {
		t.Errorf("by its name it is another: %s", byName.body)
	}
	head, err := h.books.Store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]reply{
		"another amount":   h.post(path, strings.Replace(payment, "1000", "1001", 1), "Idempotency-Key: bank-17"),
		"another customer": h.post(path, strings.Replace(payment, "C1", "C2", 1), "Idempotency-Key: bank-17"),
		"another command":  h.post("/v1/sellers/S/customers/C2/deactivation", `{"reason":"x"}`, "Idempotency-Key: bank-17"),
	} {
		p := r.problem(t)
		if p.Status != http.StatusUnprocessableEntity || p.Rule != "command.id_reused" || len(p.Errors) != 1 || p.Errors[0].Parameter != "Idempotency-Key" {
			t.Errorf("%s: %s", name, r.body)
		}
	}
	if r := h.post(path, payment); r.problem(t).Rule != ErrKeyRequired.Rule || r.status != 422 {
		t.Errorf("without a key: %s", r.body)
	}
	if now, _ := h.books.Store.Head(t.Context()); now != head {
		t.Errorf("refusals wrote %d events", now-head)
	}
}

func TestIfMatch(t *testing.T) {
	h := open(t)
	h.furnish("S")
	read := h.get("/v1/sellers/S/invoices/I1?as_of=2026-11-25")
	tag := read.header.Get("ETag")
	if read.status != 200 || tag == "" {
		t.Fatalf("%d %s %s", read.status, tag, read.body)
	}
	if r := h.get("/v1/sellers/S/invoices/I1?as_of=2026-11-25", "If-None-Match: "+tag); r.status != http.StatusNotModified || r.body != "" {
		t.Errorf("unchanged: %d %s", r.status, r.body)
	}
	paid := h.must("k1", "/v1/sellers/S/payments", payment, "If-Match: "+tag)
	if r := h.post("/v1/sellers/S/payments", payment, "Idempotency-Key: k2", "If-Match: "+tag); r.status != http.StatusPreconditionFailed || r.problem(t).Rule != "log.wrong_version" {
		t.Errorf("stale: %d %s", r.status, r.body)
	}
	h.must("k3", "/v1/sellers/S/payments", payment, "If-Match: "+paid.header.Get("ETag"))
	if r := h.get("/v1/sellers/S/invoices/I1?as_of=2026-11-25", "If-None-Match: "+tag); r.status != 200 {
		t.Errorf("changed: %d %s", r.status, r.body)
	}
	for _, bad := range []string{"12", `"x"`, `"-1"`, "*", `""`} {
		if r := h.post("/v1/sellers/S/payments", payment, "Idempotency-Key: k4", "If-Match: "+bad); r.problem(t).Rule != ErrBadIfMatch.Rule {
			t.Errorf("%s: %s", bad, r.body)
		}
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	h := open(t)
	h.furnish("S")
	r := h.post("/v1/sellers/S/payments", `{"customer":"C1","currency":"JPY","recieved_on":"2026-11-01","amount":{"amount":1000,"currency":"JPY"},"method":null,"method":"X"}`, "Idempotency-Key: k")
	p := r.problem(t)
	got := make(map[string]string)
	for _, f := range p.Errors {
		got[f.Pointer] = f.Rule
	}
	for _, pointer := range []string{"/recieved_on", "/amount/amount", "/method", "/received_on"} {
		if got[pointer] == "" {
			t.Errorf("nothing is said of %s in %s", pointer, r.body)
		}
	}
	if p.Status != 422 {
		t.Errorf("%d", p.Status)
	}
	r = h.get("/v1/sellers/S/invoices?status=late&limit=0&issued_from=1.2.2026&wrong=1")
	if p := r.problem(t); p.Status != 422 || p.Errors[0].Parameter == "" {
		t.Errorf("%s", r.body)
	}
}

func TestThePathNamesMembers(t *testing.T) {
	h := open(t)
	h.furnish("S")
	void := `{"customer":"C1","currency":"JPY","on":"2026-11-02","reason":"twice"%s}`
	if r := h.post("/v1/sellers/S/invoices/I1/voiding", fmt.Sprintf(void, `,"invoice":"I2"`), "Idempotency-Key: k"); r.problem(t).Rule != "command.path_differs" {
		t.Errorf("%s", r.body)
	}
	if r := h.post("/v1/sellers/S/invoices/I1/voiding", fmt.Sprintf(void, `,"invoice":"I1"`), "Idempotency-Key: k"); r.status != http.StatusConflict {
		t.Errorf("a settled invoice is voided: %d %s", r.status, r.body)
	}
	if r := h.post("/v1/sellers/S/invoices/%2e%2e/voiding", fmt.Sprintf(void, ""), "Idempotency-Key: k"); r.status < 400 || r.status >= 500 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// Many clients send the same commands at once: each is done once, and all get the one answer.
func TestRepeatedAtOnce(t *testing.T) {
	h := open(t)
	h.furnish("S")
	before := h.get("/v1/sellers/S/customers/C1/accounts/JPY?as_of=2026-11-25")
	const clients, commands = 8, 20
	bodies := make([][clients]string, commands)
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for n := range commands {
				bodies[n][client] = h.must(fmt.Sprint("once-", n), "/v1/sellers/S/payments", payment).body
			}
		})
	}
	wg.Wait()
	for n, answers := range bodies {
		for _, body := range answers {
			if body != answers[0] {
				t.Errorf("command %d: %s and %s", n, answers[0], body)
			}
		}
	}
	after := h.get("/v1/sellers/S/customers/C1/accounts/JPY?as_of=2026-11-25")
	var a, b struct{ Version int }
	if err := json.Unmarshal([]byte(before.body), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(after.body), &b); err != nil || b.Version != a.Version+commands {
		t.Errorf("%v: from version %d to %d", err, a.Version, b.Version)
	}
}

func TestBatch(t *testing.T) {
	h := open(t)
	h.furnish("S")
	item := func(key, amount string) string {
		return fmt.Sprintf(`{"name":"RecordPayment","idempotency_key":%q,"command":{"seller":"S","customer":"C1","currency":"JPY","received_on":"2026-11-01","amount":{"amount":%q,"currency":"JPY"}}}`, key, amount)
	}
	outcomes := func(r reply) (o BatchAnswer, statuses []int) {
		t.Helper()
		var raw struct {
			Done, Refused int
			Outcomes      []struct {
				Status  int
				Problem *Problem
				Receipt *struct{ Version uint64 }
			}
		}
		if err := json.Unmarshal([]byte(r.body), &raw); err != nil || r.status != 200 {
			t.Fatalf("%v: %d %s", err, r.status, r.body)
		}
		for _, one := range raw.Outcomes {
			statuses = append(statuses, one.Status)
			if (one.Status == 200) == (one.Problem != nil) || (one.Status == 200) != (one.Receipt != nil) {
				t.Errorf("%+v", one)
			}
		}
		return BatchAnswer{Done: raw.Done, Refused: raw.Refused}, statuses
	}
	alone := `{"commands":[` + item("a", "10") + "," + item("b", "-1") + "," + item("c", "30") + `]}`
	if o, s := outcomes(h.post("/v1/commands", alone)); fmt.Sprint(s) != "[200 422 200]" || o.Done != 2 || o.Refused != 1 {
		t.Errorf("%+v %v", o, s)
	}
	head, _ := h.books.Store.Head(t.Context())
	together := `{"together":"account","commands":[` + item("d", "10") + "," + item("e", "-1") + "," + item("f", "30") + `]}`
	r := h.post("/v1/commands", together)
	if o, s := outcomes(r); fmt.Sprint(s) != "[409 422 409]" || o.Done != 0 || !strings.Contains(r.body, ErrBatchRefused.Rule) {
		t.Errorf("%+v %v %s", o, s, r.body)
	}
	if now, _ := h.books.Store.Head(t.Context()); now != head {
		t.Errorf("a refused group wrote %d events", now-head)
	}
	together = strings.Replace(together, `"-1"`, `"20"`, 1)
	first := h.post("/v1/commands", together)
	if o, s := outcomes(first); fmt.Sprint(s) != "[200 200 200]" || o.Done != 3 {
		t.Errorf("%+v %v %s", o, s, first.body)
	}
	if again := h.post("/v1/commands", together); again.body != first.body {
		t.Errorf("again: %s", again.body)
	}
	for body, rule := range map[string]string{
		`{"commands":[]}`: ErrBatchSize.Rule, `{"commands":[{}],"x":1}`: "command.malformed", `{"together":"all","commands":[{"name":"x","command":{}}]}`: "input.unknown_value",
	} {
		if r := h.post("/v1/commands", body); r.problem(t).Rule != rule {
			t.Errorf("%s: %s", body, r.body)
		}
	}
}
