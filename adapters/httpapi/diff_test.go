package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/projections"
)

// What became known of a day is told with the events that did it, to whoever may read history.
func TestDiff(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	h.furnish("T", admin)
	auditor := h.key(access.Auditor, "")
	h.must("late", "/v1/sellers/S/payments", `{"customer":"C1","currency":"JPY","payment":"P2","received_on":"2026-10-25","amount":{"amount":"20000","currency":"JPY"}}`, admin)
	before := h.get("/v1/sellers/S/balances?as_of=2026-10-31", auditor).header.Get(positionHeader)

	path := "/v1/sellers/S/diff?as_of=2026-10-31&from=0"
	rows, _ := rowsOf(t, h.get(path, auditor))
	var kinds []string
	for _, row := range rows {
		kinds = append(kinds, row["row"].(string))
	}
	if got := strings.Join(kinds, " "); got != "before event event event change after" {
		t.Errorf("%s: %v", got, rows)
	}
	if last := rows[len(rows)-1]; last["balance"] != "40000" || rows[0]["balance"] != "0" || rows[3]["balance"] != "-20000" || rows[4]["what"] != "3 events" {
		t.Errorf("%v", rows)
	}
	if rows, _ := rowsOf(t, h.get("/v1/sellers/S/diff?as_of=2026-10-31&from="+before, auditor)); len(rows) != 0 {
		t.Errorf("nothing happened since, and %v", rows)
	}
	if table := h.get(path, auditor, "Accept: text/plain").body; !strings.HasPrefix(table, "Changes of S as of 2026-10-31, from what was known at position 0 to position "+before+"\n") {
		t.Errorf("%.200s", table)
	}
	if got := h.get(path, h.key(access.Auditor, "T")); got.problem(t).Rule != ErrOtherSeller.Rule {
		t.Errorf("somebody else's auditor: %d %s", got.status, got.body)
	}
	for query, want := range map[string]string{
		"":                              ErrBadParameter.Rule,
		"from=soon":                     projections.ErrBadKnownAt.Rule,
		"from=1&to=99999":               projections.ErrBeyondLog.Rule,
		"from=99999":                    projections.ErrBeyondLog.Rule,
		"from=5&to=4":                   projections.ErrBadRange.Rule,
		"from=1&buckets=9,3":            projections.ErrBadBuckets.Rule,
		"from=1&customer=C9":            projections.ErrUnknownCustomer.Rule,
		"from=2026-10-01&to=2026-09-30": "",
	} {
		got := h.get("/v1/sellers/S/diff?as_of=2026-10-31&"+query, auditor)
		if want == "" {
			if got.status != http.StatusOK {
				t.Errorf("%s: %d %s", query, got.status, got.body)
			}
		} else if p := got.problem(t); p.Rule != want && (len(p.Errors) == 0 || p.Errors[0].Rule != want) {
			t.Errorf("%s: %s, want %s", query, got.body, want)
		}
	}
}
