package privacy

import (
	"bytes"
	"encoding/base64"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
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
// makes the key. Refuses privacy.key_destroyed, privacy.keys_unavailable.
func (k *Keys) Seal(data []byte, members []string, at Place) ([]byte, error) {
	return rewrite(data, members, func(b []byte, member string, value jsontext.Value) ([]byte, bool, error) {
		key, err := k.make(at.Person)
		if err != nil {
			return b, false, err
		}
		if key == nil {
			return b, false, ErrDestroyed.With("%s", at.Person).At("/customer")
		}
		return key.seal(b, member, value, at), true, nil
	})
}

func (k *key) seal(b []byte, member string, value []byte, at Place) []byte {
	nonce := mac(k.nonce, at.Stream, at.Salt, member, string(value))[:nonceSize]
	box := append(append(make([]byte, 0, keyIDSize+nonceSize+len(value)+k.aead.Overhead()), k.id...), nonce...)
	box = k.aead.Seal(box, nonce, value, authenticated(at.Stream, member))
	b = append(b, sealedOpen...)
	return append(base64.StdEncoding.AppendEncode(b, box), sealedEnd...)
}

func authenticated(stream, member string) []byte { return []byte(stream + "\x00" + member) }

// Open opens what Seal sealed. Members whose key was destroyed are left out. k may be nil. Refuses
// privacy.key_missing, privacy.keys_unavailable. Nothing is copied where nothing is sealed.
func (k *Keys) Open(data []byte, members []string, at Place) ([]byte, error) {
	if !bytes.Contains(data, sealedOpen) {
		return data, nil
	}
	return rewrite(data, members, func(b []byte, member string, value jsontext.Value) ([]byte, bool, error) {
		box, ok := bytes.CutPrefix(value, sealedOpen)
		if box, ok = bytes.CutSuffix(box, sealedEnd); !ok || !bytes.HasPrefix(value, sealedOpen) {
			return append(b, value...), true, nil // written before anything was sealed
		}
		plain, keep, err := k.open(box, member, at)
		return append(b, plain...), keep, err
	})
}

func (k *Keys) open(text []byte, member string, at Place) (plain []byte, keep bool, err error) {
	if k == nil {
		return nil, false, ErrMissing.With("%s", at.Person)
	}
	key, found, err := k.find(at.Person)
	if err != nil || found && key == nil {
		return nil, false, err
	}
	box := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(box, text)
	if box = box[:n]; err != nil || n < keyIDSize+nonceSize {
		return nil, false, ErrMissing.With("%s: %s of %s is no sealed text", at.Person, member, at.Stream)
	}
	if !found || !bytes.Equal(box[:keyIDSize], key.id) {
		if k.lost() {
			return nil, false, nil
		}
		return nil, false, ErrMissing.With("%s in %s", at.Person, k.dir)
	}
	box = box[keyIDSize:]
	plain, err = key.aead.Open(nil, box[:nonceSize], box[nonceSize:], authenticated(at.Stream, member))
	if err != nil {
		return nil, false, ErrMissing.With("%s: %s of %s was changed, or moved from elsewhere", at.Person, member, at.Stream)
	}
	return plain, true, nil
}

// rewrite gives each of an object's members to change, which appends what is to stand in its place, or tells to leave
// it out. Data that is no JSON object is given back as it is: whoever decodes it says what is wrong.
func rewrite(data []byte, members []string, change func(b []byte, member string, value jsontext.Value) ([]byte, bool, error)) ([]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '{' {
		return data, nil
	}
	out, changed := append(make([]byte, 0, 2*len(data)+64), '{'), false
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return data, nil
		}
		member := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return data, nil
		}
		start := len(out)
		if start > 1 {
			out = append(out, ',')
		}
		if out, err = jsontext.AppendQuote(out, member); err != nil {
			return data, nil
		}
		out = append(out, ':')
		keep := true
		if slices.Contains(members, member) {
			changed = true
			if out, keep, err = change(out, member, value); err != nil {
				return nil, err
			}
		} else {
			out = append(out, value...)
		}
		if !keep {
			out = out[:start]
		}
	}
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '}' || !changed {
		return data, nil
	}
	return append(out, '}'), nil
}

// SealFile seals a file about a person, such as a letter, for a backup. Refuses what Seal refuses.
func (k *Keys) SealFile(person, name string, data []byte) ([]byte, error) {
	key, err := k.make(person)
	if err == nil && key == nil {
		err = ErrDestroyed.With("%s", person)
	}
	if err != nil {
		return nil, err
	}
	return key.seal(nil, fileMember, data, Place{Stream: name}), nil
}

// OpenFile opens what SealFile sealed; keep is false where the key was destroyed. Refuses what Open refuses.
func (k *Keys) OpenFile(person, name string, data []byte) (plain []byte, keep bool, err error) {
	box, ok := bytes.CutPrefix(data, sealedOpen)
	if box, ok = bytes.CutSuffix(box, sealedEnd); !ok || !bytes.HasPrefix(data, sealedOpen) {
		destroyed, err := k.Destroyed(person) // sealed by nobody
		return data, !destroyed, err
	}
	return k.open(box, fileMember, Place{Person: person, Stream: name})
}

const fileMember = "file"
