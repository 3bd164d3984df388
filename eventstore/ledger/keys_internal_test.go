package ledger

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/urikake/urikake/eventstore"
)

func TestRealms(t *testing.T) {
	for stream, want := range map[string][2]string{
		"seller-S1":                {"S1", "seller-S1"},
		"customer-S1.C1":           {"S1", "customer-S1.C1"},
		"account-S1.C1.JPY":        {"S1", "account-S1.C1.JPY"},
		"account-S1.C1.JPY.2027":   {"S1", "account-S1.C1.JPY"},
		"account-S-1.C-1.JPY.Q1-2": {"S-1", "account-S-1.C-1.JPY"},
		"account-S1":               {"S1", "account-S1"},
		"access-roles":             {"", ""},
		"":                         {"", ""},
	} {
		if realm, base := realmOf(stream); [2]string{realm, base} != want {
			t.Errorf("%s: %q, %q, want %q", stream, realm, base, want)
		}
	}
}

// The table, whose slots are few and often meet, is compared with a map and a list.
func TestTheMostRecentAreRemembered(t *testing.T) {
	const most, rounds, distinct = 16, 20_000, 40
	k := newKeys(most)
	rng := rand.New(rand.NewPCG(1, 2))
	var order []uint64
	content := map[uint64]uint64{}
	for range rounds {
		u := use{key: rng.Uint64N(distinct) * 7 % 64, content: 1 + rng.Uint64N(2)}
		k.remember(u)
		switch was, known := content[u.key]; {
		case !known:
			if order = append(order, u.key); len(order) > most {
				delete(content, order[0])
				order = order[1:]
			}
			content[u.key] = u.content
		case was != u.content:
			content[u.key] = several
		}
		for key := range uint64(64) {
			want, known := content[key]
			slot, ok := k.find(key)
			if ok != known || ok && k.recent[k.places[slot]-1] != (use{key, want}) {
				t.Fatalf("%d: found %v, want %v", key, ok, known)
			}
		}
	}
}

// BenchmarkKeys is what a command pays for its key while all room is taken.
func BenchmarkKeys(b *testing.B) {
	k := newKeys(KeysMax)
	for i := range KeysMax {
		k.remember(use{k.use("S1", "", strconv.Itoa(i), "").key, 1})
	}
	env := eventstore.Envelope{Hash: "5f0c7a525f3e5f6b9a3f7d3c1c1d9e41"}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		env := env
		for i := rand.IntN(1e9); pb.Next(); i++ { // each key is new, so each makes an old one go
			env.CommandID = "0198c5d2-7c1e-7000-8000-" + strconv.Itoa(i)
			u, err := k.claim("account-S0001.C00001.JPY.2027", env)
			if err != nil {
				b.Error(err)
			}
			k.settle(u, nil)
		}
	})
}
