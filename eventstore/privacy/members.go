package privacy

// eachMember visits the members of a JSON object as they are written: where what stands before it ends, the name without
// its quotation marks, and the value. Escapes in names stay. false where the text is no object, or not a whole one; what is
// within values is not looked at any closer than it takes to find their end. Nothing is allocated: replays come through here.
func eachMember(text []byte, visit func(before int, name, value []byte) (goOn bool)) (ok bool) {
	i := blanks(text, 0)
	if i == len(text) || text[i] != '{' {
		return false
	}
	before := i + 1
	if i = blanks(text, i+1); i < len(text) && text[i] == '}' {
		return blanks(text, i+1) == len(text)
	}
	for {
		name := i
		if i = stringEnd(text, i); i < 0 {
			return false
		}
		nameEnd := i
		if i = blanks(text, i); i == len(text) || text[i] != ':' {
			return false
		}
		value := blanks(text, i+1)
		if i = valueEnd(text, value); i < 0 {
			return false
		}
		if !visit(before, text[name+1:nameEnd-1], text[value:i]) {
			return true
		}
		before = i
		if i = blanks(text, i); i == len(text) {
			return false
		}
		switch text[i] {
		case '}':
			return blanks(text, i+1) == len(text)
		case ',':
			i = blanks(text, i+1)
		default:
			return false
		}
	}
}

// blanks is where the first byte at or after i stands that is no blank.
func blanks(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	return i
}

// stringEnd is where the string that begins at i is over; -1: none does, or it isn't.
func stringEnd(text []byte, i int) int {
	if i >= len(text) || text[i] != '"' {
		return -1
	}
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// valueEnd is where the value that begins at i is over; -1: there is none, or it isn't.
func valueEnd(text []byte, i int) int {
	begin, depth := i, 0
	for i < len(text) {
		switch text[i] {
		case '"':
			if i = stringEnd(text, i); i < 0 {
				return -1
			}
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return plainEnd(begin, i)
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return plainEnd(begin, i)
			}
		}
		i++
	}
	return -1
}

// plainEnd is the end of a number, true, false or null.
func plainEnd(begin, end int) int {
	if begin == end {
		return -1
	}
	return end
}
