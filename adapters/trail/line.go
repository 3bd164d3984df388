// Package trail keeps who read what: reports, histories, exports, the log. It is a log of its own beside the ledger's,
// a line a read, and each line has the hash of the one before it, so that none can be changed, removed, slipped in or
// moved without the next one showing it. docs/access-trail.md has the format byte by byte.
package trail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
)

// Event is what a line tells of.
type Event string

const (
	Read  Event = "read"  // a whole answer
	Begun Event = "begun" // an answer that is sent as it is read begins
	Ended Event = "ended" // and ends

	Opened   Event = "file"   // a file of the trail begins
	Closed   Event = "closed" // and is full; another one follows
	Repaired Event = "repair" // what stood at the end was no whole line, and stands in this one
	Gap      Event = "gap"    // reads were refused, since they could not be recorded, or lines may be lost
)

// Entry is what one line says. No secret is in it: a key stands there by its id.
type Entry struct {
	Event     Event               `json:"event"`
	Actor     string              `json:"actor,omitempty"`     // who reads
	Key       domain.KeyID        `json:"key,omitempty"`       // by which key; absent: as this machine's own user
	Role      access.Role         `json:"role,omitempty"`      //
	Seller    domain.SellerID     `json:"seller,omitempty"`    // whose data; absent: of all sellers, or of none
	Operation string              `json:"operation,omitempty"` // its id in docs/openapi.json, or the command line's verb
	Path      map[string]string   `json:"path,omitempty"`      // members of the path but the seller
	Query     map[string]string   `json:"query,omitempty"`     // what was asked for
	Format    string              `json:"format,omitempty"`    // media type of the answer
	Status    int                 `json:"status,omitempty"`    // of HTTP
	Rule      string              `json:"rule,omitempty"`      // by which it was refused
	Bytes     int64               `json:"bytes,omitempty"`     // of the answer, before it is packed for the way
	Position  eventstore.Position `json:"position,omitempty"`  // of the log: nothing recorded later is in the answer
	Request   string              `json:"request,omitempty"`   // its id, as in the server's log
	Of        uint64              `json:"of,omitempty"`        // the line of the beginning, where this one is the end
	Broken    bool                `json:"broken,omitempty"`    // the answer broke off
	Refused   int                 `json:"refused,omitempty"`   // reads, in a gap
	Note      string              `json:"note,omitempty"`
	Torn      []byte              `json:"torn,omitempty"` // what a repair took from the end; base64
}

// Line is an entry in its place.
type Line struct {
	Seq uint64    `json:"seq"` // from 1, without gaps
	At  time.Time `json:"at"`  // when it was recorded
	Entry
	Prev string `json:"prev"` // hash of the line before; 64 zeros in the first
	Hash string `json:"hash"` // of this line's bytes up to ,"hash"
}

// Head is how far a trail goes.
type Head struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"` // 64 hex digits
}

// start is the head of a trail without lines.
var start = Head{Hash: "0000000000000000000000000000000000000000000000000000000000000000"}

const (
	hashMember = `,"hash":"`
	lineEnd    = "\"}\n"
	tailBytes  = len(hashMember) + 2*sha256.Size + len(lineEnd)
	lineMax    = 64 << 10 // bytes of a line, at most
)

// appendLine adds a line to b and moves the head to it. body is an entry as JSON.
func appendLine(b []byte, head *Head, at time.Time, body []byte) []byte {
	begin := len(b)
	head.Seq++
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, head.Seq, 10)
	b = append(b, `,"at":"`...)
	b = at.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `",`...)
	b = append(b, body[1:len(body)-1]...)
	b = append(b, `,"prev":"`...)
	b = append(b, head.Hash...)
	b = append(b, '"')
	head.Hash = hashOf(b[begin:])
	b = append(b, hashMember...)
	b = append(b, head.Hash...)
	return append(b, lineEnd...)
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// parseLine reads a line with its end. whole tells that its hash is that of its bytes; ok that it can be read at all.
func parseLine(b []byte) (l Line, whole, ok bool) {
	if len(b) < tailBytes || !bytes.HasSuffix(b, []byte(lineEnd)) || json.Unmarshal(b, &l) != nil {
		return Line{}, false, false
	}
	hashed := b[:len(b)-tailBytes]
	whole = string(b[len(hashed):len(hashed)+len(hashMember)]) == hashMember && hashOf(hashed) == l.Hash
	return l, whole, l.Seq > 0 && len(l.Hash) == 2*sha256.Size
}
