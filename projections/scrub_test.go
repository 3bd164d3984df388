package projections

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// holding lists the files below a directory in which a text stands.
func holding(t *testing.T, dir, text string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			files = append(files, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Of a customer who was erased nothing is left in the files, wherever a process ended in between.
func TestErasedCustomersLeaveTheFiles(t *testing.T) {
	ctx, b := context.Background(), newBooks(t)
	keyOf := func(i int) customer.Key {
		return customer.Key{Seller: "S9", Customer: domain.CustomerID("K" + customerID(i))}
	}
	b.write("seller-S9", seller.Registered{Seller: "S9"})
	for i := range 300 { // so that pages are split and rows move about
		b.write(keyOf(i).Stream(), customer.Registered{Key: keyOf(i), Details: customer.Details{Name: "Hanako the " + customerID(i), Kana: "HANAKO"}})
	}
	key := keyOf(150)
	named := b.write(key.Stream(), customer.Changed{Key: key, Reason: "x", Details: customer.Details{
		Name: "Secret Name", Kana: "SECRET", ExternalID: "ERP-150", Contacts: []customer.Contact{{Email: "secret@x.example"}},
	}})
	b.write(key.Stream(), customer.Changed{Key: key, Details: customer.Details{Name: "Secret Bride", Kana: "SECRET"}, Reason: "x"})
	if _, err := b.views.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	if len(holding(t, b.dir, "Secret Name")) == 0 {
		t.Fatal("the test sees nothing")
	}
	away := errors.New("the outbox is away")
	told := 0
	b.views.OnErased(func(customer.Key) error { told++; return away })
	at := b.write(key.Stream(), customer.Erased{Key: key, Reason: "asked"})
	if err := b.views.Forget(ctx, at); !errors.Is(err, away) {
		t.Errorf("what was not forgotten is not told: %v", err)
	}
	if _, err := b.views.CatchUp(ctx); err != nil {
		t.Errorf("questions are not answered meanwhile: %v", err)
	}
	before := told

	b.reopen() // the process ended; the event is folded already
	b.views.OnErased(func(k customer.Key) error {
		told++
		if k != key {
			t.Errorf("%v was not erased", k)
		}
		return nil
	})
	if _, err := b.views.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	if told != before+1 {
		t.Errorf("told %d times, then %d", before, told)
	}
	for _, text := range []string{"Secret Name", "Secret Bride", "SECRET", "secret@"} {
		if files := holding(t, b.dir, text); len(files) > 0 {
			t.Errorf("%q stands in %v", text, files)
		}
	}
	list, _, err := b.views.Customers(ctx, "S9", KnownAt{})
	if err != nil || len(list) != 300 {
		t.Fatalf("%d customers, %v", len(list), err)
	}
	for _, c := range list {
		if (c.Name == customer.ErasedName) != (c.Customer == key.Customer) || c.Customer == key.Customer && (c.Active || c.Kana != "") {
			t.Errorf("%+v", c)
		}
	}
	then, _, err := b.views.Customer(ctx, "S9", key.Customer, KnownAt{Position: named})
	if want := (Customer{Customer: key.Customer, Name: customer.ErasedName, ExternalID: "ERP-150", Active: true}); err != nil || !reflect.DeepEqual(then, want) {
		t.Errorf("as known while the name was there: %+v, %v", then, err)
	}
	if c, err := b.views.Compare(ctx, nil); err != nil || c.Found > 0 { // the log of this test has the name in clear
		t.Errorf("folded again: %+v, %v", c, err)
	}
	b.reopen()
	b.views.OnErased(func(customer.Key) error { t.Error("it is done"); return nil })
	if err := b.views.Forget(ctx, at); err != nil {
		t.Error(err)
	}
}

func customerID(i int) string { return fmt.Sprintf("%04d", i) }

// Somebody who reads all the while only delays it.
func TestScrubbingBesideReaders(t *testing.T) {
	ctx, b := context.Background(), newBooks(t)
	key := customer.Key{Seller: "S9", Customer: "K1"}
	b.write("seller-S9", seller.Registered{Seller: "S9"})
	b.write(key.Stream(), customer.Registered{Key: key, Details: customer.Details{Name: "Secret Name"}})
	if _, err := b.views.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	stop, ended := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		for stop.Err() == nil {
			if _, _, err := b.views.Customers(ctx, "S9", KnownAt{}); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	at := b.write(key.Stream(), customer.Erased{Key: key, Reason: "asked"})
	err := b.views.Forget(ctx, at)
	ended()
	if r := <-done; r != nil {
		t.Errorf("a reader: %v", r)
	}
	if err != nil && !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	if err := b.views.Forget(ctx, at); err != nil {
		t.Error(err)
	}
	if files := holding(t, b.dir, "Secret Name"); len(files) > 0 {
		t.Errorf("the name stands in %v", files)
	}
}

// A customer is erased while tables that have the name are being folded anew, or after that was broken off.
func TestErasingBesideARebuild(t *testing.T) {
	for name, breakOff := range map[string]bool{"done": false, "broken off": true} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(context.Background())
			b := newBooks(t)
			key := customer.Key{Seller: "S9", Customer: "K1"}
			b.write("seller-S9", seller.Registered{Seller: "S9"})
			b.write(key.Stream(), customer.Registered{Key: key, Details: customer.Details{Name: "Secret Name"}})
			for i := range 2 * progressEvery {
				other := customer.Key{Seller: "S9", Customer: domain.CustomerID("A" + customerID(i))}
				b.write(other.Stream(), customer.Registered{Key: other, Details: customer.Details{Name: "A"}})
			}
			seen := false
			err := b.views.Rebuild(ctx, func(done, total eventstore.Position, _ uint64) {
				if done < total || seen {
					return
				}
				if seen = true; breakOff {
					stop()
					return
				}
				at := b.write(key.Stream(), customer.Erased{Key: key, Reason: "asked"})
				if err := b.views.Forget(context.Background(), at); err != nil {
					t.Error(err)
				}
			})
			if !seen || (err != nil) != breakOff {
				t.Fatalf("%v, %v", seen, err)
			}
			if breakOff {
				at := b.write(key.Stream(), customer.Erased{Key: key, Reason: "asked"})
				if err := b.views.Forget(context.Background(), at); err != nil {
					t.Error(err)
				}
			}
			if files := holding(t, b.dir, "Secret Name"); len(files) > 0 {
				t.Errorf("the name stands in %v", files)
			}
		})
	}
}
