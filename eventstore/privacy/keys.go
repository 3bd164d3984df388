// Package privacy seals what the log holds of people, under a key for each person, and forgets a person by destroying
// that key. The log itself is never changed: amounts and proofs stay, and nobody can read the name any more.
//
// A person is a customer of a seller, written "seller.customer".
package privacy

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/urikake/urikake/domain"
)

var (
	ErrMissing = &domain.Error{
		Code: domain.Internal, Rule: "privacy.key_missing",
		Text: "a key of personal data is missing; bring the newest copy of the keys back, or name their directory with --keys DIR. " +
			"If they are lost for good, an empty file named lost in that directory lets the books be read without the names",
	}
	ErrDestroyed = &domain.Error{
		Code: domain.Refused, Rule: "privacy.key_destroyed",
		Text: "the key of this customer's personal data was destroyed for good; register the customer under a new id",
	}
	ErrUnavailable = &domain.Error{
		Code: domain.Unavailable, Rule: "privacy.keys_unavailable",
		Text: "the keys of personal data can't be read or written now; the same command may be sent again",
	}
)

// Keys is the key store: one 256-bit key a person, each in a file of its own. It may be used by many at once, also by
// several processes on one directory.
type Keys struct {
	dir   string                   // "" in memory
	fresh func(name string) []byte // makes a new key
	blind bool

	mu    sync.RWMutex
	known map[string]*key // of those that were asked for; nil key: destroyed
}

// key is what seals one person's data.
type key struct {
	id    []byte // tells it from another
	nonce []byte // key of the HMAC that gives nonces
	aead  cipher.AEAD
}

// Open works in a directory, which is made with its first key.
func Open(dir string) *Keys { return &Keys{dir: dir, fresh: random, known: make(map[string]*key)} }

// InMemory keeps keys as long as the process lives.
func InMemory() *Keys { return Open("") }

// Blind has no keys and misses none: what is sealed reads as empty, for whoever checks a log and may not see names.
func Blind() *Keys {
	k := Open("")
	k.blind = true
	return k
}

// Seeded makes all new keys from a seed instead of by chance, for made-up data that is to be the same each time.
func (k *Keys) Seeded(seed int64) *Keys {
	k.fresh = func(name string) []byte { return mac(fmt.Appendf(nil, "urikake demo %d", seed), name) }
	return k
}

func random(string) []byte {
	b := make([]byte, keyBytes)
	rand.Read(b) // never fails
	return b
}

const (
	keyBytes  = 32
	keyIDSize = 4
	header    = "urikake-key-1" // a key's file is one line: header, person, and key or erased
	erased    = "erased"
	lostFile  = "lost"
	secret    = ".hashes" // no person: its key is for Hash
)

func newKey(b []byte) *key {
	block, err := aes.NewCipher(mac(b, "seal"))
	if err != nil {
		panic(err) // of a key that is not 32 bytes long
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // of a block cipher that is not AES
	}
	return &key{mac(b, "id")[:keyIDSize], mac(b, "nonce"), aead}
}

// mac is the HMAC of parts, none of which runs into the next.
func mac(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	var b []byte
	for _, p := range parts {
		b = append(strconv.AppendInt(b, int64(len(p)), 10), ':')
		b = append(b, p...)
	}
	h.Write(b) // never fails
	return h.Sum(nil)
}

// find gives a person's key: nil if it was destroyed. found is false where there never was one.
func (k *Keys) find(person string) (key *key, found bool, err error) {
	k.mu.RLock()
	key, found = k.known[person]
	k.mu.RUnlock()
	if found || k.dir == "" {
		return key, found, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.read(person)
}

// read looks at a person's file. The caller holds mu.
func (k *Keys) read(person string) (*key, bool, error) {
	line, err := os.ReadFile(k.file(person))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, ErrUnavailable.With("%v", err)
	}
	fields := strings.Fields(string(line))
	if len(fields) != 3 || fields[0] != header || fields[1] != person {
		return nil, false, ErrUnavailable.With("%s is no key of %s", k.file(person), person)
	}
	if fields[2] == erased {
		k.known[person] = nil
		return nil, true, nil
	}
	b, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil || len(b) != keyBytes {
		return nil, false, ErrUnavailable.With("%s is damaged", k.file(person))
	}
	k.known[person] = newKey(b)
	return k.known[person], true, nil
}

// file is named by a hash, since some file systems don't tell C1 from c1.
func (k *Keys) file(person string) string {
	sum := sha256.Sum256([]byte(person))
	return filepath.Join(k.dir, hex.EncodeToString(sum[:16])+".key")
}

