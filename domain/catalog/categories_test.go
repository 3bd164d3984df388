package catalog_test

import (
	"strings"
	"testing"

	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/domain/seller"
)

func TestOwns(t *testing.T) {
	for stream, kind := range map[string]string{
		seller.Stream("S1"): "seller.registered",
		customer.Key{Seller: "S1", Customer: "C1"}.Stream():                           "customer.registered",
		account.Key{Seller: "S1", Customer: "C1", Currency: "JPY"}.Stream():           "account.invoice_issued",
		account.Key{Seller: "S1", Customer: "C1", Currency: "JPY"}.Stream() + ".2027": "account.invoice_issued",
		dunning.Key{Seller: "S1", Customer: "C1", Currency: "JPY"}.Stream():           "dunning.case_closed",
		dunning.RunKey{Seller: "S1", Run: "R1"}.Stream():                              "dunning.run_begun",
		dunning.PolicyStream("S1"):                                                    "dunning.policy_set",
		numbering.Key{Seller: "S1", Series: "INV", Year: 2026}.Stream():               "numbering.taken",
		numbering.Text{Seller: "S1", Number: "INV-1"}.Stream():                        "numbering.used",
		access.Stream: "access.key_created",
	} {
		if !catalog.Owns(stream) || !catalog.Holds(stream, kind) || catalog.Holds(stream, "other.kind") {
			t.Errorf("%s is not known, or what it holds", stream)
		}
	}
	for _, stream := range []string{"", "account", "accounts-S1", "$$account-S1.C1.JPY", "$all", "Account-S1.C1.JPY", "x-account-S1", "-account"} {
		if catalog.Owns(stream) || catalog.Holds(stream, "account.invoice_issued") {
			t.Errorf("%q is somebody else's", stream)
		}
	}
	for _, e := range catalog.Events() {
		home := false
		for _, c := range catalog.Categories() {
			home = home || catalog.Holds(c+"-S1", e.Kind)
		}
		if !home {
			t.Errorf("no stream may hold %s", e.Kind)
		}
	}
	if got := strings.Join(catalog.Categories(), " "); got != "access account customer document dunning dunningrun numbering policy receipt seller" {
		t.Error(got)
	}
}
