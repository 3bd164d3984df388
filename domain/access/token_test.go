package access_test

import (
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
)

// The hash was computed by another program: openssl dgst -sha256 -hmac SECRET.
func TestHash(t *testing.T) {
	const id, secret = "k7Qm2Zt9XwBd", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	var random [access.SecretBytes]byte
	for i := range random {
		random[i] = byte(i)
	}
	if got := access.Secret(random); got != secret {
		t.Error(got)
	}
	k := access.Key{ID: id, Hash: "4b97b05a041982cb3fffcf210bd1e8835ae204fa77ac755a780a262b926148f9"}
	if got := access.Hash(id, secret); got != k.Hash {
		t.Error(got)
	}
	other := k
	other.ID = "k7Qm2Zt9XwBe"
	for name, matches := range map[string]bool{
		"nothing":              k.Matches(""),
		"a part":               k.Matches(secret[:42]),
		"more":                 k.Matches(secret + "A"),
		"another case":         k.Matches(strings.ToLower(secret)),
		"the hash":             k.Matches(k.Hash),
		"another key's id":     other.Matches(secret),
		"a key without a hash": access.Key{ID: id}.Matches(secret),
		"nothing at all":       access.Key{}.Matches(""),
	} {
		if matches {
			t.Errorf("%s opens the books", name)
		}
	}
	if !k.Matches(secret) {
		t.Error("the secret does not match")
	}
}

func TestToken(t *testing.T) {
	// Ids and secrets may have _ and - anywhere.
	var low, high [access.SecretBytes]byte
	for i := range high {
		high[i] = 0xff
	}
	for _, id := range []domain.KeyID{"k7Qm2Zt9XwBd", "a", "_", "-_-", "urikake_x_", domain.KeyID(strings.Repeat("x", domain.IDMax))} {
		for _, random := range [][access.SecretBytes]byte{low, high} {
			secret := access.Secret(random)
			token := access.Token(id, secret)
			gotID, gotSecret, ok := access.ParseToken(token)
			if !ok || gotID != id || gotSecret != secret {
				t.Errorf("%s: %q, %q, %v", token, gotID, gotSecret, ok)
			}
		}
	}
	secret := access.Secret(high)
	for _, bad := range []string{
		"", "urikake_", "urikake__", "urikake_a", "urikake_a_", "urikake__" + secret, "urikake_" + secret,
		"Urikake_a_" + secret, "urikake_a_" + secret[1:], "urikake_a." + secret, "urikake_a b_" + secret, "urikake_a_" + secret + " ",
		" urikake_a_" + secret, "urikake_a_" + secret[:42] + "=", "urikake_a_" + secret[:42] + "+", "urikake_a_" + secret[:42] + "\n",
		"urikake_a_" + secret[:42] + "9", // bits that belong to no byte: a second writing of the same secret
		"urikake_" + strings.Repeat("x", domain.IDMax+1) + "_" + secret,
	} {
		if id, secret, ok := access.ParseToken(bad); ok || id != "" || secret != "" {
			t.Errorf("%q: %q, %q", bad, id, secret)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("urikake_k7Qm2Zt9XwBd_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
	f.Fuzz(func(t *testing.T, text string) {
		if id, secret, ok := access.ParseToken(text); ok && access.Token(id, secret) != text {
			t.Errorf("%q is %q and %q", text, id, secret)
		}
	})
}
