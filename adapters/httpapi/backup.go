package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
)

const (
	backupPath = "/v1/backup"

	// TypeBackup is the media type of a backup.
	TypeBackup = "application/vnd.sqlite3"
)

// Backup is a whole ledger in one file, on its way out. It is closed when it was sent.
type Backup struct {
	io.ReadCloser
	Size     int64 // bytes
	Position eventstore.Position
	LeftOut  []string // files of the data directory that are not in it, and are nobody's
}

var (
	ErrBackupElsewhere = &domain.Error{
		Code: domain.Refused, Rule: "backup.elsewhere",
		Text: "this server's log is on an EventStoreDB cluster and is backed up there; `urikake events export` writes it into a file",
	}
	ErrBackupUnderWay = &domain.Error{
		Code: TooMany, Rule: "backup.under_way",
		Text: "a backup is being made or sent already, and the server makes one at a time; ask again when that has ended",
	}
)

type backupIn struct {
	Accept string `header:"Accept" doc:"application/vnd.sqlite3"`
}

// backup sends the whole ledger as it is now. What fails before the first byte is refused; later the answer breaks off.
func (a *API) backup(_ context.Context, in *backupIn) (*huma.StreamResponse, error) {
	if a.books.Backup == nil {
		return nil, ErrBackupElsewhere
	}
	if in.Accept != "" && preferred(in.Accept, TypeBackup) == "" {
		return nil, ErrNotAccept.With("%.100q; there is %s", in.Accept, TypeBackup).At(parameterPrefix + "Accept")
	}
	return stream(func(ctx huma.Context) {
		r, w := humachi.Unwrap(ctx)
		switch err := a.sendBackup(w, r); {
		case err == nil:
		case errors.Is(err, errBackupCut):
			noteProblem(r.Context(), problemOf(err), err)
			panic(http.ErrAbortHandler)
		default:
			refuse(w, r, err)
		}
	}), nil
}

// errBackupCut is of an answer that has begun.
var errBackupCut = errors.New("the backup broke off")

func (a *API) sendBackup(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	if r.Method == http.MethodHead { // to make one takes too much to say how long it is
		h.Set("Content-Type", TypeBackup)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	select {
	case a.backups <- struct{}{}:
		defer func() { <-a.backups }()
	default:
		return ErrBackupUnderWay
	}
	made, err := a.books.Backup(r.Context())
	if err != nil {
		return err
	}
	defer made.Close()
	if len(made.LeftOut) > 0 {
		a.log.Info("not in the backup", "files", made.LeftOut)
	}
	h.Set("Content-Type", TypeBackup)
	h.Set("Content-Length", strconv.FormatInt(made.Size, 10))
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="urikake-%d.backup"`, made.Position))
	h.Set("Cache-Control", "no-store")
	h.Set(positionHeader, strconv.FormatUint(uint64(made.Position), 10))
	if _, err := io.Copy(w, made); err != nil {
		return fmt.Errorf("%w: %w", errBackupCut, err)
	}
	return nil
}

func (a *API) addBackup() {
	add(a, operation{
		id: "get-backup", method: http.MethodGet, path: backupPath, tag: "Operations", summary: "the whole ledger in one file",
		about: "It is what `urikake backup` writes: consistent at one position while others go on writing, with names and letters sealed, and without " +
			"keys. `urikake restore` makes a ledger of it, and refuses a file that is not whole. The first byte comes when the server has made the " +
			"file on its own disk and has read it again, some ten seconds for a million events; one is made at a time. `urikake --server URL backup FILE` reads what it " +
			"got again before the file gets its name. HEAD makes none and tells no length.",
		permission: access.TakeBackup, global: true, describe: also("406", also("409", describeBackup)),
	}, a.backup)
}

func describeBackup(_ *API, op *huma.Operation) {
	r := succeeds(op, map[string]*huma.MediaType{TypeBackup: {Schema: &huma.Schema{
		Type: huma.TypeString, Format: "binary", Description: "an SQLite database; docs/operations.md says what is in it",
	}}})
	r.Headers[positionHeader] = header("log position: nothing recorded later is in it", huma.TypeInteger)
}
