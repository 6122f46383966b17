package session_test

import (
	"testing"
	"time"

	"roletray/pim"
	"roletray/pim/tenant"
)

// BenchmarkRefresh counts what the first look at an account costs, all kinds
// together: requests, and round trips one after the other, which the time tells
// that a fixed latency makes.
func BenchmarkRefresh(b *testing.B) {
	const latency = 250 * time.Millisecond
	for _, seed := range []string{"demo", "large"} {
		b.Run(seed, func(b *testing.B) {
			o := newOffice(b, seed)
			// The tokens are not what is measured.
			warm := o.runWith(b.TempDir(), o.all()...).read()
			warm.stop()
			var requests int
			var painted, complete time.Duration
			for b.Loop() {
				o.tenant.ClearFaults()
				for _, service := range []string{"arm", "graph"} {
					if err := o.tenant.AddFaults(tenant.Fault{Service: service, LatencyMs: int(latency / time.Millisecond)}); err != nil {
						b.Fatal(err)
					}
				}
				before := len(o.tenant.Log())
				begun := time.Now()
				d := o.runWith(b.TempDir(), o.all()...)
				d.until("eligible rows", func(s *pim.Snapshot) bool { return len(s.Eligible) > 0 })
				painted += time.Since(begun)
				d.until("everything", func(s *pim.Snapshot) bool {
					if s.FromDisk || s.Refreshing {
						return false
					}
					for _, p := range s.Parts {
						if p.At.IsZero() {
							return false
						}
					}
					return true
				})
				complete += time.Since(begun)
				for _, seen := range o.tenant.Log()[before:] {
					if !seen.Batched && seen.Service != "login" {
						requests++
					}
				}
				d.stop()
			}
			n := time.Duration(b.N)
			b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
			b.ReportMetric(float64(complete/n)/float64(latency), "roundtrips/op")
			b.ReportMetric(float64(painted/n)/float64(time.Millisecond), "ms-first/op")
			b.ReportMetric(float64(complete/n)/float64(time.Millisecond), "ms-complete/op")
		})
	}
}
