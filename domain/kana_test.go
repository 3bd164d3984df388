package domain_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
)

func TestZengin(t *testing.T) {
	for typed, want := range map[string]string{
		"ミドリショウジ（カ":          "ﾐﾄﾞﾘｼﾖｳｼﾞ(ｶ",
		"ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ":        "ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ",
		"カ）ベストサービス":          "ｶ)ﾍﾞｽﾄｻ-ﾋﾞｽ",
		"ﾊﾟﾌｧｰﾑ":             "ﾊﾟﾌｱ-ﾑ",
		"Ａｃｍｅ　ＪＰ１":           "ACME JP1",
		"株）":                 "株)", // what has no such form stays
		"acme co.":           "ACME CO.",
		"ヴァイオリン":             "ｳﾞｱｲｵﾘﾝ",
		"ﾆﾎﾝﾃﾞ-ﾀ.(ｷﾖｳｶｲ) 12": "ﾆﾎﾝﾃﾞ-ﾀ.(ｷﾖｳｶｲ) 12",
	} {
		if got := domain.Zengin(typed); got != want {
			t.Errorf("%s: %s, want %s", typed, got, want)
		}
	}
	for _, bad := range []string{"株式会社", "ｦ", "ｧ", "ｰ", "a", "A/B", "Ａｃ", "｢", "\x00", "ﾐﾄﾞﾘ、"} {
		if err := domain.CheckZengin(bad, 40); !errors.Is(err, domain.ErrNotZengin) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := domain.CheckZengin("ﾐﾄﾞﾘ", 3); !errors.Is(err, domain.ErrTooLong) {
		t.Error(err)
	}
	if got := domain.ZenginWide("ﾐﾄﾞﾘｼﾖｳｼﾞ(ｶ) ﾊﾟ-ﾑ 7"); got != "ミドリシヨウジ（カ） パーム 7" {
		t.Error(got)
	}
}

// What a letter prints is read back as it was.
func TestZenginThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := domain.Zengin(rapid.StringMatching(`[ｱ-ﾝ0-9A-Z ().-]([ｱ-ﾝ0-9A-Z ().-]|[ｶ-ﾄﾊ-ﾎ]ﾞ|[ﾊ-ﾎ]ﾟ)*`).Draw(t, "name"))
		if err := domain.CheckZengin(s, 1000); err != nil {
			t.Fatal(err)
		}
		if back := domain.Zengin(domain.ZenginWide(s)); back != s {
			t.Fatalf("%q, %q", s, back)
		}
	})
}
