package ledger

import "context"

// RememberFew is Remember with room for few commands, a power of two.
func (l *Ledger) RememberFew(ctx context.Context, most int) error {
	k := newKeys(most)
	l.keys = k
	return k.fill(ctx, l.store)
}

// UnderWay is how many keys are claimed and not settled.
func (l *Ledger) UnderWay() int {
	l.keys.mu.Lock()
	defer l.keys.mu.Unlock()
	return len(l.keys.underWay)
}
