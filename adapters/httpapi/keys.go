package httpapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	jsonx "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
)

// NewKey asks for an access key.
type NewKey struct {
	Holder  string          `json:"holder" doc:"who will hold it: the actor of all that is done with it"`
	Role    access.Role     `json:"role" enum:"auditor,accountant,clerk,admin" doc:"what it allows"`
	Seller  domain.SellerID `json:"seller,omitempty" doc:"the only seller whose books it opens; all when left out"`
	Expires *time.Time      `json:"expires_at,omitempty" doc:"from when on it opens nothing; never when left out"`
}

// AccessKey is a key as it stands; the token is told once, when it is made.
type AccessKey struct {
	Key       domain.KeyID    `json:"key" doc:"the key's id, which is no secret"`
	Holder    string          `json:"holder" doc:"who holds it"`
	Role      access.Role     `json:"role" enum:"auditor,accountant,clerk,admin" doc:"what it allows"`
	Seller    domain.SellerID `json:"seller,omitempty" doc:"the only seller whose books it opens; absent: all"`
	State     string          `json:"state" enum:"active,expired,revoked" doc:"whether it opens anything"`
	CreatedAt time.Time       `json:"created_at" doc:"when it was made"`
	ExpiresAt time.Time       `json:"expires_at,omitzero" doc:"from when on it opens nothing; absent: never"`
	RevokedAt time.Time       `json:"revoked_at,omitzero" doc:"when it was revoked"`
	Token     string          `json:"token,omitempty" doc:"what its holder sends as Authorization: Bearer TOKEN. It is shown this once and kept nowhere"`
}

// KeyList is all keys.
type KeyList struct {
	Keys []AccessKey `json:"keys" doc:"in the order in which they were made, revoked and expired ones too"`
}

// Revocation ends a key.
type Revocation struct {
	Reason string `json:"reason" doc:"why"`
}

func (a *API) accessKey(k access.Key) AccessKey {
	state := "active"
	switch {
	case !k.RevokedAt.IsZero():
		state = "revoked"
	case !k.Live(a.books.Clock()):
		state = "expired"
	}
	return AccessKey{
		Key: k.ID, Holder: k.Holder, Role: k.Role, Seller: k.Seller, State: state,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt,
	}
}

// RawIn is a body that is read strictly.
type RawIn struct {
	RawBody []byte `contentType:"application/json"`
	ctx     huma.Context
}

// Resolve keeps the request.
func (in *RawIn) Resolve(ctx huma.Context) []error {
	in.ctx = ctx
	return nil
}

// strict reads bodies as commands are read: to the letter, and without null, for which nobody may be meant to be let
// into all sellers' books or for ever.
var strict = jsonx.JoinOptions(jsonx.RejectUnknownMembers(true),
	jsonx.WithUnmarshalers(jsonx.UnmarshalFromFunc(func(d *jsontext.Decoder, _ any) error {
		if d.PeekKind() == 'n' {
			return catalog.ErrBadJSON.With("null stands here; leave the member out")
		}
		return jsonx.SkipFunc
	})))

type keyedIn struct {
	RawIn
	Once string `header:"Idempotency-Key" doc:"names this request: sent again it is done once. The answer to a repeat has no token"`
}

// read reads the body strictly.
func (in *RawIn) read(to any) error {
	if err := isType(in.ctx, typeJSON); err != nil {
		return err
	}
	if err := jsonx.Unmarshal(in.RawBody, to, strict); err != nil {
		return catalog.Unreadable(err)
	}
	return nil
}

func (a *API) createKey(ctx context.Context, in *keyedIn) (*huma.StreamResponse, error) {
	var wanted NewKey
	if err := in.read(&wanted); err != nil {
		return nil, err
	}
	var random [access.SecretBytes]byte
	_, _ = rand.Read(random[:]) // never fails: see crypto/rand
	id, secret := domain.KeyID(rand.Text()[:12]), access.Secret(random)
	c := access.CreateKey{
		Key: id, Holder: wanted.Holder, Role: wanted.Role, Seller: wanted.Seller,
		Hash: access.Hash(id, secret), CreatedAt: a.books.Clock().UTC(),
	}
	if wanted.Expires != nil {
		if wanted.Expires.IsZero() { // which many programs send for none, and would be for ever
			return nil, access.ErrExpiryInPast.With("%s", wanted.Expires.Format(time.RFC3339)).At("/expires_at")
		}
		c.ExpiresAt = wanted.Expires.UTC()
	}
	if err := a.checkFirst(c); err != nil {
		return nil, err
	}
	receipt, err := a.change(ctx, c, in.Once, wanted)
	if err != nil {
		return nil, err
	}
	made, err := a.keyOf(ctx, receipt)
	if err == nil && !receipt.Repeated {
		made.Token = access.Token(id, secret)
	}
	return answerKey(made, receipt, err)
}

// keyOf is the key that a receipt is about, as it stands now.
func (a *API) keyOf(ctx context.Context, receipt eventstore.Receipt) (AccessKey, error) {
	var id domain.KeyID
	for _, e := range receipt.Events {
		switch e := e.(type) {
		case access.KeyCreated:
			id = e.Key
		case access.KeyRevoked:
			id = e.Key
		}
	}
	list, _, err := a.books.Ledger.Keys(ctx)
	if err != nil {
		return AccessKey{}, err
	}
	for _, k := range list {
		if k.ID == id {
			return a.accessKey(k), nil
		}
	}
	return AccessKey{}, access.ErrUnknownKey.With("%s", id)
}

