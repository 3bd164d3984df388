package catalog

import (
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
)

// Needs is every permission that it takes to give a command: that of its name, and one more where the command does
// besides what another is there for, so that nobody gets round his role that way.
func Needs(c Command) []access.Permission {
	needs := []access.Permission{access.PermissionOf(c.Name())}
	switch c := c.(type) {
	case customer.RegisterCustomer:
		if len(c.CreditLimit) > 0 {
			needs = append(needs, access.WriteLimits)
		}
	case account.ResolveDispute:
		if c.Outcome == account.DisputeUpheld {
			needs = append(needs, access.WriteCredits)
		}
	case dunning.Command:
		if c.As() == dunning.Creditor && needs[0] != access.ActAsCreditor {
			needs = append(needs, access.ActAsCreditor)
		}
	}
	return needs
}
