package catalog

import (
	"reflect"

	"github.com/urikake/urikake/domain"
)

// FindFaults is the slow reader alone; ok is false for a text that no reader looks at.
func FindFaults(name string, data []byte) (found domain.Faults, ok bool) {
	c, err := Find(name)
	if err != nil || len(data) > SizeMax {
		return nil, false
	}
	return findFaults(reflect.TypeOf(c), data, nil), true
}
