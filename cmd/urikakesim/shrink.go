package main

import (
	"context"
	"slices"
	"time"
)

// shrinkTime bounds how long fewer steps are looked for.
const shrinkTime = 20 * time.Second

// shrink leaves out steps as long as something is still found, first many at a time and then one by one. What is found
// may become something else on the way.
func shrink(ctx context.Context, c config, f found) found {
	ctx, cancel := context.WithTimeout(ctx, shrinkTime)
	defer cancel()
	for size := (len(f.steps) + 1) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(f.steps) && len(f.steps) > 1; {
			c.script = slices.Delete(slices.Clone(f.steps), at, at+size)
			smaller, err := run(ctx, c)
			switch {
			case ctx.Err() != nil:
				return f
			case err == nil && smaller.err != nil && len(c.script) > 0:
				f = smaller
			default:
				at += size
			}
		}
	}
	return f
}
