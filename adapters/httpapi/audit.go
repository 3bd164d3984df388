package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
	"github.com/urikake/urikake/projections"
)

// Checkpoint is what the log was at an instant, signed.
type Checkpoint struct {
	Origin   string              `json:"origin" doc:"whose log it is: the signing key's name"`
	Size     int64               `json:"size" doc:"events"`
	Root     string              `json:"root" doc:"of the Merkle tree over them, in base64"`
	Position eventstore.Position `json:"position" doc:"of the last of them"`
	SignedAt time.Time           `json:"signed_at" doc:"when it was signed"`
	Note     string              `json:"note" doc:"the signed note: keep it where nobody who can write the log can"`
}

// CheckpointList is every checkpoint that is kept beside the log.
type CheckpointList struct {
	Keys        []string     `json:"keys" doc:"public keys, as the ledger says: an auditor trusts the one that he was given"`
	Checkpoints []Checkpoint `json:"checkpoints" doc:"by size"`
}

// WantedCheckpoint says of how many events one is wanted.
type WantedCheckpoint struct {
	Size int64 `json:"size,omitempty" doc:"of the first so many events; of all when left out"`
}

// ErrNoTree refuses where no tree is kept.
var ErrNoTree = &domain.Error{
	Code: domain.Unavailable, Rule: "audit.no_tree",
	Text: "no hash tree is kept beside this log",
}

func checkpointOf(c merkle.Checkpoint) Checkpoint {
	return Checkpoint{c.Origin, c.Size, c.Root.String(), c.Position, c.Time, c.Note}
}

// audited gives the tree, where there is one.
func (a *API) audited() (*merkle.Log, error) {
	if a.books.Audit == nil {
		return nil, ErrNoTree
	}
	return a.books.Audit, nil
}

type nothingIn struct{}

func (a *API) latestCheckpoint(ctx context.Context, _ *nothingIn) (*huma.StreamResponse, error) {
	tree, err := a.audited()
	if err != nil {
		return nil, err
	}
	c, err := tree.Latest(ctx)
	return answered(checkpointOf(c), err)
}

func (a *API) newCheckpoint(ctx context.Context, in *RawIn) (*huma.StreamResponse, error) {
	var wanted WantedCheckpoint
	if len(in.RawBody) > 0 {
		if err := in.read(&wanted); err != nil {
			return nil, err
		}
	}
	tree, err := a.audited()
	if err != nil {
		return nil, err
	}
	c, err := tree.Checkpoint(ctx, wanted.Size, a.books.Clock())
	return answered(checkpointOf(c), err)
}

func (a *API) checkpoints(ctx context.Context, _ *nothingIn) (*huma.StreamResponse, error) {
	tree, err := a.audited()
	if err != nil {
		return nil, err
	}
	list := CheckpointList{Checkpoints: []Checkpoint{}}
	stored, keys, err := tree.Kept()
	for _, c := range stored {
		list.Checkpoints = append(list.Checkpoints, checkpointOf(c))
	}
	if list.Keys = keys; keys == nil {
		list.Keys = []string{}
	}
	return answered(list, err)
}

type proofIn struct {
	Position uint64 `path:"position" minimum:"1" maximum:"9007199254740991" doc:"where the event stands in the log" example:"17"`
}

func (a *API) proof(ctx context.Context, in *proofIn) (*huma.StreamResponse, error) {
	tree, err := a.audited()
	if err != nil {
		return nil, err
	}
	p, err := tree.Prove(ctx, eventstore.Position(in.Position), a.books.Clock())
	return answered(p, err)
}

type consistencyIn struct {
	From int64 `query:"from" required:"true" minimum:"1" maximum:"9007199254740991" doc:"events of the older checkpoint" example:"5"`
	To   int64 `query:"to" minimum:"1" maximum:"9007199254740991" doc:"events of the newer one; those of the newest when left out" example:"8"`
}

func (a *API) consistency(ctx context.Context, in *consistencyIn) (*huma.StreamResponse, error) {
	tree, err := a.audited()
	if err != nil {
		return nil, err
	}
	c, err := tree.Consistency(ctx, in.From, in.To)
	return answered(c, err)
}

// ViewsCompared is what came of comparing read models with the log.
type ViewsCompared struct {
	Position    eventstore.Position `json:"position" doc:"up to where they are folded"`
	Rows        int64               `json:"rows" doc:"that were compared"`
	Stale       []string            `json:"stale,omitempty" doc:"read models that were not: they will be folded again by themselves"`
	Found       int64               `json:"found" doc:"rows that differ"`
	Differences []RowDiffers        `json:"differences,omitempty" doc:"the first hundred of them"`
}

// RowDiffers is a row that is not what the log gives.
type RowDiffers struct {
	Table string `json:"table" doc:"its table"`
	Key   string `json:"key" doc:"its key"`
	Want  string `json:"want,omitempty" doc:"by the log; absent: no such row"`
	Have  string `json:"have,omitempty" doc:"as it stands; absent: there is none"`
}

type nothing struct{}

func (a *API) compareViews(_ context.Context, in *RawIn) (*huma.StreamResponse, error) {
	if len(in.RawBody) > 0 {
		if err := in.read(&nothing{}); err != nil {
			return nil, err
		}
	}
	return long(func(ctx context.Context, tell func(done, total int64)) (any, error) {
		c, err := a.books.Views.Compare(ctx, func(done, total eventstore.Position) { tell(int64(done), int64(total)) })
		return comparedOf(c), err
	}), nil
}

