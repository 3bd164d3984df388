package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	signed "golang.org/x/mod/sumdb/note"

	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/merkle"
)

// auditTree is a tree that signs with a key which is the same in every test, so that examples stay as they are.
func auditTree(t testing.TB, dir string, store eventstore.Store) *merkle.Log {
	t.Helper()
	secret, public, err := signed.GenerateKey(bytes.NewReader(make([]byte, 32)), "ledger.example")
	err = errors.Join(err, os.WriteFile(filepath.Join(dir, "audit.key"), []byte(secret), 0o600), os.WriteFile(filepath.Join(dir, "audit.pub"), []byte(public), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return merkle.Open(dir, store, ledger.Codec().Foreign)
}

// An auditor gets everything that he needs over the API, and needs to trust nothing of it but a key.
func TestAuditOverHTTP(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	auditor := h.key(access.Auditor, "")
	h.furnish("S", admin)
	if r := h.send(http.MethodGet, "/v1/audit/checkpoint", "", auditor); r.status != http.StatusNotFound || r.problem(t).Rule != merkle.ErrNoCheckpoint.Rule {
		t.Errorf("%d %s", r.status, r.body)
	}
	var made, latest Checkpoint
	for _, step := range []struct {
		method string
		to     *Checkpoint
	}{{http.MethodPost, &made}, {http.MethodGet, &latest}} {
		r := h.send(step.method, "/v1/audit/checkpoint", "", auditor)
		if err := json.Unmarshal([]byte(r.body), step.to); err != nil || r.status != http.StatusOK {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	if made != latest || made.Size < 3 {
		t.Errorf("%+v, %+v", made, latest)
	}
	var list CheckpointList
	if r := h.send(http.MethodGet, "/v1/audit/checkpoints", "", auditor); json.Unmarshal([]byte(r.body), &list) != nil || len(list.Checkpoints) != 1 || list.Checkpoints[0] != made || len(list.Keys) != 1 {
		t.Errorf("%s", r.body)
	}
	keys, err := merkle.Verifiers(list.Keys...)
	if err != nil {
		t.Fatal(err)
	}
	r := h.send(http.MethodGet, "/v1/audit/proofs/2", "", auditor)
	p, err := merkle.ReadProof([]byte(r.body))
	if err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	if c, err := p.Check(keys); err != nil || c.Note != made.Note || p.Event.Position != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	older := made
	h.furnish("T", admin)
	if r := h.send(http.MethodPost, "/v1/audit/checkpoint", "", auditor); json.Unmarshal([]byte(r.body), &made) != nil || made.Size <= older.Size {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for _, query := range []string{fmt.Sprint("?from=", older.Size), fmt.Sprint("?from=", older.Size, "&to=", made.Size)} {
		var c merkle.Consistency
		if r := h.get("/v1/audit/consistency"+query, auditor); json.Unmarshal([]byte(r.body), &c) != nil || c.ToRoot.String() != made.Root {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if _, _, err := (merkle.ConsistencyProof{Format: merkle.ConsistencyFormat, From: older.Note, To: made.Note, Path: c.Path}).Check(keys); err != nil {
			t.Error(err)
		}
	}
	for query, want := range map[string]string{
		"": "request.", "?from=0": "request.", "?from=x": "request.", "?from=2&to=1": merkle.ErrBadSizes.Rule, "?from=1&to=999999": merkle.ErrBeyondTree.Rule,
	} {
		if r := h.get("/v1/audit/consistency"+query, auditor); r.status < 400 || r.status > 499 || !strings.HasPrefix(r.problem(t).Rule, want) {
			t.Errorf("%s: %d %s", query, r.status, r.body)
		}
	}
	if r := h.send(http.MethodPost, "/v1/audit/checkpoint", `{"size": 999999}`, auditor); r.status != http.StatusNotFound {
		t.Errorf("%d %s", r.status, r.body)
	}
	var compared Line[ViewsCompared]
	if r := h.send(http.MethodPost, "/v1/views/compare", "", auditor); json.Unmarshal([]byte(r.body[strings.Index(r.body, `{"result"`):]), &compared) != nil || compared.Result == nil || compared.Result.Found != 0 {
		t.Errorf("%s", r.body)
	}
	for _, key := range []string{h.key(access.Clerk, ""), h.key(access.Auditor, "S")} {
		for _, path := range []string{"/v1/audit/proofs/2", "/v1/audit/consistency?from=1"} {
			if r := h.get(path, key); r.status != http.StatusForbidden {
				t.Errorf("%s: %d %s", path, r.status, r.body)
			}
		}
	}
}
