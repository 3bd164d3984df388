package eventstore

// NewTightHandler is a handler whose cache holds few events.
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
	weight := 0
	for _, e := range c.entries {
		weight += e.weight
	}
	return len(c.entries), weight == c.weight && len(c.entries) == c.recent.Len()
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
