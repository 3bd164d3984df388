//go:build race

package audit

// fewer: the race detector looks at how an audit works, which is the same at every place, and makes it eight times slower.
const fewer = 8
