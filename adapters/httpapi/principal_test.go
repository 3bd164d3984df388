package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/catalog"
)

// route is one operation of the description.
type route struct {
	method, path string
	op           *huma.Operation
}

func routes(a *API) (list []route) {
	for path, item := range a.huma.OpenAPI().Paths {
		if item.Get != nil {
			list = append(list, route{http.MethodGet, path, item.Get})
		}
		if item.Post != nil {
			list = append(list, route{http.MethodPost, path, item.Post})
		}
	}
	return list
}

// filled puts a seller and examples of ids into a path.
func filled(path, seller string) string {
	return strings.NewReplacer("{seller}", seller, "{customer}", "C1", "{invoice}", "I1", "{payment}", "P1", "{currency}", "JPY",
		"{name}", "RecordPayment", "{key}", "K1", "{credit}", "N1", "{dispute}", "D1", "{charge}", "L1", "{write_off}", "W1",
		"{reminder}", "R1", "{hold}", "H1", "{promise}", "PR1", "{plan}", "PL1", "{run}", "RUN1", "{policy}", "default").Replace(path)
}

// bodyOf is a body that is about a seller, for the route.
func bodyOf(r route, seller string) string {
	if r.method == http.MethodGet {
		return ""
	}
	for _, n := range nouns {
		if n.path == r.path {
			example := without(exampleOf(n.command), n.members())
			if n.path == "/v1/sellers" {
				example["seller"] = seller
			}
			b, _ := json.Marshal(example)
			return string(b)
		}
	}
	payment := strings.Replace(payment, "{", `{"seller":"`+seller+`",`, 1)
	switch r.path {
	case "/v1/commands/{name}":
		return payment
	case "/v1/commands":
		return `{"commands":[{"name":"RecordPayment","idempotency_key":"b","command":` + payment + `}]}`
	}
	return "{}"
}

// A key of one seller gets nothing of another on any route: neither figures, nor whether it exists.
func TestSellersAreApart(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	h.furnish("T", admin)
	head, _ := h.books.Store.Head(t.Context())
	mine := h.key(access.Admin, "S") // an admin of one seller: nothing but the seller stands in the way
	for _, r := range routes(h.api) {
		var answers []string
		for _, other := range []string{"T", "NOBODY"} {
			path := filled(r.path, other)
			if r.path == eventsPath || r.path == "/v1/trail" {
				path += "?seller=" + other
			}
			got := h.send(r.method, path, bodyOf(r, other), mine, "Idempotency-Key: guess")
			if got.status == http.StatusOK && r.path == "/v1/commands" { // each command has its own outcome
				if !strings.Contains(got.body, `"status":403`) || !strings.Contains(got.body, ErrOtherSeller.Rule) {
					t.Errorf("%s %s: %s", r.method, path, got.body)
				}
				continue
			}
			if r.method == http.MethodGet && r.path == "/v1/sellers" {
				if got.status != http.StatusOK || !strings.Contains(got.body, `"S"`) || strings.Contains(got.body, `"T"`) {
					t.Errorf("%s: %s", path, got.body)
				}
				continue
			}
			p := got.problem(t)
			if p.Status != http.StatusForbidden || p.Rule != ErrOtherSeller.Rule {
				t.Errorf("%s %s: %s", r.method, path, got.body)
			}
			p.RequestID = ""
			b, _ := json.Marshal(p)
			answers = append(answers, string(b))
		}
		if len(answers) == 2 && answers[0] != answers[1] {
			t.Errorf("%s %s tells what exists: %s and %s", r.method, r.path, answers[0], answers[1])
		}
	}
	if got := h.get("/metrics", mine); got.problem(t).Rule != ErrOtherSeller.Rule {
		t.Errorf("metrics: %s", got.body)
	}
	events := h.get("/v1/events", mine)
	if strings.Contains(events.body, "-T") || strings.Contains(events.body, "access-") || strings.Count(events.body, `"stream":"account-S.C1.JPY"`) != 2 {
		t.Errorf("events: %s", events.body)
	}
	if now, _ := h.books.Store.Head(t.Context()); now > head+3 { // the second key, and what RegisterSeller of its own might
		t.Errorf("%d events were written", now-head)
	}
}

// needed is what a route asks of a role.
func needed(r route) []access.Permission {
	for _, n := range nouns {
		if n.path == r.path && r.method == http.MethodPost {
			example, _ := catalog.Example(n.command)
			c, err := catalog.Decode(n.command, example)
			if err != nil {
				panic(err)
			}
			return catalog.Needs(c)
		}
	}
	return []access.Permission{neededOutside(r.op.OperationID)}
}

func neededOutside(operation string) access.Permission {
	switch operation {
	case "send-command", "send-commands":
		return access.WritePayments
	case "get-history":
		return access.ReadHistory
	case "read-events":
		return access.ReadEvents
	case "list-keys":
		return access.ReadKeys
	case "create-key", "revoke-key":
		return access.ManageKeys
	case "get-checkpoint", "make-checkpoint", "list-checkpoints", "get-proof", "get-consistency", "compare-views", "list-trail", "get-trail-lines", "anchor-trail", "list-trail-anchors":
		return access.ReadAudit
	case "get-backup":
		return access.TakeBackup
	case "list-views":
		return access.ReadMetrics
	case "rebuild-views":
		return access.ManageViews
	case "import-receivables":
		return access.WriteImports
	case "run-dunning", "send-reminders":
		return access.WriteDunning
	}
	return access.ReadReports
}

