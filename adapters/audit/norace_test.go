//go:build !race

package audit

const fewer = 1
