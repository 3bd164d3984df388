package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// One key's slow reports keep out that key's next one, and nobody else's.
func TestShare(t *testing.T) {
	inside, end := make(chan bool, 10), make(chan bool)
	s := NewShare(2, func(r *http.Request) string { return r.Header.Get("Key") }, refuse)
	h := s.Bound(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside <- true
		<-end
	}))
	ask := func(key string) int {
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		r.Header.Set("Key", key)
		h.ServeHTTP(w, r)
		return w.Code
	}
	codes := make(chan int, 10)
	for _, key := range []string{"a", "a", "b", "", ""} {
		go func() { codes <- ask(key) }()
		<-inside
	}
	if code := ask("a"); code != http.StatusTooManyRequests {
		t.Errorf("a third of the same key: %d", code)
	}
	close(end)
	for range 5 {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("%d", code)
		}
	}
	if len(s.held) != 0 {
		t.Errorf("%v is kept", s.held)
	}
	if code := ask("a"); code != http.StatusOK {
		t.Errorf("afterwards: %d", code)
	}
}
