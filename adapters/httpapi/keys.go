package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
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
	Expires time.Time       `json:"expires_at,omitzero" doc:"from when on it opens nothing; never when left out"`
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
	Keys []AccessKey `json:"keys" doc:"by id, revoked and expired ones too"`
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

func (a *API) createKey(ctx context.Context, in *RawIn) (*huma.StreamResponse, error) {
	var wanted NewKey
	if err := in.read(&wanted); err != nil {
		return nil, err
	}
	var random [access.SecretBytes]byte
	_, _ = rand.Read(random[:]) // never fails: see crypto/rand
	id, secret := domain.KeyID(rand.Text()[:12]), access.Secret(random)
	key := access.Key{
		ID: id, Holder: wanted.Holder, Role: wanted.Role, Seller: wanted.Seller,
		CreatedAt: a.books.Clock().UTC(), ExpiresAt: wanted.Expires.UTC(),
	}
	if wanted.Expires.IsZero() {
		key.ExpiresAt = time.Time{}
	}
	c := access.CreateKey{
		Key: id, Holder: key.Holder, Role: key.Role, Seller: key.Seller, ExpiresAt: key.ExpiresAt,
		Hash: access.Hash(id, secret), CreatedAt: key.CreatedAt,
	}
	if err := a.checkFirst(c); err != nil {
		return nil, err
	}
	if err := a.change(ctx, c); err != nil {
		return nil, err
	}
	made := a.accessKey(key)
	made.Token = access.Token(id, secret)
	return jsonAnswer(made)
}

// ErrFirstKey refuses a first key that would shut everybody out.
var ErrFirstKey = &domain.Error{
	Code: domain.Refused, Rule: "access.first_key",
	Text: "the first key is an admin's, of all sellers: from then on nobody is answered without a key, and only an admin can make more",
}

// checkFirst refuses a first key that could make no other. A key that is wrong by itself is refused for that.
func (a *API) checkFirst(c access.CreateKey) error {
	any, err := a.keys.any()
	if err != nil || any || c.Role == access.Admin && c.Seller == "" {
		return err
	}
	if _, err := access.Decider.Decide(access.Decider.New(), c); err != nil {
		return err
	}
	return ErrFirstKey.With("this one is for %s", c.Role)
}

// change gives a command about keys to the ledger, and knows the outcome from then on.
func (a *API) change(ctx context.Context, c access.Command) error {
	p, _ := principalOf(ctx)
	env := eventstore.Envelope{CommandID: uuid.Must(uuid.NewV7()).String(), Actor: p.Actor, Correlation: correlationOf(ctx)}
	began := time.Now()
	receipt, err := a.books.Ledger.Execute(ctx, c, env)
	a.counted(ctx, c.Name(), receipt, err, began)
	if err != nil {
		return err
	}
	return a.keys.refresh(context.WithoutCancel(ctx))
}

func (a *API) listKeys(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	list, _, err := a.books.Ledger.Keys(ctx)
	if err != nil {
		return nil, err
	}
	out := KeyList{Keys: make([]AccessKey, len(list))}
	for i, k := range list {
		out.Keys[i] = a.accessKey(k)
	}
	return jsonAnswer(out)
}

type revokeIn struct {
	RawIn
	Key string `path:"key" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"the key's id"`
}

func (a *API) revokeKey(ctx context.Context, in *revokeIn) (*huma.StreamResponse, error) {
	var why Revocation
	if err := in.read(&why); err != nil {
		return nil, err
	}
	if err := a.change(ctx, access.RevokeKey{Key: domain.KeyID(in.Key), Reason: why.Reason, RevokedAt: a.books.Clock()}); err != nil {
		return nil, err
	}
	list, _, err := a.books.Ledger.Keys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range list {
		if k.ID == domain.KeyID(in.Key) {
			return jsonAnswer(a.accessKey(k))
		}
	}
	return nil, access.ErrUnknownKey.With("%s", in.Key)
}

func jsonAnswer(object any) (*huma.StreamResponse, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	return stream(func(ctx huma.Context) { writeJSON(ctx, body) }), nil
}

const smallBody = 64 << 10

func (a *API) addKeys() {
	add(a, operation{
		id: "list-keys", method: http.MethodGet, path: "/v1/keys", tag: "Access", summary: "who may do what",
		permission: access.ReadKeys, global: true, describe: describeObject[KeyList](a),
	}, a.listKeys)
	add(a, operation{
		id: "create-key", method: http.MethodPost, path: "/v1/keys", tag: "Access", summary: "make an access key",
		about:      "The answer has the token, once. From the first key on nobody is answered without one.",
		permission: access.ManageKeys, global: true, body: smallBody, describe: describeExchange[NewKey, AccessKey](a),
	}, a.createKey)
	add(a, operation{
		id: "revoke-key", method: http.MethodPost, path: "/v1/keys/{key}/revocation", tag: "Access", summary: "end a key, for good",
		permission: access.ManageKeys, global: true, body: smallBody, describe: describeExchange[Revocation, AccessKey](a),
	}, a.revokeKey)
}
