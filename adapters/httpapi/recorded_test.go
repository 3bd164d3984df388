package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/domain/access"
)

// lines are what the trail tells of an operation.
func (h *house) lines(f trail.Filter) (list []trail.Line) {
	h.t.Helper()
	for l, err := range h.books.Trail.Find(h.t.Context(), f) {
		if err != nil {
			h.t.Fatal(err)
		}
		list = append(list, l)
	}
	return list
}

// linesOf are what the trail tells of a request; the end of an answer of known length comes after that was read.
func (h *house) linesOf(operation, request string) (own []trail.Line) {
	h.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		own = nil
		for _, l := range h.lines(trail.Filter{Operation: operation}) {
			if l.Request == request {
				own = append(own, l)
			}
		}
		if len(own) != 1 || own[0].Event != trail.Begun || time.Now().After(end) {
			return own
		}
	}
}

// Every operation that can be got is in the trail, or stands among those that show nobody's data; and none that is posted
// by who may write is.
func TestEveryReadIsRecorded(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	reading := []string{"preview-reminder", "simulate-dunning", "make-checkpoint", "compare-views", "anchor-trail"}
	for _, r := range routes(h.api) {
		id := r.op.OperationID
		want := (r.method == http.MethodGet || slices.Contains(reading, id)) && id != "list-views"
		got := h.send(r.method, filled(r.path, "S"), bodyOf(r, "S"), admin, "Idempotency-Key: t-"+id, "X-Request-Id: trail-"+id)
		own := h.linesOf(id, "trail-"+id)
		if want != (len(own) > 0) {
			t.Errorf("%s %s: recorded %d times, status %d", r.method, r.path, len(own), got.status)
			continue
		}
		if !want {
			continue
		}
		l := own[0]
		if l.Actor != "admin " || l.Key == "" || l.Role != access.Admin || l.Status != got.status || strings.Contains(r.path, "{seller}") && l.Seller != "S" {
			t.Errorf("%s: %+v", id, l)
		}
		if strings.Contains(r.path, "{customer}") && l.Path["customer"] != "C1" {
			t.Errorf("%s: of whom? %+v", id, l)
		}
		if l.Event == trail.Read && l.Bytes != int64(len(got.body)) || l.Event == trail.Begun && (len(own) != 2 || own[1].Event != trail.Ended || own[1].Of != l.Seq) {
			t.Errorf("%s: %d bytes; %+v", id, len(got.body), own)
		}
	}
}

