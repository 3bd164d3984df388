package receivables

import (
	"regexp"
	"strings"
	"time"

	"github.com/urikake/urikake/domain"
)

// dateFormat is how a file writes its dates: YYYY, MM or M, DD or D, and whatever stands between them. M and D read
// one digit or two, MM and DD want two.
type dateFormat string

// dateFormats are those that are tried when none is given; of two that read the same dates the first is taken.
var dateFormats = []dateFormat{
	"YYYY-M-D", "YYYY/M/D", "YYYY.M.D", "YYYYMMDD", "YYYY年M月D日",
	"M/D/YYYY", "D/M/YYYY", "M-D-YYYY", "D-M-YYYY", "D.M.YYYY", "M.D.YYYY",
}

// midnight is what spreadsheets and databases put after a date that has no time of day.
var midnight = regexp.MustCompile(`[ T]0?0:00(:00(\.0+)?)?Z?$`)

// parseDateFormat refuses import.date_format for what has not each of year, month and day once.
func parseDateFormat(s string) (dateFormat, error) {
	f := strings.ToUpper(s)
	rest := f
	for _, part := range [3][2]string{{"YYYY", "YYYY"}, {"MM", "M"}, {"DD", "D"}} {
		one := part[0]
		if !strings.Contains(rest, one) {
			one = part[1]
		}
		if !strings.Contains(rest, one) {
			return "", ErrDateFormat.With("%q has no %s", s, part[1])
		}
		rest = strings.Replace(rest, one, "", 1)
	}
	if strings.ContainsAny(rest, "YMD") {
		return "", ErrDateFormat.With("%q has one of Y, M and D too often", s)
	}
	return dateFormat(f), nil
}

// read gives the date, or false when the text is not one by this format.
func (f dateFormat) read(text string) (domain.Date, bool) {
	if strings.Contains(text, ":") {
		text = midnight.ReplaceAllString(text, "")
	}
	var year, month, day int
	for pattern := string(f); pattern != ""; {
		var ok bool
		switch {
		case strings.HasPrefix(pattern, "YYYY"):
			year, text, ok = number(text, 4, 4)
			pattern = pattern[4:]
		case strings.HasPrefix(pattern, "MM"):
			month, text, ok = number(text, 2, 2)
			pattern = pattern[2:]
		case strings.HasPrefix(pattern, "DD"):
			day, text, ok = number(text, 2, 2)
			pattern = pattern[2:]
		case pattern[0] == 'M':
			month, text, ok = number(text, 1, 2)
			pattern = pattern[1:]
		case pattern[0] == 'D':
			day, text, ok = number(text, 1, 2)
			pattern = pattern[1:]
		default:
			if ok = text != "" && text[0] == pattern[0]; ok {
				text, pattern = text[1:], pattern[1:]
			}
		}
		if !ok {
			return domain.Date{}, false
		}
	}
	if text != "" {
		return domain.Date{}, false
	}
	date := domain.NewDate(year, time.Month(month), day)
	return date, !date.IsZero()
}

// number takes as many digits as there are, up to most.
func number(text string, least, most int) (n int, rest string, ok bool) {
	i := 0
	for ; i < len(text) && i < most && text[i] >= '0' && text[i] <= '9'; i++ {
		n = n*10 + int(text[i]-'0')
	}
	return n, text[i:], i >= least
}

// guessDateFormat is the format that reads most of the values. Refuses import.date_format when none reads any, or when
// two read equally many and see other days in them.
func guessDateFormat(values []string) (dateFormat, error) {
	if len(values) == 0 {
		return dateFormats[0], nil
	}
	var best dateFormat
	var rivals []dateFormat
	most := 0
	for _, f := range dateFormats {
		count := 0
		for _, v := range values {
			if _, ok := f.read(v); ok {
				count++
			}
		}
		switch {
		case count > most:
			best, most, rivals = f, count, nil
		case count == most && count > 0:
			rivals = append(rivals, f)
		}
	}
	if most == 0 {
		return "", ErrDateFormat.With("%q is not written in any usual way", values[0])
	}
	for _, rival := range rivals {
		for _, v := range values {
			a, okA := best.read(v)
			b, okB := rival.read(v)
			if okA != okB || a != b {
				return "", ErrDateFormat.With("%q may be %s or %s", v, best, rival)
			}
		}
	}
	return best, nil
}
