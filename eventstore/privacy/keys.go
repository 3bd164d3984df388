// Package privacy seals what the log holds of people, under a key for each person, and forgets a person by destroying
// that key. The log itself is never changed: amounts and proofs stay, and nobody can read the name any more.
//
// A person is a customer of a seller, written "seller.customer".
package privacy

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
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
// several processes on one directory. It takes some 40 MB however many persons there are.
type Keys struct {
	dir   string                   // "" in memory
	fresh func(name string) []byte // makes a new key
	blind bool

	reading ciphers

	mu        sync.RWMutex
	known     recent[held] // of those that were asked for; in memory of all
	destroyed int          // how often one was; what was looked up before the last time is not kept
	witness   string       // a key's file that was there, and so stays
}

// knownMax is of how many persons keys are kept in memory, some 150 bytes each, so that a replay reads each file once.
const knownMax = 200_000

// held is what a person's file says.
type held struct {
	id     [keyIDSize]byte // tells a key from another
	nonce  [keyBytes]byte  // key of the HMAC that gives nonces
	cipher [keyBytes]byte
	erased bool // there is no key any more
	linked bool // the file has another name still: whoever made it may not have made sure yet that it lasts
}

// Open works in a directory, which is made with its first key.
func Open(dir string) *Keys {
	return &Keys{dir: dir, fresh: random, known: recent[held]{max: knownMax}}
}

// InMemory keeps keys as long as the process lives.
func InMemory() *Keys {
	k := Open("")
	k.known.max = math.MaxInt
	return k
}

// Blind has no keys and misses none: what is sealed reads as empty, for whoever checks a log and may not see names.
func Blind() *Keys {
	k := InMemory()
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

// keyOf derives what is needed of a key.
func keyOf(b []byte) (h held) {
	copy(h.id[:], mac(b, "id"))
	copy(h.nonce[:], mac(b, "nonce"))
	copy(h.cipher[:], mac(b, "seal"))
	return h
}

func (h *held) aead() cipher.AEAD {
	block, err := aes.NewCipher(h.cipher[:])
	if err != nil {
		panic(err) // of a key that is not 32 bytes long
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // of a block cipher that is not AES
	}
	return aead
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

// find gives what a person's file says; found is false where there is none. Many look side by side.
func (k *Keys) find(person string) (h held, found bool, err error) {
	for {
		k.mu.RLock()
		h, found = k.known.get(person)
		destroyed := k.destroyed
		k.mu.RUnlock()
		if found || k.dir == "" {
			return h, found, nil
		}
		if h, found, err = k.read(person); err != nil || !found || k.note(person, h, destroyed) {
			return h, found, err
		}
	}
}

// note keeps what was read, unless somebody was erased meanwhile.
func (k *Keys) note(person string, h held, destroyed int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.destroyed != destroyed {
		return false
	}
	k.known.put(person, h)
	if k.witness == "" {
		k.witness = k.file(person)
	}
	return true
}

// read looks at a person's file.
func (k *Keys) read(person string) (h held, found bool, err error) {
	line, info, err := content(k.file(person))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return h, false, nil
	case err != nil:
		return h, false, ErrUnavailable.With("%v", err)
	}
	of, text, ok := parse(line)
	if !ok || of != person {
		return h, false, ErrUnavailable.With("%s is no key of %s", k.file(person), person)
	}
	if text == erased {
		return held{erased: true}, true, nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) != keyBytes {
		return h, false, ErrUnavailable.With("%s is damaged", k.file(person))
	}
	h = keyOf(b)
	h.linked = links(info) > 1
	return h, true, nil
}

func content(file string) (text []byte, info fs.FileInfo, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err == nil {
		text, err = io.ReadAll(f)
	}
	return text, info, err
}

// lineOf is what a person's file holds: a key in base64, or that it was erased.
func lineOf(person, text string) string { return header + " " + person + " " + text + "\n" }

// parse is its inverse.
func parse(line []byte) (person, text string, ok bool) {
	fields := strings.Fields(string(line))
	if len(fields) != 3 || fields[0] != header {
		return "", "", false
	}
	return fields[1], fields[2], true
}

// file is named by a hash, since some file systems don't tell C1 from c1.
func (k *Keys) file(person string) string {
	sum := sha256.Sum256([]byte(person))
	return filepath.Join(k.dir, hex.EncodeToString(sum[:16])+".key")
}

// make gives a person's key, a new one if there is none; it is on the disk before it is given. Refuses
// privacy.key_destroyed, privacy.keys_unavailable. Others go on meanwhile: the disk takes its time.
func (k *Keys) make(person string) (h held, err error) {
	h, found, err := k.find(person)
	if err == nil && !found {
		if err = k.begin(person); err == nil {
			h, found, err = k.find(person)
		}
		if err == nil && !found {
			err = ErrUnavailable.With("%s has gone", k.file(person))
		}
	}
	switch {
	case err != nil:
	case h.erased:
		err = ErrDestroyed.With("%s", person).At("/customer")
	case h.linked:
		err = k.settle(person)
	}
	return h, err
}

// begin gives a person a key: of two, in whatever processes, the first wins.
func (k *Keys) begin(person string) error {
	b := k.fresh(person)
	if k.dir == "" {
		k.mu.Lock()
		defer k.mu.Unlock()
		if _, found := k.known.get(person); !found {
			k.known.put(person, keyOf(b))
		}
		return nil
	}
	k.mu.RLock()
	witness := k.witness
	k.mu.RUnlock()
	if _, err := os.Stat(witness); witness != "" && err != nil { // a new key in its place would be one too many when they are back
		return ErrUnavailable.With("the keys have gone from %s: %v", k.dir, err)
	}
	err := k.place(person, lineOf(person, base64.StdEncoding.EncodeToString(b)))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return ErrUnavailable.With("%v", err)
	}
	return nil
}

