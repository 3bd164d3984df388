package account

import (
	"encoding/json"
	"sort"

	"github.com/urikake/urikake/domain"
)

// SnapshotVersion is raised whenever State means something else; older snapshots are then thrown away.
const SnapshotVersion = 4

// snapshot is a whole State as JSON. Snapshots are disposable: the log gives the same state again.
type snapshot struct {
	Records
	Refunds     []domain.RefundID      `json:"refunds,omitempty"`
	Recovered   []domain.RecoveryID    `json:"recovered,omitempty"`
	Forfeited   map[string]uint64      `json:"forfeited,omitempty"`
	Period      string                 `json:"period,omitempty"`
	BroughtFrom string                 `json:"brought_from,omitempty"`
	Brought     int                    `json:"brought,omitempty"`
	Parts       int                    `json:"parts,omitempty"`
	Carried     *BalanceCarriedForward `json:"carried,omitempty"`
}

// Snapshot writes the state down. O(items + funds).
func (s *State) Snapshot() ([]byte, error) {
	snap := snapshot{
		Records: s.records(func(domain.Date, bool) bool { return true }),
		Refunds: keys(s.refunds), Recovered: keys(s.recovered), Forfeited: s.forfeited,
		Period: s.period, BroughtFrom: s.broughtFrom, Brought: s.brought, Parts: s.parts,
	}
	if s.carriedInto != "" {
		snap.Carried = &s.carried
	}
	return json.Marshal(snap)
}

// Restore reads what Snapshot wrote.
func Restore(data []byte) (*State, error) {
	var snap snapshot
	if err := json.Unmarshal(data, &snap); err != nil {
		return nil, err
	}
	s := newState()
	s.restore(snap.Records)
	s.tidy()
	s.refunds, s.recovered, s.forfeited = set(snap.Refunds), set(snap.Recovered), snap.Forfeited
	s.period, s.broughtFrom, s.brought, s.parts = snap.Period, snap.BroughtFrom, snap.Brought, snap.Parts
	if snap.Carried != nil {
		snap.Carried.apply(s)
	}
	return s, nil
}

func keys[T ~string](m map[T]bool) []T {
	list := make([]T, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	sort.Slice(list, func(i, j int) bool { return list[i] < list[j] })
	return list
}

func set[T ~string](list []T) map[T]bool {
	if len(list) == 0 {
		return nil
	}
	m := make(map[T]bool, len(list))
	for _, k := range list {
		m[k] = true
	}
	return m
}
