package dunning

import "github.com/urikake/urikake/domain"

// Capacity is in whose name something is done.
type Capacity string

const (
	Agency   Capacity = "AGENCY"   // the billing agency as messenger: it reminds, tells amounts, passes messages on
	Creditor Capacity = "CREDITOR" // the seller, or a lawyer for him
)

var (
	ErrNeedsCreditor = &domain.Error{
		Code: domain.Refused, Rule: "dunning.needs_creditor",
		Text: "only the creditor may do this: whoever agrees, gives way, threatens or demands for another as a business breaks the Attorney Act (弁護士法72条)",
	}
	ErrAgencyStops = &domain.Error{
		Code: domain.Refused, Rule: "dunning.agency_stops_in_dispute",
		Text: "the debtor objects, or must not be contacted: an agency stops and leaves the claim to the creditor (弁護士法72条; サービサー法 guidance on 集金代行)",
	}
	ErrReturned = &domain.Error{
		Code: domain.Refused, Rule: "dunning.returned_to_creditor",
		Text: "the case went back to the creditor; an agency does nothing more until it is resumed",
	}
	ErrHandedOver = &domain.Error{
		Code: domain.Refused, Rule: "dunning.handed_over",
		Text: "a lawyer or a licensed servicer has the case; nobody else reminds until it is resumed",
	}
	ErrUnknownSeller = &domain.Error{
		Code: domain.NotFound, Rule: "dunning.unknown_seller",
		Text: "the seller is not registered; send RegisterSeller first",
	}
	ErrUnknownCustomer = &domain.Error{
		Code: domain.NotFound, Rule: "dunning.unknown_customer",
		Text: "the customer is not registered; send RegisterCustomer first",
	}
	ErrWrongCurrency = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.wrong_currency",
		Text: "the amount is not in the case's currency",
	}
	ErrRepeatedID = &domain.Error{
		Code: domain.Refused, Rule: "dunning.repeated_id",
		Text: "the case already has something by this id",
	}
	ErrTooEarly = &domain.Error{
		Code: domain.Refused, Rule: "dunning.before_beginning",
		Text: "the day lies before the day on which it began",
	}
	ErrNothingNew = &domain.Error{
		Code: domain.Refused, Rule: "dunning.nothing_new",
		Text: "it stands so already",
	}
)