func comparedOf(c projections.Comparison) ViewsCompared {
	out := ViewsCompared{Position: c.Position, Rows: c.Rows, Stale: c.Stale, Found: c.Found}
	for _, d := range c.Differences {
		out.Differences = append(out.Differences, RowDiffers{d.Table, d.Key, d.Want, d.Have})
	}
	return out
}

// Comparison is what was answered, as the read models have it.
func (c ViewsCompared) Comparison() projections.Comparison {
	out := projections.Comparison{Position: c.Position, Rows: c.Rows, Stale: c.Stale, Found: c.Found}
	for _, d := range c.Differences {
		out.Differences = append(out.Differences, projections.RowDifference{Table: d.Table, Key: d.Key, Want: d.Want, Have: d.Have})
	}
	return out
}

// answered is one object, with the bytes of events as they stand in the log.
func answered(object any, err error) (*huma.StreamResponse, error) {
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(object); err != nil {
		return nil, err
	}
	return stream(func(ctx huma.Context) { writeJSON(ctx, bytes.TrimSuffix(b.Bytes(), []byte("\n"))) }), nil
}

func textSchema(about string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: about}
}

func hashesSchema(about string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: textSchema("a hash, in base64"), Description: about}
}

// describeConsistency says what proves that a log of so many events begins with those of a shorter one.
func describeConsistency(_ *API, op *huma.Operation) {
	number := func(about string) *huma.Schema { return &huma.Schema{Type: huma.TypeInteger, Description: about} }
	succeeds(op, map[string]*huma.MediaType{typeJSON: {Schema: &huma.Schema{
		Type: huma.TypeObject, Required: []string{"from", "from_root", "to", "to_root", "path"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"from":      number("events of the older checkpoint"),
			"from_root": textSchema("of the Merkle tree over them, in base64: what the older checkpoint must say"),
			"to":        number("events of the newer checkpoint"),
			"to_root":   textSchema("of the Merkle tree over these: what the newer checkpoint must say"),
			"path":      hashesSchema("RFC 6962's consistency proof"),
		},
	}}})
}

// describeProof says what a proof is; the event in it is one of the feed's.
func describeProof(a *API, op *huma.Operation) {
	succeeds(op, map[string]*huma.MediaType{typeJSON: {Schema: &huma.Schema{
		Type: huma.TypeObject, Required: []string{"format", "index", "event", "path", "checkpoint"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"format":     textSchema("urikake-proof-1"),
			"index":      {Type: huma.TypeInteger, Description: "the event's place in the log, from 0"},
			"event":      a.schema(reflect.TypeFor[Event]()),
			"path":       hashesSchema("from the leaf's neighbour up to the root's child: RFC 6962's audit path"),
			"checkpoint": textSchema("the signed note of the tree in which the event stands"),
		},
	}}})
}

func (a *API) addAudit() {
	add(a, operation{
		id: "get-checkpoint", method: http.MethodGet, path: "/v1/audit/checkpoint", tag: "Audit", summary: "the newest checkpoint",
		about:      "A signed note of how many events the log had, the root of the Merkle tree over them, and when. docs/auditing.md says how it is checked.",
		permission: access.ReadAudit, global: true, describe: also("404", describeObject[Checkpoint](a)),
	}, a.latestCheckpoint)
	add(a, operation{
		id: "make-checkpoint", method: http.MethodPost, path: "/v1/audit/checkpoint", tag: "Audit", summary: "sign what the log is now",
		about:      "The same log gives the same checkpoint. It changes nothing in the books, so an auditor may ask for it.",
		permission: access.ReadAudit, global: true, body: smallBody, describe: also("404", also("409", describeExchange[WantedCheckpoint, Checkpoint](a))),
	}, a.newCheckpoint)
	add(a, operation{
		id: "list-checkpoints", method: http.MethodGet, path: "/v1/audit/checkpoints", tag: "Audit", summary: "every checkpoint that is kept",
		permission: access.ReadAudit, global: true, describe: describeObject[CheckpointList](a),
	}, a.checkpoints)
	add(a, operation{
		id: "get-proof", method: http.MethodGet, path: "/v1/audit/proofs/{position}", tag: "Audit", summary: "prove that an event stands in the log",
		about:      "`urikake audit check-proof` checks the answer without the ledger, by a public key alone.",
		permission: access.ReadAudit, global: true, describe: also("404", also("409", describeProof)),
	}, a.proof)
	add(a, operation{
		id: "get-consistency", method: http.MethodGet, path: "/v1/audit/consistency", tag: "Audit", summary: "prove that a checkpoint's log begins with an older one's",
		about:      "`urikake audit consistency` puts both signed notes beside the answer, and `urikake audit check-proof` checks them without the ledger.",
		permission: access.ReadAudit, global: true, describe: also("404", describeConsistency),
	}, a.consistency)
	add(a, operation{
		id: "compare-views", method: http.MethodPost, path: "/v1/views/compare", tag: "Audit", summary: "fold the log aside and compare every row",
		about:      "Nothing is changed." + longAbout,
		permission: access.ReadAudit, global: true, body: smallBody, describe: describeLong[nothing, ViewsCompared](a),
	}, a.compareViews)
}
