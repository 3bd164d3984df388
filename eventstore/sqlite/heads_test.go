package sqlite

import (
	"fmt"
	"testing"

	"github.com/urikake/urikake/eventstore"
)

func TestHeadsAreBounded(t *testing.T) {
	c := newHeads(10)
	for i := range 1000 {
		c.put(map[string]head{fmt.Sprint(i): {int64(i), eventstore.Version(i)}})
		if h, ok := c.get("0"); !ok || h != (head{}) {
			t.Fatalf("a stream in constant use is forgotten after %d others", i)
		}
		if n := len(c.young) + len(c.old); n > 20 {
			t.Fatalf("%d streams are kept", n)
		}
	}
	if _, ok := c.get("500"); ok {
		t.Error("a stream that was not used for long is still there")
	}
	if h, ok := c.get("995"); !ok || h.version != 995 {
		t.Errorf("995 stands at %v, %v", h, ok)
	}
	c.put(map[string]head{"995": {995, 996}})
	if h, _ := c.get("995"); h.version != 996 {
		t.Errorf("995 stands at %v", h)
	}
}

func TestNamesShareSlots(t *testing.T) {
	n := new(names)
	other := int64(1 + len(n))
	n.put(1, "one")
	if text, ok := n.get(1); text != "one" || !ok {
		t.Errorf("1 is %q", text)
	}
	if text, ok := n.get(other); ok {
		t.Errorf("%d is %q, which is another's name", other, text)
	}
	n.put(other, "other")
	if text, ok := n.get(1); ok {
		t.Errorf("1 is %q", text)
	}
}

// TestForgottenHeads appends to more streams than the cache holds: their heads are asked of the disk.
func TestForgottenHeads(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	s.heads = newHeads(1)
	acks, err := appendFromMany(t, s, 8, 20)
	if err != nil {
		t.Fatal(err)
	}
	audit(t, s, acks)
	for _, a := range acks {
		read := 0
		for _, err := range s.Read(t.Context(), a.Stream, 30) {
			if err != nil {
				t.Fatal(err)
			}
			read++
		}
		if read != 10 {
			t.Fatalf("%d events after 30 of 40", read)
		}
	}
}
