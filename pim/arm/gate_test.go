package arm_test

import (
	"net/http"
	"testing"
	"time"

	"roletray/pim"
)

func TestPauseHoldsForEveryCall(t *testing.T) {
	var s *service
	s = newService(t, func(w http.ResponseWriter, c call) {
		if len(s.seen()) == 1 {
			w.Header().Set("Retry-After", "90")
			refuse(w, 429, "TooManyRequests", "slow down")
			return
		}
		send(w, map[string]int{"GET": 200, "PUT": 201}[c.Method], map[string][]byte{"GET": listOf(), "PUT": put(t)}[c.Method])
	})
	_, err := s.Eligible(short(t))
	if e := wantCode(t, err, pim.CodeThrottled); e.RetryAfter != 90*time.Second {
		t.Errorf("pause is %v", e.RetryAfter)
	}
	s.advance(30 * time.Second)
	_, err = s.Activate(short(t), exampleActivation())
	if e := wantCode(t, err, pim.CodeThrottled); e.RetryAfter != time.Minute {
		t.Errorf("what is left of the pause is %v", e.RetryAfter)
	}
	for _, err := range s.Active(short(t), at("/subscriptions/1"), true) {
		wantCode(t, err, pim.CodeThrottled)
	}
	if n := len(s.seen()); n != 1 {
		t.Errorf("%d calls in the pause", n)
	}
	s.advance(time.Minute)
	if _, err := s.Activate(short(t), exampleActivation()); err != nil {
		t.Errorf("after the pause: %v", err)
	}
}

func TestShortPauseIsWaitedFor(t *testing.T) {
	var s *service
	s = newService(t, func(w http.ResponseWriter, _ call) {
		if len(s.seen()) == 1 {
			w.Header().Set("retry-after-ms", "20")
			refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable", "")
			return
		}
		send(w, 201, put(t))
	})
	_, err := s.Activate(short(t), exampleActivation())
	wantCode(t, err, pim.CodeUnavailable)
	if _, err := s.Activate(short(t), exampleActivation()); err != nil {
		t.Error(err)
	}
}
