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
		Text: "no key has been made yet, so only this machine is answered, and not through a proxy; make the first with `urikake keys create`",
	}
	ErrForeignPage = &domain.Error{
		Code: domain.Refused, Rule: "access.foreign_page",
		Text: "a page of another site may not use the ledger",
	}
)

// ActorHeader names the person on whose behalf a key's holder acts.
const ActorHeader = "X-Actor"

const actorMax = 300 // bytes: a hundred kanji

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
	p, err := a.holder(r.Header, r.RemoteAddr, bearer)
	if err != nil {
		return Principal{}, err
	}
	if p.Key == "" && !isLoopback(r.Host) { // a name that somebody else's DNS has pointed here
		return Principal{}, ErrForeignPage.With("it asks %q", r.Host)
	}
	if err := foreign.Check(r); p.Key == "" && err != nil {
		return Principal{}, ErrForeignPage.With("%v", err)
	}
	return p, p.actsFor(r)
}

// holder is who holds the key in the Authorization header, from which token takes it. Without any key it is whoever
// works on this machine, and nobody else. Refuses access.no_key, access.only_loopback.
func (a *API) holder(header http.Header, from string, token func(authorization string) string) (Principal, error) {
	if authorization := header.Get("Authorization"); authorization != "" {
		return a.keys.principal(token(authorization), a.books.Clock())
	}
	if any, err := a.keys.any(); any || err != nil {
		return Principal{}, cmp.Or(err, error(ErrNoKey))
	}
	if !isLoopback(from) || viaProxy(header) {
		return Principal{}, ErrOnlyLoopback
	}
	return Principal{Actor: "local", Role: access.Admin}, nil
}

// bearer takes a token from an Authorization header; "" if there is none.
func bearer(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// viaProxy tells that somebody else's request was passed on by a program on this machine.
func viaProxy(header http.Header) bool {
	for _, name := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"} {
		if header.Get(name) != "" {
			return true
		}
	}
	return false
}

var foreign = http.NewCrossOriginProtection()

// actsFor adds the person on whose behalf the request is made, where it names one. Refuses request.bad_parameter.
func (p *Principal) actsFor(r *http.Request) error {
	person := strings.TrimSpace(r.Header.Get(ActorHeader))
	if person == "" {
		return nil
	}
	if err := domain.CheckLine(person, true, actorMax); err != nil {
		return ErrBadParameter.With("a name of up to %d bytes: %v", actorMax, err).At(parameterPrefix + ActorHeader)
	}
	if p.Key == "" {
		p.Actor = person
	} else {
		p.Actor = person + " (" + p.Actor + ")"
	}
	return nil
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
		if err == nil && o.writes && !p.Role.Writes() {
			err = ErrForbidden.With("%s may give no command", p.Role)
		}
		if err != nil {
			r, w := humachi.Unwrap(ctx)
			refuse(w, r, err)
			return
		}
		next(ctx)
	}
}
