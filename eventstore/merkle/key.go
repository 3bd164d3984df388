package merkle

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/urikake/urikake/domain"
)

// Names of files in the data directory.
const (
	keyFile    = "audit.key" // signs; for its owner only
	publicFile = "audit.pub" // checks: one public key a line, the newest last
)

var (
	ErrNoKey = &domain.Error{
		Code: domain.Refused, Rule: "audit.no_key",
		Text: "there is no key to sign with; make one with `urikake audit keygen`",
	}
	ErrBadKey = &domain.Error{
		Code: domain.Invalid, Rule: "audit.bad_key",
		Text: "the key can't be read; a public key reads name+hash+letters, as `urikake audit keygen` printed it",
	}
	ErrKeyExists = &domain.Error{
		Code: domain.Refused, Rule: "audit.key_exists",
		Text: "the ledger has a key to sign with; to begin with another, move audit.key away and keep audit.pub",
	}
	ErrKeyOpen = &domain.Error{
		Code: domain.Refused, Rule: "audit.key_open",
		Text: "others can read the key that signs: chmod 600 it, and if they may have read it, make another",
	}
	ErrBadName = &domain.Error{
		Code: domain.Invalid, Rule: "audit.bad_name",
		Text: "a key's name is 1 to 100 letters without spaces and +, such as ledger.example/yamato",
	}
)

// Keygen makes an Ed25519 key under which the ledger in dir signs checkpoints, for its owner only, and gives the public
// key. Refuses audit.key_exists, audit.bad_name.
func Keygen(dir, name string) (public string, err error) {
	if name == "" || len(name) > 100 || strings.ContainsAny(name, "+ \t\r\n") || domain.CheckLine(name, true, 100) != nil {
		return "", ErrBadName.With("%.120q", name)
	}
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, directories); err != nil {
		return "", err
	}
	path := filepath.Join(dir, keyFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return "", ErrKeyExists.With("%s", path)
	}
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(secret + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", err
	}
	p, err := os.OpenFile(filepath.Join(dir, publicFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return "", err
	}
	_, err = p.WriteString(public + "\n")
	return public, errors.Join(err, p.Sync(), p.Close())
}

// signer reads the key that signs. Refuses audit.no_key, audit.bad_key, audit.key_open.
func signer(dir string) (note.Signer, error) {
	path := filepath.Join(dir, keyFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, ErrKeyOpen.With("%s has mode %o", path, info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := note.NewSigner(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, ErrBadKey.With("%s", path)
	}
	return s, nil
}

// Verifiers reads public keys. Refuses audit.bad_key.
func Verifiers(keys ...string) (list []note.Verifier, err error) {
	for _, key := range keys {
		v, err := note.NewVerifier(strings.TrimSpace(key))
		if err != nil {
			return nil, ErrBadKey.With("%.120q", key)
		}
		list = append(list, v)
	}
	return list, nil
}

// PublicKeys are those that stand beside the ledger in dir; whoever can write there can write others.
func PublicKeys(dir string) (keys []string, err error) {
	b, err := os.ReadFile(filepath.Join(dir, publicFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return strings.Fields(string(b)), err
}

// Sign signs another note about the ledger in dir with its key: text writes it, with the key's name in it. It must not
// read like a checkpoint. Refuses audit.no_key, audit.bad_key, audit.key_open.
func Sign(dir string, text func(name string) string) (signed string, err error) {
	s, err := signer(dir)
	if err != nil {
		return "", err
	}
	b, err := note.Sign(&note.Note{Text: text(s.Name())}, s)
	return string(b), err
}
