package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore/privacy"
)

// keysName is where a ledger's directory has the keys of personal data, or a file that says where they are: a copy for
// looking uses those of the ledger that it was made of, so that who is erased there is erased in it too.
const keysName = "keys"

// keysDir is where the session's keys are.
func (s *session) keysDir() (string, error) {
	if s.keys != "" {
		return s.keys, nil
	}
	own := filepath.Join(s.dir, keysName)
	info, err := os.Stat(own)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return own, nil
	}
	if err == nil {
		var elsewhere []byte
		if elsewhere, err = os.ReadFile(own); err == nil {
			return strings.TrimSpace(string(elsewhere)), nil
		}
	}
	return "", privacy.ErrUnavailable.With("%v", err)
}

// privacy is the session's keys.
func (s *session) privacy() (*privacy.Keys, error) {
	dir, err := s.keysDir()
	if err != nil {
		return nil, err
	}
	keys := privacy.Open(dir)
	if s.seed != nil {
		keys.Seeded(*s.seed)
	}
	return keys, nil
}

// pointKeys makes a copy in a directory use the session's keys.
func (s *session) pointKeys(copied string) error {
	dir, err := s.keysDir()
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(copied, keysName), []byte(dir+"\n"), 0o600)
	}
	return err
}

// addressee is the person to whom a file of the outbox is; "" for what is nobody's letter.
func addressee(name string) string {
	parts := strings.Split(filepath.Base(filepath.Dir(filepath.FromSlash(name))), ".")
	if len(parts) != 4 {
		return ""
	}
	return parts[0] + "." + parts[1]
}

// keysFrom is the keys in a directory, or the session's own.
func (s *session) keysFrom(dir string) (*privacy.Keys, error) {
	if dir == "" {
		return s.privacy()
	}
	return privacy.Open(dir), nil
}

// takeKeys copies keys from a directory to the session's own.
func (s *session) takeKeys(from string, keys *privacy.Keys) error {
	if from == "" {
		return nil
	}
	to, err := s.privacy()
	if err != nil {
		return err
	}
	return keys.CopyTo(to)
}

// named tells whom a key is missed by how to bring it along.
func named(err error) error {
	var missing *domain.Error
	if errors.As(err, &missing) && missing.Rule == privacy.ErrMissing.Rule {
		return missing.With("%s; --with-keys DIR brings them along", missing.Detail)
	}
	return err
}
