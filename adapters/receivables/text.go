package receivables

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
)

// decode gives the file's text. Shift_JIS (as Windows writes it, code page 932) is taken for what is not UTF-8.
// Refuses import.encoding, with the line: nothing that can't be read is ever replaced by a substitute.
func decode(data []byte) (string, error) {
	if bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF}) {
		return "", ErrEncoding.With("it is UTF-16")
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !utf8.Valid(data) {
		decoded, err := japanese.ShiftJIS.NewDecoder().Bytes(data)
		if err != nil {
			return "", ErrEncoding.With("%s", err)
		}
		data = decoded
	}
	if i := bytes.IndexRune(data, utf8.RuneError); i >= 0 {
		return "", ErrEncoding.With("line %d has a character that can't be read", 1+bytes.Count(data[:i], []byte("\n")))
	}
	return string(data), nil
}

// delimiter is the one of comma, semicolon and tab that the header line has most of, outside quotes.
func delimiter(text string) rune {
	var commas, semicolons, tabs int
	quoted := false
	for _, c := range strings.TrimLeft(text, "\r\n") {
		if c == '"' {
			quoted = !quoted
		}
		if quoted {
			continue
		}
		if c == '\n' {
			break
		}
		switch c {
		case ',':
			commas++
		case ';':
			semicolons++
		case '\t':
			tabs++
		}
	}
	switch {
	case tabs > max(commas, semicolons):
		return '\t'
	case semicolons > commas:
		return ';'
	}
	return ','
}
