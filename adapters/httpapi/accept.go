package httpapi

import (
	"strconv"
	"strings"
)

// preferred is which of the kinds an Accept header likes best, the first of those that it likes equally; "" when it
// takes none. Without a header, or with one that says nothing, anything is taken. A kind's weight is that of the range
// that names it most closely, as RFC 9110 has it: application/json, then application/*, then */*.
func preferred(accept string, kinds ...string) string {
	best, most := "", 0.0
	for _, kind := range kinds {
		if weight := weightOf(accept, kind); weight > most {
			best, most = kind, weight
		}
	}
	if strings.Trim(accept, " ,") == "" {
		return kinds[0]
	}
	return best
}

func weightOf(accept, kind string) (weight float64) {
	family, _, _ := strings.Cut(kind, "/")
	closest := 0
	for part := range strings.SplitSeq(accept, ",") {
		name, parameters, _ := strings.Cut(part, ";")
		closeness := 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case kind:
			closeness = 3
		case family + "/*":
			closeness = 2
		case "*/*":
			closeness = 1
		}
		if closeness > closest {
			closest, weight = closeness, quality(parameters)
		}
	}
	return weight
}

// quality reads q=0.8 among parameters; 1 where there is none, and 0 where it is none that can be read.
func quality(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || !(q >= 0 && q <= 1) { // NaN is neither
				return 0
			}
			return q
		}
	}
	return 1
}
