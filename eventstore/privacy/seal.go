package privacy

import (
	"bytes"
	"encoding/base64"
	"slices"
)

// A sealed member is an object with one member, sealed: base64 of the key's id, the nonce, and what AES-256-GCM gives.
// Stream and member are authenticated with it, so that it can't be moved elsewhere. The nonce is an HMAC of all that is
// sealed, where, and by which command (a synthetic IV): the same command gives the same bytes whenever it is repeated,
// and no two different texts share a nonce.
var (
	sealedOpen = []byte(`{"sealed":"`)
	sealedEnd  = []byte(`"}`)
)

const nonceSize = 12

// Place is where a sealed member stands.
type Place struct {
	Person string
	Stream string
	Salt   string // tells two events of a stream apart; for Seal only
}

// Seal seals members of a JSON object; data that has none of them is given back as it is. A person's first sealed datum
// makes the key. Refuses privacy.key_destroyed, privacy.keys_unavailable. O(bytes).
func (k *Keys) Seal(data []byte, members []string, at Place) ([]byte, error) {
	return rewrite(data, members, func(b []byte, member string, value []byte) ([]byte, bool, error) {
		h, err := k.make(at.Person)
		if err != nil {
			return b, false, err
		}
		return h.seal(b, member, value, at), true, nil
	})
}

func (h *held) seal(b []byte, member string, value []byte, at Place) []byte {
	aead, nonce := h.aead(), mac(h.nonce[:], at.Stream, at.Salt, member, string(value))[:nonceSize]
	box := append(append(make([]byte, 0, keyIDSize+nonceSize+len(value)+aead.Overhead()), h.id[:]...), nonce...)
	box = aead.Seal(box, nonce, value, authenticated(at.Stream, member))
	b = append(b, sealedOpen...)
	return append(base64.StdEncoding.AppendEncode(b, box), sealedEnd...)
}

func authenticated(stream, member string) []byte { return []byte(stream + "\x00" + member) }

// Sealed tells whether anything in an event's data may be sealed.
func Sealed(data []byte) bool { return bytes.Contains(data, sealedOpen) }

// Open opens what Seal sealed. Members whose key was destroyed are left out. k may be nil. Refuses
// privacy.key_missing, privacy.keys_unavailable. O(bytes), and nothing is copied where nothing is sealed.
func (k *Keys) Open(data []byte, members []string, at Place) ([]byte, error) {
	if !Sealed(data) {
		return data, nil
	}
	return rewrite(data, members, func(b []byte, member string, value []byte) ([]byte, bool, error) {
		box, ok := sealedIn(value)
		if !ok {
			return append(b, value...), true, nil // written before anything was sealed
		}
		plain, keep, err := k.open(box, member, at)
		return append(b, plain...), keep, err
	})
}

// sealedIn is the text in a sealed member. What is shorter, or more, is attributes by such names.
func sealedIn(value []byte) (text []byte, ok bool) {
	if text, ok = bytes.CutPrefix(value, sealedOpen); !ok {
		return nil, false
	}
	text, ok = bytes.CutSuffix(text, sealedEnd)
	return text, ok && len(text) >= sealedMin && bytes.IndexByte(text, '"') < 0
}

// sealedMin is the length, in base64, of what seals the shortest value.
const sealedMin = (keyIDSize + nonceSize + 16) / 3 * 4

func (k *Keys) open(text []byte, member string, at Place) (plain []byte, keep bool, err error) {
	if k == nil {
		return nil, false, ErrMissing.With("%s", at.Person)
	}
	h, found, err := k.find(at.Person)
	if err != nil || h.erased {
		return nil, false, err
	}
	box := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(box, text)
	if box = box[:n]; err != nil || n < keyIDSize+nonceSize {
		return nil, false, ErrMissing.With("%s: %s of %s is no sealed text", at.Person, member, at.Stream)
	}
	if !found || !bytes.Equal(box[:keyIDSize], h.id[:]) {
		if k.lost() {
			return nil, false, nil
		}
		return nil, false, ErrMissing.With("%s in %s", at.Person, k.dir)
	}
	nonce, sealed := box[keyIDSize:][:nonceSize], box[keyIDSize+nonceSize:]
	plain, err = k.reading.of(&h).Open(sealed[:0], nonce, sealed, authenticated(at.Stream, member))
	if err != nil {
		return nil, false, ErrMissing.With("%s: %s of %s was changed, or moved from elsewhere", at.Person, member, at.Stream)
	}
	return plain, true, nil
}

// rewrite gives each of an object's members to change, which appends what is to stand in its place, or tells to leave
// it out. Data that is no JSON object is given back as it is: whoever decodes it says what is wrong.
func rewrite(data []byte, members []string, change func(b []byte, member string, value []byte) ([]byte, bool, error)) ([]byte, error) {
	var out []byte // nil while all is as it was
	var err error
	whole := eachMember(data, func(before int, name, value []byte) bool {
		wanted := slices.IndexFunc(members, func(m string) bool { return string(name) == m })
		if wanted < 0 && out == nil {
			return true
		}
		if out == nil {
			out = append(make([]byte, 0, len(data)+len(data)/2+128), data[:before]...)
		}
		start, keep := len(out), true
		if out[start-1] != '{' {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), name...), '"', ':')
		if wanted < 0 {
			out = append(out, value...)
		} else if out, keep, err = change(out, members[wanted], value); !keep {
			out = out[:start]
		}
		return err == nil
	})
	switch {
	case err != nil:
		return nil, err
	case !whole || out == nil:
		return data, nil
	}
	return append(out, '}'), nil
}

// SealFile seals a file about a person, such as a letter, for a backup. Refuses what Seal refuses.
func (k *Keys) SealFile(person, name string, data []byte) ([]byte, error) {
	h, err := k.make(person)
	if err != nil {
		return nil, err
	}
	return h.seal(nil, fileMember, data, Place{Stream: name}), nil
}

// OpenFile opens what SealFile sealed; keep is false where the key was destroyed. Refuses what Open refuses.
func (k *Keys) OpenFile(person, name string, data []byte) (plain []byte, keep bool, err error) {
	box, ok := sealedIn(data)
	if !ok {
		destroyed, err := k.Destroyed(person) // sealed by nobody
		return data, !destroyed, err
	}
	return k.open(box, fileMember, Place{Person: person, Stream: name})
}

const fileMember = "file"
