package privacy

// recent keeps values by name, those that came last: at least half of max, and at most max. What is asked for again and
// again is so looked up anew from time to time, and to ask changes nothing.
type recent[V any] struct {
	max        int
	young, old map[string]V
}

func (r *recent[V]) get(name string) (v V, ok bool) {
	if v, ok = r.young[name]; !ok {
		v, ok = r.old[name]
	}
	return v, ok
}

func (r *recent[V]) put(name string, v V) {
	if len(r.young) >= r.max/2 {
		r.old, r.young = r.young, nil
	}
	if r.young == nil {
		r.young = make(map[string]V)
	}
	r.young[name] = v
}