// make gives a person's key, a new one if there is none; it is on the disk before it is given. nil if it was destroyed.
// Others go on meanwhile: the disk takes its time.
func (k *Keys) make(person string) (*key, error) {
	key, found, err := k.find(person)
	if found || err != nil {
		return key, err
	}
	b := k.fresh(person)
	if k.dir == "" {
		k.mu.Lock()
		defer k.mu.Unlock()
		if _, found := k.known[person]; !found {
			k.known[person] = newKey(b)
		}
		return k.known[person], nil
	}
	line := fmt.Sprintf("%s %s %s\n", header, person, base64.StdEncoding.EncodeToString(b))
	err = k.place(person, line, os.Link) // of two, in whatever processes, the first wins
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, ErrUnavailable.With("%v", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key, found, err = k.read(person)
	if err == nil && !found {
		err = ErrUnavailable.With("%s has gone", k.file(person))
	}
	return key, err
}

// place writes a person's file under another name and gives it its own once it is on the disk.
func (k *Keys) place(person, line string, name func(from, to string) error) error {
	if err := k.begin(); err != nil {
		return err
	}
	f, err := os.CreateTemp(k.dir, ".writing-*") // for its owner only
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(line)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = name(f.Name(), k.file(person))
	}
	if err != nil {
		return err
	}
	return syncDir(k.dir)
}

// begin makes the directory if it is not there.
func (k *Keys) begin() error {
	if _, err := os.Stat(k.dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return err
	}
	return syncDir(filepath.Dir(k.dir))
}

// syncDir makes what a directory holds last. Some systems can't; there it lasts by itself or not at all.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}

// Destroy destroys a person's key for good, and leaves word of it, so that no new one is ever made. Doing it again does
// nothing. Refuses privacy.keys_unavailable.
func (k *Keys) Destroy(person string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key, found := k.known[person]; found && key == nil {
		return nil
	}
	if k.dir != "" {
		if err := k.destroyFile(person); err != nil {
			return ErrUnavailable.With("%v", err)
		}
	}
	k.known[person] = nil
	return nil
}

// destroyFile puts word of it in the key's place first, and then overwrites the key, as far as the disk lets it.
func (k *Keys) destroyFile(person string) error {
	line := fmt.Sprintf("%s %s %s\n", header, person, erased)
	if old, err := os.ReadFile(k.file(person)); err == nil && string(old) == line {
		return nil
	}
	old, err := os.OpenFile(k.file(person), os.O_WRONLY, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := k.place(person, line, os.Rename); err != nil || old == nil {
		return err
	}
	info, err := old.Stat()
	if err == nil {
		_, err = old.WriteAt(bytes.Repeat([]byte{0}, int(info.Size())), 0)
	}
	return errors.Join(err, old.Sync(), old.Close())
}

// Destroyed tells whether a person's key was destroyed.
func (k *Keys) Destroyed(person string) (bool, error) {
	key, found, err := k.find(person)
	return found && key == nil, err
}

// lost tells that whoever keeps the books has given up on keys that are missing.
func (k *Keys) lost() bool {
	if k.dir == "" {
		return k.blind
	}
	_, err := os.Stat(filepath.Join(k.dir, lostFile))
	return err == nil
}

// Hash makes of a hash of personal data one that nobody can find by guessing the data who has the log and no keys.
func (k *Keys) Hash(hash string) (string, error) {
	key, err := k.make(secret)
	if err != nil {
		return "", err
	}
	if key == nil {
		return hash, nil
	}
	return hex.EncodeToString(mac(key.nonce, hash)[:16]), nil
}

// CopyTo copies all keys to another store, and word of those that were destroyed, which counts there too.
func (k *Keys) CopyTo(to *Keys) error {
	files, err := filepath.Glob(filepath.Join(k.dir, "*.key"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to.dir, 0o700); err != nil {
		return ErrUnavailable.With("%v", err)
	}
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			return ErrUnavailable.With("%v", err)
		}
		fields := strings.Fields(string(line))
		if len(fields) != 3 {
			return ErrUnavailable.With("%s is damaged", file)
		}
		if fields[2] == erased {
			err = to.Destroy(fields[1])
		} else if err = to.place(fields[1], string(line), os.Link); errors.Is(err, fs.ErrExist) {
			err = nil
		}
		if err != nil {
			return ErrUnavailable.With("%v", err)
		}
	}
	if k.lost() {
		return os.WriteFile(filepath.Join(to.dir, lostFile), nil, 0o600)
	}
	return nil
}