// Every role on every route: it is forbidden exactly where the role may not.
func TestRolesOnEveryRoute(t *testing.T) {
	h := open(t)
	h.furnish("S", h.key(access.Admin, ""))
	for _, role := range access.Roles {
		key := h.key(role, "")
		for _, r := range routes(h.api) {
			got := h.send(r.method, filled(r.path, "S"), bodyOf(r, "S"), key, "Idempotency-Key: "+string(role)+r.op.OperationID)
			forbidden := got.status == http.StatusForbidden || r.op.OperationID == "send-commands" && strings.Contains(got.body, `"status":403`)
			may := !slices.ContainsFunc(needed(r), func(p access.Permission) bool { return !role.May(p) })
			if forbidden == may {
				t.Errorf("%s %s %s: may %v, got %d %.300s", role, r.method, r.path, may, got.status, got.body)
			}
		}
	}
	clerk := h.key(access.Clerk, "")
	upheld, _ := json.Marshal(exampleOf("ResolveDispute"))
	if got := h.post("/v1/commands/ResolveDispute", strings.Replace(string(upheld), "S0001", "S", 1), clerk, "Idempotency-Key: u"); got.problem(t).Rule != ErrForbidden.Rule {
		t.Errorf("a clerk gives credit by way of a dispute: %s", got.body)
	}
}

func TestKeys(t *testing.T) {
	h := open(t)
	for _, first := range []string{
		`{"holder":"x","role":"clerk"}`, `{"holder":"x","role":"admin","seller":"S"}`, `{"holder":"x","role":"admin","expires_at":"2030-01-01T00:00:00Z"}`,
	} {
		if r := h.post("/v1/keys", first); r.problem(t).Rule != ErrFirstKey.Rule {
			t.Errorf("%s would shut all out: %s", first, r.body)
		}
	}
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	if r := h.get("/v1/sellers"); r.status != http.StatusUnauthorized || r.header.Get("WWW-Authenticate") == "" || r.problem(t).Rule != ErrNoKey.Rule {
		t.Errorf("without a key: %d %s", r.status, r.body)
	}
	for _, wrong := range []string{"Bearer x", "Basic abc", admin[len("Authorization: "):] + "x", "Bearer urikake_AAAAAAAAAAAA_" + strings.Repeat("A", 43)} {
		if r := h.get("/v1/sellers", "Authorization: "+wrong); r.status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", wrong, r.status, r.body)
		}
	}
	r := h.post("/v1/keys", `{"holder":"Sato","role":"auditor","seller":"S","expires_at":"2026-11-26T00:00:00Z"}`, admin)
	var made AccessKey
	if err := json.Unmarshal([]byte(r.body), &made); err != nil || made.State != "active" {
		t.Fatalf("%v %s", err, r.body)
	}
	sato := "Authorization: Bearer " + made.Token
	if r := h.get("/v1/sellers/S/balances", sato); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	h.clock.Add(int64((24 * time.Hour).Seconds()))
	if r := h.get("/v1/sellers/S/balances", sato); r.status != http.StatusUnauthorized {
		t.Errorf("an expired key opens: %d", r.status)
	}
	clerk := h.key(access.Clerk, "S")
	list := h.get("/v1/keys", admin)
	if strings.Contains(list.body, "urikake_") || strings.Contains(list.body, "hash") || strings.Count(list.body, `"holder"`) != 3 || !strings.Contains(list.body, `"expired"`) {
		t.Errorf("%s", list.body)
	}
	var keys KeyList
	if err := json.Unmarshal([]byte(list.body), &keys); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys.Keys {
		if k.Role == access.Clerk {
			if r := h.post("/v1/keys/"+string(k.Key)+"/revocation", `{"reason":"left"}`, admin); r.status != 200 || !strings.Contains(r.body, `"revoked"`) {
				t.Errorf("%d %s", r.status, r.body)
			}
		}
	}
	if r := h.get("/v1/sellers/S/balances", clerk); r.status != http.StatusUnauthorized {
		t.Errorf("a revoked key opens: %d", r.status)
	}
}

