package httpapi

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
)

// Principal is who asks.
type Principal struct {
	Actor  string          // stands beside every event that it causes
	Key    domain.KeyID    // "" without a key: this machine's own user
	Role   access.Role     //
	Seller domain.SellerID // the one seller that it may know of; "" for all
}

var (
	ErrNoKey = &domain.Error{
		Code: domain.Refused, Rule: "access.no_key",
		Text: "a valid key is needed: Authorization: Bearer KEY; an admin makes one with `urikake keys create`",
	}
	ErrForbidden = &domain.Error{
		Code: domain.Refused, Rule: "access.forbidden",
		Text: "the key's role may not do this",
	}
	ErrOtherSeller = &domain.Error{
		Code: domain.Refused, Rule: "access.other_seller",
		Text: "the key is for another seller",
	}
	ErrOnlyLoopback = &domain.Error{
		Code: domain.Refused, Rule: "access.only_loopback",
		Text: "no key has been made yet, so only this machine is answered; make the first with `urikake keys create`",
	}
	ErrForeignPage = &domain.Error{
		Code: domain.Refused, Rule: "access.foreign_page",
		Text: "a page of another site may not use the ledger",
	}
)

// ActorHeader names the person on whose behalf a key's holder acts.
const ActorHeader = "X-Actor"

const actorMax = 100 // bytes

type principalKey struct{}

// As gives requests made within this process a principal; the network can't.
func As(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

func principalOf(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// identify says who asks, or refuses. Without any key the ledger is open to this machine alone, to programs and not to
// pages that a browser has from elsewhere.
func (a *API) identify(r *http.Request) (Principal, error) {
	if p, ok := principalOf(r.Context()); ok {
		return p, nil
	}
	if header := r.Header.Get("Authorization"); header != "" {
		p, err := a.keys.principal(header, a.books.Clock())
		p.Actor = onBehalf(r, p.Actor)
		return p, err
	}
	if any, err := a.keys.any(); any || err != nil {
		return Principal{}, cmp.Or(err, error(ErrNoKey))
	}
	if !isLoopback(r.RemoteAddr) {
		return Principal{}, ErrOnlyLoopback
	}
	if !isLoopback(r.Host) { // a name that somebody else's DNS has pointed here
		return Principal{}, ErrForeignPage.With("it asks %q", r.Host)
	}
	if err := foreign.Check(r); err != nil {
		return Principal{}, ErrForeignPage.With("%v", err)
	}
	return Principal{Actor: onBehalf(r, "local"), Role: access.Admin}, nil
}

var foreign = http.NewCrossOriginProtection()

// onBehalf is the actor, with the person for whom it acts.
func onBehalf(r *http.Request, actor string) string {
	person := strings.TrimSpace(r.Header.Get(ActorHeader))
	if person == "" || len(person) > actorMax || domain.CheckText(person, true, actorMax) != nil {
		return actor
	}
	if actor == "local" {
		return person
	}
	return person + " (" + actor + ")"
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// May is the one place that says what a principal may do, and of which seller; seller is "" for what concerns the
// whole ledger. It looks at nothing but the key, so that its answer says nothing about what exists.
// Refuses access.forbidden, access.other_seller.
func (p Principal) May(permission access.Permission, seller domain.SellerID) error {
	if p.Seller != "" && p.Seller != seller {
		return ErrOtherSeller
	}
	if permission != "" && !p.Role.May(permission) {
		return ErrForbidden.With("%s needs a role that may %s", p.Role, permission)
	}
	return nil
}

// admitted lets a request to a route's handler if its principal may. What names its seller in the body is asked again
// once that is read (see execute).
func (a *API) admitted(o operation) func(huma.Context, func(huma.Context)) {
	ofPath := strings.Contains(o.path, "{seller}")
	return func(ctx huma.Context, next func(huma.Context)) {
		p, ok := principalOf(ctx.Context())
		err := error(ErrNoKey)
		switch {
		case !ok: // identified stands before every route
		case ofPath:
			err = p.May(o.permission, domain.SellerID(ctx.Param("seller")))
		case o.global:
			err = p.May(o.permission, "")
		default:
			err = p.May(o.permission, p.Seller)
		}
		if err != nil {
			r, w := humachi.Unwrap(ctx)
			refuse(w, r, err)
			return
		}
		next(ctx)
	}
}
