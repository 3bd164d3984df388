package httpapi

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain/access"
)

const gentle = `{"policy":"default","on":"2026-10-01","language":"ja","levels":[
	{"level":"FIRST","days_after_due":1,"channel":"LETTER","template":"reminder-1","tone":"FRIENDLY","who":"AGENCY"},
	{"level":"FINAL","days_after_due":2,"channel":"REGISTERED_LETTER","template":"final","tone":"FINAL","who":"CREDITOR"}],"reason":"x"}`

// A debtor is reminded once, whatever is sent again, and what is written is written into the ledger's own outbox.
func TestDunningOverHTTP(t *testing.T) {
	h := open(t)
	h.furnish("S")
	base := "/v1/sellers/S/dunning"
	h.must("policy", base+"/policies", gentle)
	for range 2 {
		if r := h.post(base+"/runs", `{"as_of":"2026-11-10"}`); r.status != http.StatusOK || !strings.Contains(r.body, `"reminders":1,`) {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	if r := h.post(base+"/sendings", `{"on":"2026-11-10","outbox":"/tmp/elsewhere"}`); r.problem(t).Rule != "command.malformed" {
		t.Errorf("a request names a place: %s", r.body)
	}
	if r := h.post(base+"/sendings", `{"on":"2026-11-10"}`); !strings.Contains(r.body, `"sent":1,`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := h.post(base+"/sendings", `{"on":"2026-11-10"}`); !strings.Contains(r.body, `"sent":0,`) {
		t.Errorf("sent again: %d %s", r.status, r.body)
	}
	files, err := filepath.Glob(filepath.Join(h.outbox, "*", "letter.txt"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v: %v", err, files)
	}
	letter, err := os.ReadFile(files[0])
	if err != nil || !strings.Contains(string(letter), "残高 60,000円") { // what remains of 110000
		t.Errorf("%v: %s", err, letter)
	}
	run := h.get(base + "/decisions?as_of=2026-11-11&acting=CREDITOR")
	if !strings.Contains(run.body, `"level_name": "FINAL"`) || !strings.Contains(run.body, `"name": "テスト商店"`) {
		t.Errorf("%d %s", run.status, run.body)
	}
}

// A clerk works for the agency: what is the creditor's he neither runs nor sends.
func TestWhoActsAsCreditor(t *testing.T) {
	h := open(t)
	h.furnish("S", h.key(access.Admin, ""))
	clerk, accountant := h.key(access.Clerk, "S"), h.key(access.Accountant, "S")
	for _, path := range []string{"/v1/sellers/S/dunning/runs", "/v1/sellers/S/dunning/sendings"} {
		if r := h.post(path, `{"acting":"CREDITOR"}`, clerk); r.status != http.StatusForbidden || r.problem(t).Rule != ErrForbidden.Rule {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
		if r := h.post(path, `{}`, clerk); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
		if r := h.post(path, `{"acting":"CREDITOR"}`, accountant); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if r := h.post("/v1/sellers/S/dunning/policies", gentle, clerk, "Idempotency-Key: p"); r.status != http.StatusForbidden {
		t.Errorf("a clerk sets a policy: %d %s", r.status, r.body)
	}
	hold := `{"on":"2026-11-10","kind":"DO_NOT_CONTACT","reason":"x"}`
	if r := h.post("/v1/sellers/S/customers/C1/dunning/JPY/holds", hold, clerk); r.problem(t).Rule != ErrKeyRequired.Rule {
		t.Errorf("without a key: %s", r.body)
	}
}
