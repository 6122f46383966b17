package azure

import (
	"sync"
	"time"
)

// limits counts what is left of the requests that Microsoft allows per hour.
// Nothing is refused when they are used up: throttling is a fault that is asked
// for.
type limits struct {
	mu   sync.Mutex
	hour time.Time
	used map[string]int
}

func (l *limits) take(kind string, read bool, now time.Time) (name string, left int) {
	name, left = kind+"-writes", 1200
	if read {
		name, left = kind+"-reads", 12000
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if hour := now.Truncate(time.Hour); !hour.Equal(l.hour) {
		l.hour, l.used = hour, map[string]int{}
	}
	l.used[name]++
	return name, max(0, left-l.used[name])
}
