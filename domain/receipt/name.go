package receipt

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Legal forms, which banks, payers and books write in different ways or leave out (全銀協 abbreviations of corporate names).
var (
	// inBrackets stand in kana before ), after ( or between both.
	inBrackets = words("カ ユ メ シ ド イ ザイ シヤ シユウ ガク フク ホゴ ソ ベン ギヨ シホウ ゼイ ロウム ダイ ノウ カンリ チユウ モク ケン シツ ドク チドク エイ シユツ トクヒ")
	// spelled stand at the head or the tail of a name in kana, the longest first.
	spelled = longest("カブシキガイシヤ ユウゲンガイシヤ ゴウドウガイシヤ ゴウメイガイシヤ ゴウシガイシヤ ソウゴガイシヤ イリヨウホウジンシヤダン イリヨウホウジンザイダン" +
		" シヤカイイリヨウホウジン イリヨウホウジン イツパンザイダンホウジン コウエキザイダンホウジン ザイダンホウジン イツパンシヤダンホウジン コウエキシヤダンホウジン" +
		" シヤダンホウジン シユウキヨウホウジン ガツコウホウジン シヤカイフクシホウジン トクテイヒエイリカツドウホウジン ベンゴシホウジン ゼイリシホウジン")
	kanji = strings.NewReplacer(blanks("特定非営利活動法人 社会保険労務士法人 国立研究開発法人 地方独立行政法人 社会医療法人 一般財団法人 公益財団法人 一般社団法人 公益社団法人" +
		" 社会福祉法人 更生保護法人 行政書士法人 司法書士法人 国立大学法人 公立大学法人 農事組合法人 管理組合法人 独立行政法人 医療法人社団 医療法人財団 弁護士法人 税理士法人" +
		" 財団法人 社団法人 医療法人 宗教法人 学校法人 株式会社 有限会社 合同会社 合名会社 合資会社 相互会社" +
		" (株) (有) (同) (名) (資) (医) (財) (社) (宗) (学) (福) (相) (特非)")...)
	large = strings.NewReplacer(strings.Fields("ァ ア ィ イ ゥ ウ ェ エ ォ オ ッ ツ ャ ヤ ュ ユ ョ ヨ ヮ ワ ヵ カ ヶ ケ")...)
	alike = strings.NewReplacer(strings.Fields("ヂ シ ヅ ス ヲ オ ヰ イ ヱ エ")...)
)

func words(list string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

func longest(list string) []string {
	all := strings.Fields(list)
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// blanks are pairs that put a blank in the place of each word.
func blanks(list string) (pairs []string) {
	for _, w := range longest(list) {
		pairs = append(pairs, w, " ")
	}
	return pairs
}

// plain is text in one width and case, hiragana as katakana, small kana as large.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if r >= 'ぁ' && r <= 'ゖ' {
			return r + 'ァ' - 'ぁ'
		}
		return r
	}, strings.ToUpper(norm.NFKC.String(text)))
	return large.Replace(text)
}

// NameKey is what two ways to write one name have in common: ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ, カブシキガイシャ　ヤマダショウジ and ﾔﾏﾀﾞｼﾖｳｼﾞ(ｶ all give
// ヤマタシヨウシ. Width, case, small kana, voicing marks, blanks, dashes and points, legal forms, and numbers at either end
// count for nothing. It also makes different names alike and so is good for suggestions only. Kanji and their reading
// have nothing in common. O(length).
func NameKey(name string) string {
	name = strings.TrimSpace(kanji.Replace(plain(name)))
	name = unbracket(withoutNumbers(name))
	for _, form := range spelled {
		if rest, ok := strings.CutPrefix(name, form); ok {
			name = rest
			break
		}
		if rest, ok := strings.CutSuffix(name, form); ok {
			name = rest
			break
		}
	}
	return strings.Map(func(r rune) rune {
		if r == 'ー' || !unicode.IsLetter(r) && !unicode.IsDigit(r) { // voicing marks, too
			return -1
		}
		return r
	}, norm.NFD.String(alike.Replace(name)))
}

// withoutNumbers cuts runs of three digits and more off both ends: invoice numbers and days that payers type.
func withoutNumbers(name string) string {
	isDigit := func(r rune) bool { return r >= '0' && r <= '9' }
	if rest := strings.TrimLeftFunc(name, isDigit); len(name)-len(rest) >= 3 {
		name = strings.TrimSpace(rest)
	}
	if rest := strings.TrimRightFunc(name, isDigit); len(name)-len(rest) >= 3 {
		name = strings.TrimSpace(rest)
	}
	return name
}

// unbracket takes abbreviated legal forms out: at the head, at the tail, in the middle.
func unbracket(name string) string {
	if form, rest, ok := strings.Cut(name, ")"); ok && inBrackets[strings.TrimSpace(form)] {
		name = rest
	}
	for from := 0; ; {
		at := strings.IndexByte(name[from:], '(')
		if at < 0 {
			return strings.TrimSpace(name)
		}
		at += from
		form, rest, _ := strings.Cut(name[at+1:], ")")
		if inBrackets[strings.TrimSpace(form)] {
			name = name[:at] + " " + rest
		}
		from = at + 1
	}
}
