package dunning

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	rules "github.com/urikake/urikake/domain/dunning"
)

// Outbox takes letters that go out. It takes each reminder once: what it holds already it keeps as it is, whoever asks at
// the same time.
type Outbox interface {
	// Find gives what became of a reminder's letter, ok false where there is none.
	Find(ctx context.Context, key rules.Key, id rules.ReminderID) (sent Sent, ok bool, err error)
	// Put takes a letter, and returns once it will not get lost. Refuses dunning.letter_withdrawn.
	Put(ctx context.Context, l Letter) (Sent, error)
	// Withdraw keeps a reminder's letter from ever being taken. Where it was taken already, ok is true, and it stays.
	Withdraw(ctx context.Context, key rules.Key, id rules.ReminderID) (sent Sent, ok bool, err error)
}

// Sent is what became of a letter.
type Sent struct {
	TextHash string
	Channel  rules.Channel
	Result   rules.SendResult
}

// ErrOutbox says that letters can't be put away.
var ErrOutbox = &domain.Error{
	Code: domain.Unavailable, Rule: "dunning.outbox_unavailable",
	Text: "the outbox can't be read or written; the reminders stay queued, and sending may be repeated",
}

// ErrWithdrawn refuses a letter that was withdrawn before it came.
var ErrWithdrawn = &domain.Error{
	Code: domain.Refused, Rule: "dunning.letter_withdrawn",
	Text: "the reminder was taken back before its letter was written",
}

// Files is an outbox in a directory: for each reminder a folder with its letter.txt and, for mail, a message.eml
// (RFC 5322) for another program to send. The folder's name is seller, customer, currency and reminder. It is there whole
// or not at all, and where it is, the letter has gone out. Whoever sends the messages may take them away, but not the
// texts.
type Files string

const (
	letterFile    = "letter.txt"
	messageFile   = "message.eml"
	withdrawnFile = "withdrawn.txt"
)

// Find looks for the text.
func (dir Files) Find(_ context.Context, key rules.Key, id rules.ReminderID) (Sent, bool, error) {
	path := filepath.Join(dir.folder(key, id), letterFile)
	whole, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Sent{}, false, nil
	case err != nil:
		return Sent{}, false, ErrOutbox.With("%v", err)
	}
	head, body, ok := strings.Cut(string(whole), "\n\n")
	channel, named := strings.CutPrefix(strings.SplitN(head, "\n", 2)[0], "Channel: ")
	if !ok || !named {
		return Sent{}, false, ErrOutbox.With("%s is not a letter", path)
	}
	return Sent{Letter{Text: body}.Hash(), rules.Channel(channel), rules.Accepted}, true, nil
}

// Put writes the text, and for mail the message.
func (dir Files) Put(ctx context.Context, l Letter) (Sent, error) {
	files := map[string][]byte{letterFile: sheet(l)}
	if l.Channel == rules.Mail {
		files[messageFile] = message(l)
	}
	sent, ok, err := dir.place(ctx, l.Key, l.Reminder, files)
	if err == nil && !ok {
		err = ErrWithdrawn.With("%s", l.Reminder)
	}
	return sent, err
}

// Withdraw takes the letter's place.
func (dir Files) Withdraw(ctx context.Context, key rules.Key, id rules.ReminderID) (Sent, bool, error) {
	return dir.place(ctx, key, id, map[string][]byte{withdrawnFile: []byte("This reminder was dropped before its letter was written.\n")})
}

// Forget takes away all letters to a customer. Doing it again does nothing.
func (dir Files) Forget(key customer.Key) error {
	entries, err := os.ReadDir(string(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ErrOutbox.With("%v", err)
	}
	prefix := string(key.Seller) + "." + string(key.Customer) + "."
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) || isLeft(e) {
			if err := os.RemoveAll(filepath.Join(string(dir), e.Name())); err != nil {
				return ErrOutbox.With("%v", err)
			}
		}
	}
	return nil
}

// writingMax is how long a letter takes to be written at most.
const writingMax = time.Hour

// isLeft tells what a process that was killed left of a letter, anybody's.
func isLeft(e fs.DirEntry) bool {
	info, err := e.Info()
	return err == nil && strings.HasPrefix(e.Name(), writingPrefix) && time.Since(info.ModTime()) > writingMax
}

