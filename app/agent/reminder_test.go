package agent

import (
	"slices"
	"testing"
	"time"

	"roletray/pim"
)

func TestDue(t *testing.T) {
	start := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	role := pim.Role{Kind: pim.KindAzure, DefinitionID: "owner", Name: "Owner", Scope: pim.Scope{ID: "/subscriptions/1"}}
	active := func(d time.Duration, change ...func(*pim.ActiveRole)) []*pim.Snapshot {
		a := pim.ActiveRole{Assignment: pim.Assignment{Role: role, Type: pim.Activated, Start: start, End: start.Add(d)}}
		for _, c := range change {
			c(&a)
		}
		return []*pim.Snapshot{{Account: pim.Account{ID: "a"}, Active: []pim.ActiveRole{a}}}
	}
	leads := []time.Duration{15 * time.Minute, 5 * time.Minute}
	m := func(d, lead time.Duration) string { return mark("a", role.Key(), start.Add(d), lead) }
	const hour = time.Hour
	for _, tt := range []struct {
		name     string
		accounts []*pim.Snapshot
		leads    []time.Duration
		told     []string
		at       time.Duration
		want     []string
		next     time.Duration // -1 for none
	}{
		{"long before", active(hour), leads, nil, 0, nil, 45 * time.Minute},
		{"a moment before", active(hour), leads, nil, 45*time.Minute - 1, nil, 45 * time.Minute},
		{"the first", active(hour), leads, nil, 45 * time.Minute, []string{m(hour, leads[0])}, 55 * time.Minute},
		{"the first was told", active(hour), leads, []string{m(hour, leads[0])}, 50 * time.Minute, nil, 55 * time.Minute},
		{"the second", active(hour), leads, []string{m(hour, leads[0])}, 55 * time.Minute, []string{m(hour, leads[1])}, -1},
		{"both after a sleep make one", active(hour), leads, nil, 58 * time.Minute, []string{m(hour, leads[0]), m(hour, leads[1])}, -1},
		{"all told", active(hour), leads, []string{m(hour, leads[0]), m(hour, leads[1])}, 58 * time.Minute, nil, -1},
		{"over", active(hour), leads, nil, hour, nil, -1},
		{"shorter than the first lead", active(10 * time.Minute), leads, nil, 0, nil, 5 * time.Minute},
		{"as short as the last lead", active(5 * time.Minute), leads, nil, 0, nil, -1},
		{"no reminders wanted", active(hour), nil, nil, 50 * time.Minute, nil, -1},
		{"assigned", active(hour, func(a *pim.ActiveRole) { a.Assignment.Type = pim.Assigned }), leads, nil, 50 * time.Minute, nil, -1},
		{"without end", active(hour, func(a *pim.ActiveRole) { a.Assignment.End = time.Time{} }), leads, nil, 50 * time.Minute, nil, -1},
		{
			"the same end with other seconds was told", active(hour, func(a *pim.ActiveRole) { a.Assignment.End = a.Assignment.End.Add(-400 * time.Millisecond) }),
			leads,
			[]string{m(hour, leads[0])},
			46 * time.Minute, nil, 55*time.Minute - 400*time.Millisecond,
		},
		{"a longer one since then", active(2 * hour), leads, []string{m(hour, leads[0])}, 105 * time.Minute, []string{m(2*hour, leads[0])}, 115 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			due, next := Due(tt.accounts, tt.leads, func(m string) bool { return slices.Contains(tt.told, m) }, start.Add(tt.at))
			var got []string
			for _, r := range due {
				got = append(got, r.Marks...)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("due %v, want %v", got, tt.want)
			}
			if len(tt.want) > 0 && len(due) != 1 {
				t.Errorf("%d reminders, want one", len(due))
			}
			want := time.Time{}
			if tt.next >= 0 {
				want = start.Add(tt.next)
			}
			if !next.Equal(want) {
				t.Errorf("next %v, want %v", next, want)
			}
		})
	}
}
