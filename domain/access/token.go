package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/urikake/urikake/domain"
)

// Lengths of a secret and of a hash.
const (
	SecretBytes = 32                      // of chance, so that nobody finds a secret by trying
	secretLen   = (SecretBytes*8 + 5) / 6 // in base64url
	HashLen     = 2 * sha256.Size         // in hex
)

const tokenPrefix = "urikake_" // by which a token that leaked is found in files

// Secret writes bytes of chance, which come from outside, as a key's secret: 43 characters of base64url.
func Secret(random [SecretBytes]byte) string { return base64.RawURLEncoding.EncodeToString(random[:]) }

// Hash is what the books keep of a key's secret. It can't be turned back, and for another id it is another.
func Hash(id domain.KeyID, secret string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte("urikake access key " + string(id)))
	return hex.EncodeToString(h.Sum(nil))
}

// Matches tells whether a secret is the key's own. It takes as long for a wrong secret as for the right one.
func (k Key) Matches(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(Hash(k.ID, secret)), []byte(k.Hash)) == 1
}

// Token is what the holder of a key shows: its id and its secret in one word.
func Token(id domain.KeyID, secret string) string { return tokenPrefix + string(id) + "_" + secret }

// ParseToken takes a token apart; ok is false for any other text. Ids and secrets may both have a _ in them, so the
// secret's length tells where it begins.
func ParseToken(text string) (id domain.KeyID, secret string, ok bool) {
	rest, ok := strings.CutPrefix(text, tokenPrefix)
	cut := len(rest) - secretLen
	if !ok || cut < 2 || rest[cut-1] != '_' {
		return "", "", false
	}
	id, secret = domain.KeyID(rest[:cut-1]), rest[cut:]
	random, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	if err != nil || len(random) != SecretBytes || domain.CheckID(id) != nil {
		return "", "", false
	}
	return id, secret, true
}
