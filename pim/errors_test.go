package pim_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roletray/pim"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The sentences that people read, all in one place.
func TestSentences(t *testing.T) {
	codes := []pim.Code{
		pim.CodeSignInNeeded, pim.CodeStepUp, pim.CodeConsent, pim.CodeAlreadyActive, pim.CodeNotActive, pim.CodePending,
		pim.CodeDuplicate, pim.CodeTooEarly, pim.CodeForbidden, pim.CodeNotEligible, pim.CodeNotFound, pim.CodeLicence,
		pim.CodeThrottled, pim.CodeUnavailable, pim.CodeOffline, pim.CodeTimeout, pim.CodeUnreadable, pim.CodeUnknownOutcome,
		pim.CodeCancelled, pim.CodeKeychain, pim.CodeJournal, pim.CodeInternal, pim.CodeRejected, pim.CodePolicy,
	}
	var b strings.Builder
	line := func(name string, p *pim.Problem) {
		if n := len([]rune(p.Text)); n == 0 || n > 400 || !strings.HasSuffix(p.Text, ".") && !strings.HasSuffix(p.Text, "…") || strings.ContainsAny(p.Text, "\n\t") {
			t.Errorf("%s: %q is no sentence", name, p.Text)
		}
		fmt.Fprintf(&b, "%-32s %s\n", name, p.Text)
	}
	for _, c := range codes {
		line(string(c), pim.Explain(&pim.Error{Code: c}))
	}
	line("too-early, with the time left", pim.Explain(&pim.Error{Code: pim.CodeTooEarly, RetryAfter: 4*time.Minute + time.Second}))
	line("too-early, with seconds left", pim.Explain(&pim.Error{Code: pim.CodeTooEarly, RetryAfter: 59*time.Second + time.Millisecond}))
	line("rejected, with a message", pim.Explain(&pim.Error{Code: pim.CodeRejected, Message: "The scope is \u202elocked.\n"}))
	line("rejected, with a long message", pim.Explain(&pim.Error{Code: pim.CodeRejected, Message: strings.Repeat("long ", 1000)}))
	for _, rules := range [][]pim.Rule{
		{pim.RuleExpiration},
		{pim.RuleJustification},
		{pim.RuleTicketing},
		{pim.RuleMFA},
		{pim.RuleEligibility},
		{pim.RuleJustification, pim.RuleTicketing},
		{pim.RuleExpiration, pim.RuleJustification, pim.RuleTicketing, pim.RuleMFA},
		{"NewRule"},
		{"NewRule", pim.RuleTicketing},
	} {
		line(fmt.Sprintf("policy, %d rules, %s", len(rules), rules[0]), pim.Explain(&pim.Error{Code: pim.CodePolicy, Rules: rules}))
	}
	for _, s := range []pim.Status{"Denied", "Canceled", "TimedOut", "FailedAsResourceIsLocked", "Revoked", "Failed"} {
		line("request "+string(s), pim.Request{ID: "1", Status: s}.Problem())
	}
	golden := filepath.Join("testdata", "sentences.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("the sentences have changed; look at them and run this test with -update:\n%s", got)
	}
}

func TestCodeOf(t *testing.T) {
	coded := &pim.Error{Code: pim.CodePending, Err: context.Canceled}
	for _, tt := range []struct {
		err  error
		want pim.Code
	}{
		{nil, ""},
		{coded, pim.CodePending},
		{fmt.Errorf("activate: %w", coded), pim.CodePending},
		{errors.Join(errors.New("x"), coded), pim.CodePending},
		{fmt.Errorf("x: %w", context.Canceled), pim.CodeCancelled},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), pim.CodeTimeout},
		{errors.New("x"), pim.CodeInternal},
	} {
		if got := pim.CodeOf(tt.err); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestExplain(t *testing.T) {
	if pim.Explain(nil) != nil {
		t.Error("nil has a problem")
	}
	p := pim.Explain(fmt.Errorf("activate: %w", &pim.Error{Code: pim.CodeForbidden, Service: "AuthorizationFailed", Message: "no \x1b[31maccess", CorrelationID: "c-1"}))
	if p.Code != pim.CodeForbidden || p.Details != "activate: forbidden (AuthorizationFailed): no [31maccess\nCorrelation id: c-1" {
		t.Errorf("%+v", p)
	}
}

func TestClaimsReachNoText(t *testing.T) {
	const secret = `{"access_token":{"nbf":"1604106651"}}`
	e := &pim.Error{Code: pim.CodeStepUp, Claims: secret}
	encoded, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "error", e, "claims", e.Claims)
	for _, text := range []string{
		e.Error(), fmt.Sprint(e), fmt.Sprintf("%+v", *e), fmt.Sprintf("%#v", *e), fmt.Sprintf("%q", e.Claims), string(encoded),
		logged.String(), fmt.Sprint(pim.Explain(e)), fmt.Sprint(*pim.Explain(e)),
	} {
		if strings.Contains(text, "nbf") || strings.Contains(text, "1604106651") {
			t.Errorf("the claims are in %s", text)
		}
	}
}

func TestErrorChain(t *testing.T) {
	cause := errors.New("cause")
	e := &pim.Error{Code: pim.CodeOffline, Err: cause}
	if !errors.Is(e, cause) || e.Error() != "offline: cause" {
		t.Errorf("%v", e)
	}
}
