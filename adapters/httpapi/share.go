package httpapi

import (
	"net/http"
	"sync"
)

// Share bounds how many requests one key may have under way of a class that has few places, so that the slow clients of
// one holder keep nobody else's waiting. What is kept is one number for each key with a request under way.
type Share struct {
	most   int
	key    func(*http.Request) string
	refuse refuseFunc

	mu   sync.Mutex
	held map[string]int
}

// NewShare starts with nobody counted. A request without key has no bound.
func NewShare(most int, key func(*http.Request) string, refuse func(http.ResponseWriter, *http.Request, error)) *Share {
	return &Share{most: most, key: key, refuse: refuse, held: make(map[string]int)}
}

// Bound is the middleware. Refuses server.rate_limited.
func (s *Share) Bound(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := s.key(r)
		if key == "" {
			next.ServeHTTP(w, r)
			return
		}
		if !s.take(key) {
			s.refuse(w, r, ErrRateLimited.With("%d requests of this key and kind are under way", s.most))
			return
		}
		defer s.give(key)
		next.ServeHTTP(w, r)
	})
}

func (s *Share) take(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[key] >= s.most {
		return false
	}
	s.held[key]++
	return true
}

func (s *Share) give(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[key]--; s.held[key] == 0 {
		delete(s.held, key)
	}
}
