package dunning_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// Every event has its business date in the member "on", and says in whose name it was done where that can differ.
func TestEveryEventHasItsDay(t *testing.T) {
	for _, schema := range dunning.Events {
		files, err := filepath.Glob("../catalog/testdata/" + schema.Kind + ".v1*.json")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no sample: %v", schema.Kind, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			e, err := schema.Decode(1, data)
			if err != nil {
				t.Fatal(err)
			}
			on := e.(interface{ On() domain.Date }).On()
			if !strings.Contains(string(data), `"on": "`+on.String()+`"`) || on.IsZero() {
				t.Errorf("%s: %s", file, on)
			}
		}
	}
}

// Each aggregate writes its own events.
func TestThreeAggregates(t *testing.T) {
	policies, cases, runs := 0, 0, 0
	for _, schema := range dunning.Events {
		e, err := schema.Decode(1, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := e.(dunning.PolicyEvent); ok {
			policies++
		}
		if _, ok := e.(dunning.Event); ok {
			cases++
		}
		if _, ok := e.(dunning.RunEvent); ok {
			runs++
		}
	}
	if policies != 3 || runs != 3 || policies+cases+runs != len(dunning.Events) {
		t.Errorf("%d events of policies, %d of cases, %d of runs, %d in all", policies, cases, runs, len(dunning.Events))
	}
}
