package catalog

import (
	"maps"
	"slices"
	"strings"
)

// categories are what the ledger's streams are named by, up to the first hyphen, and what the kinds of their events
// begin with.
var categories = map[string]string{
	"seller":     "seller.",
	"customer":   "customer.",
	"account":    "account.",
	"numbering":  "numbering.",
	"document":   "numbering.",
	"receipt":    "receipt.",
	"policy":     "dunning.",
	"dunning":    "dunning.",
	"dunningrun": "dunning.",
	"access":     "access.",
}

// Categories are what the names of the ledger's own streams begin with, up to a hyphen, in order. All other streams
// on the same log are somebody else's: they are kept, and nothing in the books looks at them.
func Categories() []string { return slices.Sorted(maps.Keys(categories)) }

// Owns tells whether a stream is one of the ledger's own.
func Owns(stream string) bool {
	category, _, hyphen := strings.Cut(stream, "-")
	_, own := categories[category]
	return own && hyphen
}

// Holds tells whether one of the ledger's own streams may hold events of a kind.
func Holds(stream, kind string) bool {
	category, _, hyphen := strings.Cut(stream, "-")
	prefix, own := categories[category]
	return own && hyphen && strings.HasPrefix(kind, prefix)
}
