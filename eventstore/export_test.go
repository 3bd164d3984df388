package eventstore

// NewTightHandler is a handler whose cache holds few bytes.
func NewTightHandler(store Store, codec *Codec, snapshots Snapshots, most int) *Handler {
	h := NewHandler(store, codec, snapshots)
	h.cache = newCache(most)
	return h
}

// Cached tells how many aggregates the cache holds, and whether its books agree with themselves.
func (h *Handler) Cached() (aggregates int, consistent bool) {
	c := h.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	bytes := 0
	for _, e := range c.entries {
		bytes += e.bytes
	}
	return len(c.entries), bytes == c.bytes && len(c.entries) == len(c.all)
}

// WaitsFor tells how many commands work on a stream or wait for it.
func (h *Handler) WaitsFor(stream string) int {
	h.cache.mu.Lock()
	defer h.cache.mu.Unlock()
	if e := h.cache.entries[stream]; e != nil {
		return e.users
	}
	return 0
}
