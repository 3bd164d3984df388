package projections

import (
	"reflect"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// touching follows one invoice through an account and the debtor's case: events that name it, and those that go on with a
// reminder, promise or plan which named it. Money is not followed: what becomes of the rest of a payment is not the invoice's.
type touching struct {
	invoice domain.InvoiceID
	threads map[any]bool // ids of reminders, promises and plans that are about it
}

// touches must see the events in their order. Without an invoice every event does. O(what the event names).
func (t *touching) touches(event domain.Event) bool {
	if t.invoice == "" {
		return true
	}
	var named, goesOn bool
	var threads []any
	eachID(reflect.ValueOf(event), func(id any) {
		switch id := id.(type) {
		case domain.InvoiceID:
			named = named || id == t.invoice
		case dunning.ReminderID, dunning.PromiseID, dunning.PlanID:
			goesOn = goesOn || t.threads[id]
			threads = append(threads, id)
		}
	})
	if named {
		if t.threads == nil {
			t.threads = make(map[any]bool)
		}
		for _, id := range threads {
			t.threads[id] = true
		}
	}
	return named || goesOn
}

// eachID shows every text that a value holds, in whichever member, under the type that says what it is the id of.
func eachID(v reflect.Value, show func(id any)) {
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" {
			show(v.Interface())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				eachID(v.Field(i), show)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachID(v.Index(i), show)
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			eachID(v.Elem(), show)
		}
	}
}
