package sqlite

import (
	"time"

	"github.com/urikake/urikake/eventstore"
)

// On a disk that is almost full nothing more is taken, so that what was taken can still be folded into the read models,
// which lie on the same disk, and questions are answered until there is room again.
const (
	roomMin   = 16 << 20 // bytes left free, or
	roomPart  = 2        // this part of a small disk: the read models' own log alone takes some 4 MiB
	roomEvery = 20 * time.Millisecond
)

// hasRoom refuses log.unavailable when less is left than is kept free.
func (w *writer) hasRoom() error {
	now := time.Now()
	if now.Sub(w.asked) < roomEvery {
		return w.full
	}
	w.asked, w.full = now, nil
	free, all, known := room(w.dir)
	if keep := min(roomMin, all/roomPart); known && free < keep {
		w.full = eventstore.ErrUnavailable.With("the disk is full: %d KiB are left, and %d KiB are kept free for the read models", free>>10, keep>>10)
	}
	return w.full
}
