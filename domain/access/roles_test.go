package access_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
)

// Who may do what, written out by hand: another table is another policy.
const golden = `
                   auditor  accountant  clerk  admin
reports:read       yes      yes         yes    yes
history:read       yes      yes         yes    yes
events:read        yes      yes         yes    yes
keys:read          yes      -           -      yes
metrics:read       yes      -           -      yes
audit:read         yes      -           -      yes
backup:take        -        -           -      yes
sellers:write      -        -           -      yes
customers:write    -        yes         yes    yes
customers:erase    -        yes         -      yes
limits:write       -        yes         -      yes
invoices:write     -        yes         yes    yes
invoices:void      -        yes         -      yes
payments:write     -        yes         yes    yes
credits:write      -        yes         -      yes
credits:apply      -        yes         yes    yes
refunds:write      -        yes         -      yes
writeoffs:write    -        yes         -      yes
disputes:write     -        yes         yes    yes
latecharges:write  -        yes         -      yes
periods:write      -        yes         -      yes
dunning:write      -        yes         yes    yes
dunning:creditor   -        yes         -      yes
imports:write      -        yes         -      yes
views:manage       -        -           -      yes
keys:manage        -        -           -      yes
`

func TestWhoMayDoWhat(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(golden), "\n")
	roles := strings.Fields(lines[0])
	if len(roles) != len(access.Roles) || len(lines)-1 != len(access.Permissions) {
		t.Fatalf("the table has %d roles and %d permissions, the code %d and %d", len(roles), len(lines)-1, len(access.Roles), len(access.Permissions))
	}
	for i, line := range lines[1:] {
		cells := strings.Fields(line)
		if cells[0] != string(access.Permissions[i]) {
			t.Fatalf("%s stands where the code has %s", cells[0], access.Permissions[i])
		}
		for j, role := range roles {
			if got := access.Role(role).May(access.Permission(cells[0])); got != (cells[j+1] == "yes") {
				t.Errorf("%s %s: %v", role, cells[0], got)
			}
		}
	}
}

// The auditor writes nothing, whatever comes to be written; and nobody may do what has no name.
func TestLimitsOfRoles(t *testing.T) {
	for _, p := range access.Permissions {
		if access.Auditor.May(p) != strings.HasSuffix(string(p), ":read") {
			t.Errorf("auditor, %s", p)
		}
		if access.Role("").May(p) || access.Role("Admin").May(p) {
			t.Errorf("an unknown role may %s", p)
		}
	}
	for _, r := range access.Roles {
		if r.May("") || r.May("keys:*") || r.Check() != nil {
			t.Errorf("%s", r)
		}
		if r.May(access.PermissionOf("PayMe")) {
			t.Errorf("%s may give an unknown command", r)
		}
	}
	if err := access.Role("root").Check(); !errors.Is(err, domain.ErrUnknown) {
		t.Error(err)
	}
}