func answerKey(k AccessKey, receipt eventstore.Receipt, err error) (*huma.StreamResponse, error) {
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	return stream(func(ctx huma.Context) {
		if receipt.Repeated {
			ctx.SetHeader(ReplayedHeader, "true")
		}
		writeJSON(ctx, body)
	}), nil
}

// ErrFirstKey refuses a first key that would shut everybody out.
var ErrFirstKey = &domain.Error{
	Code: domain.Refused, Rule: "access.first_key",
	Text: "the first key is an admin's, of all sellers and without expiry: from then on nobody is answered without a key, and only an admin can make more",
}

// checkFirst refuses a first key that could make no other. A key that is wrong by itself is refused for that.
func (a *API) checkFirst(c access.CreateKey) error {
	any, err := a.keys.any()
	if err != nil || any || c.Role == access.Admin && c.Seller == "" && c.ExpiresAt.IsZero() {
		return err
	}
	if _, err := access.Decider.Decide(access.Decider.New(), c); err != nil {
		return err
	}
	return ErrFirstKey.With("this one is for %s", c.Role)
}

// ErrLastKey refuses to shut everybody out.
var ErrLastKey = &domain.Error{
	Code: domain.Refused, Rule: "access.last_key",
	Text: "this is the last key of an admin of all sellers that does not expire; make another before you revoke it",
}

func (a *API) checkLast(id domain.KeyID) error {
	known, err := a.keys.keys()
	lasting := func(k access.Key) bool {
		return k.Role == access.Admin && k.Seller == "" && k.ExpiresAt.IsZero() && k.RevokedAt.IsZero()
	}
	if err != nil || !lasting(known[id]) {
		return err
	}
	for _, k := range known {
		if k.ID != id && lasting(k) {
			return nil
		}
	}
	return ErrLastKey
}

// change gives a command about keys to the ledger, and knows the outcome from then on. Sent again under its key it is
// the same if it asks for the same: the secret and the instant, which are new each time, don't count.
func (a *API) change(ctx context.Context, c access.Command, key string, wanted any) (eventstore.Receipt, error) {
	began := time.Now()
	hash, err := eventstore.Hash(c.Name(), wanted)
	if err != nil {
		return eventstore.Receipt{}, err
	}
	p, _ := principalOf(ctx)
	env := eventstore.Envelope{
		CommandID: cmp.Or(key, uuid.Must(uuid.NewV7()).String()), Hash: hash, Actor: p.Actor, Correlation: correlationOf(ctx),
	}
	receipt, err := a.books.Ledger.Execute(ctx, c, env)
	a.counted(ctx, c.Name(), receipt, err, began)
	if err != nil {
		return receipt, pointed(err)
	}
	return receipt, a.keys.refresh(context.WithoutCancel(ctx))
}

func (a *API) listKeys(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	list, _, err := a.books.Ledger.Keys(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(x, y access.Key) int { return x.CreatedAt.Compare(y.CreatedAt) })
	out := KeyList{Keys: make([]AccessKey, len(list))}
	for i, k := range list {
		out.Keys[i] = a.accessKey(k)
	}
	return jsonAnswer(out)
}

type revokeIn struct {
	RawIn
	Once string `header:"Idempotency-Key" doc:"names this request: sent again it is done once"`
	Key  string `path:"key" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"the key's id"`
}

func (a *API) revokeKey(ctx context.Context, in *revokeIn) (*huma.StreamResponse, error) {
	var why Revocation
	if err := in.read(&why); err != nil {
		return nil, err
	}
	id := domain.KeyID(in.Key)
	if err := a.checkLast(id); err != nil {
		return nil, err
	}
	receipt, err := a.change(ctx, access.RevokeKey{Key: id, Reason: why.Reason, RevokedAt: a.books.Clock()}, in.Once, []any{id, why})
	if err != nil {
		return nil, err
	}
	revoked, err := a.keyOf(ctx, receipt)
	return answerKey(revoked, receipt, err)
}

func jsonAnswer(object any) (*huma.StreamResponse, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	return stream(func(ctx huma.Context) { writeJSON(ctx, body) }), nil
}

const (
	keysPath  = "/v1/keys"
	smallBody = 64 << 10
)

func (a *API) addKeys() {
	add(a, operation{
		id: "list-keys", method: http.MethodGet, path: keysPath, tag: "Access", summary: "who may do what",
		permission: access.ReadKeys, global: true, describe: describeObject[KeyList](a),
	}, a.listKeys)
	add(a, operation{
		id: "create-key", method: http.MethodPost, path: keysPath, tag: "Access", summary: "make an access key",
		about:      "The answer has the token, once. From the first key on nobody is answered without one.",
		permission: access.ManageKeys, global: true, body: smallBody, describe: describeExchange[NewKey, AccessKey](a),
	}, a.createKey)
	add(a, operation{
		id: "revoke-key", method: http.MethodPost, path: keysPath + "/{key}/revocation", tag: "Access", summary: "end a key, for good",
		permission: access.ManageKeys, global: true, body: smallBody, describe: describeExchange[Revocation, AccessKey](a),
	}, a.revokeKey)
}
