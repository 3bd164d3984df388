package docs_test

import (
	"encoding/json"
	"testing"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
)

// TestGeneratedRules collects every rule that a problem of the HTTP API may name, for its page of rules.
func TestGeneratedRules(t *testing.T) {
	src := readSource(t, "../domain/...", "../eventstore/...", "../projections/...", "../adapters/export", "../adapters/receivables", "../adapters/httpapi")
	byName := map[string]domain.Code{"TooMany": httpapi.TooMany}
	for _, c := range codes {
		byName[c.name] = domain.Code(c.code)
	}
	var rules []httpapi.Rule
	for _, r := range src.all(t) {
		code, ok := byName[r.Code]
		if !ok {
			t.Errorf("%s has the code %s", r.Rule, r.Code)
		}
		rules = append(rules, httpapi.Rule{Rule: r.Rule, Code: code, Text: r.Text})
	}
	b, err := json.MarshalIndent(rules, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../adapters/httpapi/docs/rules.json", string(b)+"\n")
}