// What opens the books can't be lost by a slip, nor made twice.
func TestKeysAreSafe(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	if r := h.post("/v1/keys", `{"holder":"x","role":"admin","expires_at":"0001-01-01T00:00:00Z"}`, admin); r.problem(t).Rule != access.ErrExpiryInPast.Rule {
		t.Errorf("a time that means none made a key for ever: %s", r.body)
	}
	var list KeyList
	if err := json.Unmarshal([]byte(h.get("/v1/keys", admin).body), &list); err != nil || len(list.Keys) != 1 {
		t.Fatalf("%v %+v", err, list)
	}
	if r := h.post("/v1/keys/"+string(list.Keys[0].Key)+"/revocation", `{"reason":"left"}`, admin); r.problem(t).Rule != ErrLastKey.Rule {
		t.Errorf("the last admin is gone: %s", r.body)
	}
	first := h.post("/v1/keys", `{"holder":"y","role":"clerk"}`, admin, "Idempotency-Key: key-1")
	again := h.post("/v1/keys", `{"holder":"y","role":"clerk"}`, admin, "Idempotency-Key: key-1")
	var a, b AccessKey
	if json.Unmarshal([]byte(first.body), &a) != nil || json.Unmarshal([]byte(again.body), &b) != nil || a.Key != b.Key || a.Token == "" || b.Token != "" || again.header.Get(ReplayedHeader) == "" {
		t.Errorf("first %s, again %s", first.body, again.body)
	}
	if r := h.post("/v1/keys", `{"holder":"z","role":"clerk"}`, admin, "Idempotency-Key: key-1"); r.problem(t).Rule != "command.id_reused" {
		t.Errorf("%s", r.body)
	}
	clerk := "Authorization: Bearer " + a.Token
	if r := h.get("/v1/events?kind=access.", clerk); r.status != 200 || strings.Contains(r.body, "access.key") {
		t.Errorf("a clerk reads who may do what: %s", r.body)
	}
	if r := h.get("/v1/events?kind=access.", admin); !strings.Contains(r.body, "access.key_created") {
		t.Errorf("an admin does not: %s", r.body)
	}
	accountant := h.key(access.Accountant, "")
	if r := h.send(http.MethodPost, "/v1/sellers/NEW/imports/receivables?currency=JPY", "customer,invoice,issued,due,amount\nC1,A-1,2026-05-01,2026-05-31,120\n", accountant, "Content-Type: text/csv"); r.problem(t).Rule != ErrForbidden.Rule {
		t.Errorf("an import registers a seller: %s", r.body)
	}
}

// A follower's feed ends with his key.
func TestAFeedEndsWithItsKey(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	clerk := h.key(access.Clerk, "S")
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/v1/events?follow=true", nil)
	name, value, _ := strings.Cut(clerk, ": ")
	req.Header.Set(name, value)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list KeyList
	if err := json.Unmarshal([]byte(h.get("/v1/keys", admin).body), &list); err != nil {
		t.Fatal(err)
	}
	for _, k := range list.Keys {
		if k.Role == access.Clerk {
			h.post("/v1/keys/"+string(k.Key)+"/revocation", `{"reason":"left"}`, admin)
		}
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, resp.Body)
		ended <- err
	}()
	select {
	case <-ended:
	case <-time.After(3 * keysEvery):
		t.Error("it goes on")
	}
}

// Who did what stands beside the events.
func TestActors(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	clerk := h.key(access.Clerk, "S")
	h.must("a1", "/v1/sellers/S/payments", payment, clerk, "X-Actor: mizuno", "X-Correlation-Id: run-7", "X-Causation-Id: mail-3")
	events := h.get("/v1/events?stream=account-S.C1.JPY&kind=account.payment_recorded", admin).body
	for _, want := range []string{`"actor":"mizuno (clerk S)"`, `"$correlationId":"run-7"`, `"$causationId":"mail-3"`} {
		if !strings.Contains(events, want) {
			t.Errorf("no %s in %s", want, events)
		}
	}
}

// Without keys the ledger answers this machine, and no page of another site that a browser on it has open.
func TestWithoutKeys(t *testing.T) {
	h := open(t)
	h.furnish("S")
	ask := func(change func(*http.Request)) reply {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/v1/commands/RecordPayment", strings.NewReader(`{}`))
		r.RemoteAddr = "127.0.0.1:5000"
		change(r)
		w := httptest.NewRecorder()
		h.api.ServeHTTP(w, r)
		return reply{w.Code, w.Header(), w.Body.String()}
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		rule   string
	}{
		"another machine":        {func(r *http.Request) { r.RemoteAddr = "192.0.2.7:5000" }, ErrOnlyLoopback.Rule},
		"a name that leads here": {func(r *http.Request) { r.Host = "books.example:8080" }, ErrForeignPage.Rule},
		"another site's page":    {func(r *http.Request) { r.Header.Set("Origin", "https://books.example") }, ErrForeignPage.Rule},
		"through a proxy":        {func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.9") }, ErrOnlyLoopback.Rule},
		"a page, by its fetch":   {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, ErrForeignPage.Rule},
	} {
		if r := ask(c.change); r.status != http.StatusForbidden || r.problem(t).Rule != c.rule {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := ask(func(*http.Request) {}); r.problem(t).Rule != "input.missing" && r.status != 422 {
		t.Errorf("this machine: %d %s", r.status, r.body)
	}
}

func TestEveryCommandNeedsWhatItsNameSays(t *testing.T) {
	for _, c := range catalog.Commands() {
		if len(catalog.Needs(c)) == 0 || catalog.Needs(c)[0] != access.PermissionOf(c.Name()) {
			t.Errorf("%s needs %v", c.Name(), catalog.Needs(c))
		}
	}
}