func TestTrailTellsWhatWasAskedFor(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	h.furnish("T", admin)
	clerk, auditor, all := h.key(access.Clerk, "T"), h.key(access.Auditor, "S"), h.key(access.Auditor, "")
	h.get("/v1/sellers/S/aging?as_of=2026-10-31&customer=C1&known_at=4", clerk, "X-Actor: 水野", "Accept: text/csv")
	h.get("/v1/sellers/S/aging?as_of=2026-10-31&customer=C1&known_at=8", admin, "X-Actor: 水野", "Accept: text/csv")
	h.get("/v1/sellers/T/balances?as_of=nonsense"+strings.Repeat("x", 5000), admin)
	h.post("/v1/sellers/S/dunning/preview", `{"customer":"C1","currency":"JPY","as_of":"2026-11-30"}`, admin)
	h.send(http.MethodHead, "/v1/sellers/S/balances", "", admin)

	var told []string
	for _, l := range h.lines(trail.Filter{}) {
		told = append(told, strings.Join(TrailCells(l)[2:], "|"))
	}
	all1 := strings.Join(told, "\n")
	for _, want := range []string{
		"read|水野 (clerk T)|", "|clerk|S|get-aging|as_of=2026-10-31 customer=C1 known_at=4||403|access.other_seller|",
		"read|水野 (admin )|", "|admin|S|get-aging|as_of=2026-10-31 customer=C1 known_at=8|text/csv|200||",
		"|admin|T|get-balances|as_of=nonsense" + strings.Repeat("x", 192) + "…||422|",
		"|preview-reminder|as_of=2026-11-30 currency=JPY customer=C1|",
		"|get-balances||application/json|200|||", // a head has no bytes
	} {
		if !strings.Contains(all1, want) {
			t.Errorf("%s is missing in\n%s", want, all1)
		}
	}
	if strings.Contains(all1, "urikake_") {
		t.Error("a secret stands in the trail")
	}

	if got := h.get("/v1/trail", clerk); got.problem(t).Rule != ErrForbidden.Rule {
		t.Errorf("a clerk reads the trail: %s", got.body)
	}
	mine := h.get("/v1/trail", auditor, "Accept: application/x-ndjson")
	if mine.status != http.StatusOK || strings.Contains(mine.body, `"seller": "T"`) || strings.Count(mine.body, `"seller": "S"`) < 4 || strings.Contains(mine.body, `"seller": ""`) {
		t.Errorf("%d %s", mine.status, mine.body)
	}
	for _, path := range []string{"/v1/trail?seller=T", "/v1/trail/lines"} {
		if got := h.get(path, auditor); got.problem(t).Rule != ErrOtherSeller.Rule {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if got := h.get("/v1/trail?operation=list-trail", all, "Accept: application/x-ndjson"); strings.Count(got.body, "\n") != 3 {
		t.Errorf("reading the trail: %s", got.body)
	}
	if got := h.get("/v1/trail?from=2026-11-26", all, "Accept: text/csv"); strings.Count(got.body, "\n") != 1 {
		t.Errorf("of tomorrow: %s", got.body)
	}
	if got := h.get("/v1/trail?to=yesterday", all); got.problem(t).Errors[0].Parameter != "to" {
		t.Errorf("%s", got.body)
	}

	raw := h.get("/v1/trail/lines", all)
	r, err := trail.Verify(trail.ReadLines(t.Context(), strings.NewReader(raw.body), ""), nil, nil)
	if err != nil || !r.OK || r.Lines < 10 {
		t.Errorf("%v %+v", err, r)
	}
}

// A follower has a line from the moment when he gets something, and one with the last position when he goes.
func TestFollowersAreRecorded(t *testing.T) {
	h := open(t)
	h.furnish("S")
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+"/v1/events?follow=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var position uint64
	for in := bufio.NewScanner(resp.Body); position < 4 && in.Scan(); {
		var e Event
		if json.Unmarshal(in.Bytes(), &struct{ Position *uint64 }{&e.Position}) == nil {
			position = e.Position
		}
	}
	if got := h.lines(trail.Filter{Operation: "read-events"}); len(got) != 1 || got[0].Event != trail.Begun {
		t.Fatalf("%+v", got)
	}
	leave()
	var got []trail.Line
	for deadline := time.Now().Add(30 * time.Second); len(got) < 2 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		got = h.lines(trail.Filter{Operation: "read-events"})
	}
	if len(got) != 2 || got[1].Event != trail.Ended || got[1].Of != got[0].Seq || uint64(got[1].Position) < 4 || got[1].Bytes == 0 {
		t.Errorf("%+v", got)
	}
}

// What can't be recorded is not shown, neither at once nor as it is read, and is served again once it can be.
func TestReadsWithoutATrailAreRefused(t *testing.T) {
	h := open(t)
	h.furnish("S")
	if err := os.WriteFile(filepath.Join(h.dir, "trail"), nil, 0o600); err != nil { // where its directory would be
		t.Fatal(err)
	}
	paths := []string{"/v1/sellers/S/aging", "/v1/sellers/S/customers/C1/history", "/v1/events", "/v1/events?follow=true", "/v1/sellers/S/customers/NOBODY/statement"}
	for _, path := range paths {
		got := h.get(path, "Accept: application/x-ndjson")
		if p := got.problem(t); p.Rule != trail.ErrUnavailable.Rule || p.Status != http.StatusServiceUnavailable || strings.Contains(got.body, "C1") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		if got.header.Get("ETag") != "" || got.header.Get(positionHeader) != "" {
			t.Errorf("%s: %v", path, got.header)
		}
	}
	h.must("still", "/v1/sellers/S/payments", `{"customer":"C1","currency":"JPY","payment":"P2","received_on":"2026-10-21","amount":{"amount":"1","currency":"JPY"}}`)
	if err := os.Remove(filepath.Join(h.dir, "trail")); err != nil {
		t.Fatal(err)
	}
	if got := h.get("/v1/sellers/S/aging"); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
	refused := 0
	for _, l := range h.lines(trail.Filter{}) {
		refused += l.Refused
	}
	if refused != len(paths) {
		t.Errorf("%d are told of", refused)
	}
}
