package pim_test

import (
	"testing"
	"time"

	"roletray/pim"
)

func TestCanProlong(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name string
		end  time.Time
		via  pim.Via
		want pim.Action
		can  bool
	}{
		{"never ends", time.Time{}, pim.ViaDirect, "", false},
		{"too early", now.Add(14*day + time.Second), pim.ViaDirect, pim.ActionExtend, false},
		{"in the last fourteen days", now.Add(14 * day), pim.ViaDirect, pim.ActionExtend, true},
		{"a moment before the end", now.Add(time.Second), pim.ViaInherited, pim.ActionExtend, true},
		{"ended now", now, pim.ViaDirect, pim.ActionRenew, true},
		{"ended thirty days ago", now.Add(-30 * day), pim.ViaDirect, pim.ActionRenew, true},
		{"too late", now.Add(-30*day - time.Second), pim.ViaDirect, pim.ActionRenew, false},
		{"through a group", now.Add(day), pim.ViaGroup, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, can := pim.CanProlong(tt.end, tt.via, now)
			if can != tt.can || can && got != tt.want {
				t.Errorf("got %q %v, want %q %v", got, can, tt.want, tt.can)
			}
		})
	}
}

func TestApprovalExpires(t *testing.T) {
	created := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	a := pim.Approval{Request: pim.Request{Created: created}}
	if got, want := a.Expires(), created.Add(24*time.Hour); !got.Equal(want) {
		t.Errorf("expires %v, want %v", got, want)
	}
}
