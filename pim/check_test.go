package pim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"roletray/pim"
)

func TestFinding(t *testing.T) {
	of := func(c pim.Code) error { return fmt.Errorf("check: %w", &pim.Error{Code: c}) }
	policy := func(r ...pim.Rule) error { return &pim.Error{Code: pim.CodePolicy, Rules: r} }
	for _, tt := range []struct {
		name                                string
		err                                 error
		obstacle, unknown, already, stepsUp bool
	}{
		{"fine", nil, false, false, false, false},
		{"active", of(pim.CodeAlreadyActive), false, false, true, false},
		{"claims", of(pim.CodeStepUp), false, false, false, true},
		{"MFA", policy(pim.RuleMFA), false, false, false, true},
		{"MFA and more", policy(pim.RuleTicketing, pim.RuleMFA), true, false, false, false},
		{"too long", policy(pim.RuleExpiration), true, false, false, false},
		{"pending", of(pim.CodePending), true, false, false, false},
		{"forbidden", of(pim.CodeForbidden), true, false, false, false},
		{"not eligible", of(pim.CodeNotEligible), true, false, false, false},
		{"of the service's own", of(pim.CodeRejected), true, false, false, false},
		{"throttled", of(pim.CodeThrottled), false, true, false, false},
		{"no network", of(pim.CodeOffline), false, true, false, false},
		{"called off", context.Canceled, false, true, false, false},
		{"without a code", errors.New("x"), false, true, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := pim.NewFinding(tt.err)
			if f.Obstacle() != tt.obstacle || f.Unknown != tt.unknown || f.Already != tt.already || f.StepUp != tt.stepsUp {
				t.Errorf("%+v", f)
			}
			if (f.Problem != nil) != (tt.obstacle || tt.unknown) {
				t.Errorf("the problem is %+v", f.Problem)
			}
		})
	}
	if f := (pim.Finding{Operation: "o", Problem: pim.Explain(&pim.SentError{})}); f.Obstacle() {
		t.Error("what was sent is called an obstacle")
	}
}