// settle makes sure that a key lasts that somebody else made, who may be just at it, or has ended before it was done.
func (k *Keys) settle(person string) error {
	if err := syncDir(k.dir); err != nil {
		return ErrUnavailable.With("%v", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if h, found := k.known.get(person); found && h.linked {
		h.linked = false
		k.known.put(person, h)
	}
	return nil
}

// writing begins the names of files that are being written.
const writing = ".writing-"

// place writes a person's file under another name and gives it its own, unless there is one, once it is on the disk. The
// other name goes when its own lasts, so that who finds both knows that it may not.
func (k *Keys) place(person, line string) error {
	if err := makeDir(k.dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(k.dir, writing+"*") // for its owner only
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(line)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), k.file(person))
	}
	if err != nil {
		return err
	}
	return syncDir(k.dir)
}

// makeDir makes a directory that lasts, with those above it.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(dir)
	if err := makeDir(above); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(above)
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
// nothing. O(files) the first time. Refuses privacy.keys_unavailable.
func (k *Keys) Destroy(person string) error {
	k.mu.RLock()
	h, found := k.known.get(person)
	k.mu.RUnlock()
	if found && h.erased {
		return nil
	}
	if k.dir != "" {
		if err := k.destroyFile(person); err != nil {
			return ErrUnavailable.With("%v", err)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.destroyed++
	k.reading.forget()
	k.known.put(person, held{erased: true})
	return nil
}

// destroyFile writes word of it over the key, as far as the disk lets it, wherever a process that was killed left it. The
// key's own file comes last: until then all is done again by who comes next.
func (k *Keys) destroyFile(person string) error {
	line, _, err := content(k.file(person))
	if _, text, _ := parse(line); err == nil && text == erased {
		return nil
	}
	if err := k.destroyLeft(person); err != nil {
		return err
	}
	err = overwrite(k.file(person), person)
	if errors.Is(err, fs.ErrNotExist) {
		err = k.place(person, lineOf(person, erased))
	}
	if errors.Is(err, fs.ErrExist) { // somebody else made one meanwhile
		err = overwrite(k.file(person), person)
	}
	return err
}

// destroyLeft looks for keys of a person among files that never got their names.
func (k *Keys) destroyLeft(person string) error {
	dir, err := os.Open(k.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := dir.Readdirnames(-1)
	if err = errors.Join(err, dir.Close()); err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, writing) {
			continue
		}
		file := filepath.Join(k.dir, name)
		line, _, err := content(file)
		if of, _, _ := parse(line); err == nil && of == person {
			err = overwrite(file, person)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// overwrite puts word of the erasure where the key stands, in one write of less than a block, so that the file has the one or
// the other. It stands one place further on than the key did: whoever reads half of each all the same takes it for no key.
func overwrite(file, person string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		line := strings.TrimSuffix(lineOf(person, " "+erased), "\n")
		line += strings.Repeat(" ", max(0, int(info.Size())-len(line)-1)) + "\n"
		_, err = f.WriteAt([]byte(line), 0)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// Destroyed tells whether a person's key was destroyed.
func (k *Keys) Destroyed(person string) (bool, error) {
	h, _, err := k.find(person)
	return h.erased, err
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
	h, err := k.make(secret)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(mac(h.nonce[:], hash)[:16]), nil
}

// CopyTo copies all keys to another store, and word of those that were destroyed, which counts there too.
func (k *Keys) CopyTo(to *Keys) error {
	files, err := filepath.Glob(filepath.Join(k.dir, "*.key"))
	if err != nil {
		return err
	}
	if err := makeDir(to.dir); err != nil {
		return ErrUnavailable.With("%v", err)
	}
	for _, file := range files {
		line, _, err := content(file)
		if err != nil {
			return ErrUnavailable.With("%v", err)
		}
		person, text, ok := parse(line)
		if !ok {
			return ErrUnavailable.With("%s is damaged", file)
		}
		if text == erased {
			err = to.Destroy(person)
		} else if err = to.place(person, string(line)); errors.Is(err, fs.ErrExist) {
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
