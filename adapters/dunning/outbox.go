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
	rules "github.com/urikake/urikake/domain/dunning"
)

// Outbox takes letters that go out. It takes each reminder once: what it holds already it keeps as it is.
type Outbox interface {
	// Find gives what became of a reminder's letter, ok false where there is none yet.
	Find(ctx context.Context, key rules.Key, id rules.ReminderID) (sent Sent, ok bool, err error)
	// Put takes a letter, and returns once it will not get lost.
	Put(ctx context.Context, l Letter) (Sent, error)
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

// Files is an outbox in a directory: for each reminder a text, and for mail a message (RFC 5322) besides, for another
// program to send. Each is written whole or not at all, the text last: where it is, the letter has gone out. The name
// is seller, customer, currency and reminder. Whoever sends the messages may take them away, but not the texts.
type Files string

// Find looks for the text.
func (dir Files) Find(_ context.Context, key rules.Key, id rules.ReminderID) (Sent, bool, error) {
	whole, err := os.ReadFile(dir.path(key, id, ".txt"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Sent{}, false, nil
	case err != nil:
		return Sent{}, false, ErrOutbox.With("%v", err)
	}
	head, body, ok := strings.Cut(string(whole), "\n\n")
	channel, named := strings.CutPrefix(strings.SplitN(head, "\n", 2)[0], "Channel: ")
	if !ok || !named {
		return Sent{}, false, ErrOutbox.With("%s is not a letter", dir.path(key, id, ".txt"))
	}
	return Sent{Letter{Text: body}.Hash(), rules.Channel(channel), rules.Accepted}, true, nil
}

// Put writes the message, then the text.
func (dir Files) Put(ctx context.Context, l Letter) (Sent, error) {
	if sent, ok, err := dir.Find(ctx, l.Key, l.Reminder); ok || err != nil {
		return sent, err
	}
	if l.Channel == rules.Mail {
		if err := replace(dir.path(l.Key, l.Reminder, ".eml"), message(l)); err != nil {
			return Sent{}, ErrOutbox.With("%v", err)
		}
	}
	if err := replace(dir.path(l.Key, l.Reminder, ".txt"), sheet(l)); err != nil {
		return Sent{}, ErrOutbox.With("%v", err)
	}
	return Sent{l.Hash(), l.Channel, rules.Accepted}, nil
}

// path has a dot between ids, which none of them has.
func (dir Files) path(key rules.Key, id rules.ReminderID, ext string) string {
	name := strings.Join([]string{string(key.Seller), string(key.Customer), string(key.Currency), string(id)}, ".")
	return filepath.Join(string(dir), name+ext)
}

// replace writes a file under another name, and gives it its own once it is on the disk.
func replace(path string, content []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".writing-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename last. Some systems can't; there it lasts by itself or not at all.
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
	fmt.Fprintf(&b, "Subject: %s\n\n%s", l.Subject, l.Text)
	return b.Bytes()
}

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