// place writes a reminder's folder unless it is there, and gives what it holds then.
func (dir Files) place(ctx context.Context, key rules.Key, id rules.ReminderID, files map[string][]byte) (Sent, bool, error) {
	folder := dir.folder(key, id)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		if err := whole(folder, files); err != nil {
			return Sent{}, false, ErrOutbox.With("%v", err)
		}
	}
	return dir.Find(ctx, key, id)
}

// folder has a dot between ids, which none of them has.
func (dir Files) folder(key rules.Key, id rules.ReminderID) string {
	return filepath.Join(string(dir), strings.Join([]string{string(key.Seller), string(key.Customer), string(key.Currency), string(id)}, "."))
}

// whole writes a folder under another name, and gives it its own once it is on the disk. A folder with files in it is not
// replaced: who comes second leaves it as it is.
func whole(folder string, files map[string][]byte) (err error) {
	above := filepath.Dir(folder)
	if err := os.MkdirAll(above, 0o700); err != nil {
		return err
	}
	writing, err := os.MkdirTemp(above, writingPrefix+"*")
	if err != nil {
		return err
	}
	for name, content := range files {
		if err == nil {
			err = keep(filepath.Join(writing, name), content)
		}
	}
	if err == nil {
		err = syncDir(writing)
	}
	if err == nil {
		err = os.Rename(writing, folder)
	}
	if err != nil {
		err = errors.Join(err, os.RemoveAll(writing))
		if _, there := os.Stat(folder); there == nil {
			return nil // somebody else was faster
		}
		return err
	}
	return syncDir(above)
}

func keep(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
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

// sheet is the letter for people: how it goes and to whom, then the text.
func sheet(l Letter) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Channel: %s\nTo: %s\n", l.Channel, l.To.Name)
	if l.To.Email != "" && l.Channel == rules.Mail {
		fmt.Fprintf(&b, "E-mail: %s\n", l.To.Email)
	}
	if l.To.Phone != "" && (l.Channel == rules.Phone || l.Channel == rules.SMS) {
		fmt.Fprintf(&b, "Telephone: %s\n", l.To.Phone)
	}
	if l.To.Address != "" && (l.Channel == rules.Letter || l.Channel == rules.RegisteredLetter) {
		fmt.Fprintf(&b, "Address: %s\n", strings.Join(strings.FieldsFunc(l.To.Address, func(r rune) bool { return r == '\n' || r == '\r' }), "\n         "))
	}
	fmt.Fprintf(&b, "Subject: %s\n\n%s", l.Subject, l.Text)
	return b.Bytes()
}

const writingPrefix = ".writing-"

const lineMax = 76 // characters of a line with encoded words or base64

// message is the letter as mail. Every line is ASCII; those that hold what is not are of at most lineMax characters.
func message(l Letter) []byte {
	var b bytes.Buffer
	header := func(name, value string) {
		first, _, _ := strings.Cut(value, "\r\n")
		if strings.HasPrefix(value, "=?") && len(name)+2+len(first) > lineMax {
			value = "\r\n " + value
		}
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}
	header("From", address(l.From))
	header("To", address(l.To))
	header("Subject", folded(l.Subject))
	header("Date", l.At.Format(time.RFC1123Z))
	header("Message-ID", "<"+derived("message", l.Stream(), string(l.Reminder))+"@urikake.invalid>")
	header("Auto-Submitted", "auto-generated")
	header("Content-Language", string(l.Language))
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "base64")
	b.WriteString("\r\n")
	body := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(l.Text, "\n", "\r\n")))
	for len(body) > 0 {
		n := min(lineMax, len(body))
		b.WriteString(body[:n] + "\r\n")
		body = body[n:]
	}
	return b.Bytes()
}

// address is a name and an e-mail address; a name that is not plain ASCII stands in encoded words.
func address(p Party) string {
	if !strings.ContainsFunc(p.Name, func(r rune) bool { return r > '~' || r < ' ' }) {
		return (&mail.Address{Name: p.Name, Address: p.Email}).String()
	}
	return folded(p.Name) + "\r\n <" + p.Email + ">"
}

// folded is header text; encoded words stand one a line.
func folded(text string) string {
	return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", text), " =?", "\r\n =?")
}
