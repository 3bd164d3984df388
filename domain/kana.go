package domain

import "strings"

// Full-width kana and what banks write for them in half-width, which has a voiced mark of its own, no small letters, and
// a hyphen for the long vowel mark.
const (
	wideKana   = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン"
	narrowKana = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ"
	smallKana  = "ァィゥェォッャュョヮヵヶｧｨｩｪｫｯｬｭｮ"
	largeKana  = "アイウエオツヤユヨワカケｱｲｳｴｵﾂﾔﾕﾖ"
	voicedKana = "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ"
	bareKana   = "カキクケコサシスセソタチツテトハヒフヘホウ"
	halfVoiced = "パピプペポ"
	halfBare   = "ハヒフヘホ"
)

var (
	toZengin = strings.NewReplacer(zenginPairs()...)
	toWide   = strings.NewReplacer(widePairs()...)
)

func pairs(from, to, mark string) (list []string) {
	into := []rune(to)
	for i, r := range []rune(from) {
		list = append(list, string(r), string(into[i])+mark)
	}
	return list
}

// zenginPairs read wide letters, small ones and the characters that people type instead.
func zenginPairs() []string {
	narrow := strings.NewReplacer(pairs(wideKana, narrowKana, "")...)
	var list []string
	for _, p := range [][3]string{
		{wideKana, narrowKana, ""},
		{smallKana, narrow.Replace(largeKana), ""},
		{voicedKana, narrow.Replace(bareKana), "ﾞ"},
		{halfVoiced, narrow.Replace(halfBare), "ﾟ"},
	} {
		list = append(list, pairs(p[0], p[1], p[2])...)
	}
	list = append(list, pairs("゛゜ー－ｰ（）．　", "ﾞﾟ---(). ", "")...)
	for r := 'Ａ'; r <= 'Ｚ'; r++ {
		list = append(list, string(r), string(r-'Ａ'+'A'))
	}
	for r := '０'; r <= '９'; r++ {
		list = append(list, string(r), string(r-'０'+'0'))
	}
	return list
}

// widePairs are the way back, for people to read; a voiced letter comes before its bare one.
func widePairs() (list []string) {
	narrow := strings.NewReplacer(pairs(wideKana, narrowKana, "")...)
	for wide, bare := range map[string]string{voicedKana: bareKana, halfVoiced: halfBare} {
		mark := "ﾞ"
		if bare == halfBare {
			mark = "ﾟ"
		}
		whole := []rune(wide)
		for i, r := range []rune(narrow.Replace(bare)) {
			list = append(list, string(r)+mark, string(whole[i]))
		}
	}
	return append(list, pairs(narrowKana+"()-", wideKana+"（）ー", "")...)
}

// Zengin is a name as bank transfers write it (全銀協 rules): half-width kana without small letters, capital A-Z, 0-9,
// space and ( ) - . — full-width and small letters that people type are rewritten; what has no such form stays, for
// CheckZengin to refuse.
func Zengin(name string) string { return toZengin.Replace(strings.ToUpper(name)) }

// ZenginWide is a name of bank transfers as a letter prints it: ﾐﾄﾞﾘ is ミドリ.
func ZenginWide(name string) string { return toWide.Replace(name) }

// ErrNotZengin refuses a name that a bank transfer can't carry.
var ErrNotZengin = &Error{
	Code: Invalid, Rule: "bank.not_zengin",
	Text: "a name on a Japanese account is written in kana (ｱ to ﾝ, no ｦ), A-Z, 0-9, space and ( ) - . such as ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ",
}

// CheckZengin refuses what a Zengin name may not hold (bank.not_zengin), and one of more than most characters.
func CheckZengin(name string, most int) error {
	n := 0
	for _, r := range name {
		n++
		kana := r >= 'ｱ' && r <= 'ﾟ'
		if !kana && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && !strings.ContainsRune(" ()-.", r) {
			return ErrNotZengin.With("%q has %q", clip(name), r)
		}
	}
	if n > most {
		return ErrTooLong.With("%d characters, at most %d", n, most)
	}
	return nil
}
