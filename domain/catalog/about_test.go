package catalog_test

import (
	"testing"

	"github.com/urikake/urikake/domain/catalog"
)

func TestEveryCommandSaysWhatItIsAbout(t *testing.T) {
	for _, c := range catalog.Commands() {
		if catalog.About(c.Name()) == "" {
			t.Errorf("%s has no line", c.Name())
		}
	}
}
