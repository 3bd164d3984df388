package httpapi

import "testing"

// TestGeneratedOpenAPI compares the committed description with the one that is served.
func TestGeneratedOpenAPI(t *testing.T) {
	b, err := open(t).api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../../docs/openapi.json", b)
}
