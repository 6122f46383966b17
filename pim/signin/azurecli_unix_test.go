//go:build unix

package signin_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"roletray/pim"
	"roletray/pim/signin"
)

// installAz puts a stand-in for the Azure CLI in the PATH. It notes its arguments in
// the returned file.
func installAz(t *testing.T, script string) (calls string) {
	t.Helper()
	dir := t.TempDir()
	calls = filepath.Join(dir, "calls")
	text := fmt.Sprintf("#!/bin/sh\necho \"$*\" >> '%s'\n%s\n", calls, script)
	if err := os.WriteFile(filepath.Join(dir, "az"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	return calls
}

// azToken is what the CLI prints.
func azToken(t *testing.T, value string, expires time.Time) string {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"accessToken": value, "expires_on": expires.Unix(), "expiresOn": expires.Local().Format("2006-01-02 15:04:05.000000"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return "cat <<'END'\n" + string(data) + "\nEND"
}

func userToken(t *testing.T, oid string) string {
	t.Helper()
	value, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"oid": oid, "tid": "11111111-2222-3333-4444-555555555555", "upn": "ann@example.com", "name": "Ann",
	}).SignedString([]byte("nobody checks this"))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestAzureCLI(t *testing.T) {
	b := newBench(t)
	// A token of the tenant, so that it is good for a request.
	browser := b.service()
	issued := b.token(browser, b.signIn(browser), pim.AudienceARM)
	calls := installAz(t, azToken(t, issued.Value, issued.Expires))

	s := b.service()
	acc, err := s.SignIn(t.Context(), signin.Options{Cloud: b.cloud, Method: pim.SignInAzureCLI})
	if err != nil {
		t.Fatal(err)
	}
	if acc.UserID != b.user.ID || acc.TenantID != b.cloud.TenantID || acc.Username != b.user.UPN || acc.Method != pim.SignInAzureCLI {
		t.Errorf("account %+v", acc)
	}
	p, _ := b.wire(s.Source(acc.ID), pim.AudienceARM)
	for range 3 {
		resp, err := b.do(t.Context(), p, "GET", b.cloud.ARM+eligible)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v, %v", resp, err)
		}
	}
	data, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(data), "\n"); got != 2 {
		t.Errorf("the CLI ran %d times, want once for the sign-in and once for the requests:\n%s", got, data)
	}
	if !strings.Contains(string(data), "--resource "+b.cloud.ARM) || !strings.Contains(string(data), "--tenant "+b.cloud.TenantID) {
		t.Errorf("the CLI was called with %s", data)
	}

	source := s.Source(acc.ID)
	_, err = source.Token(t.Context(), pim.AudienceGraph, signin.TokenRequest{Interactive: true})
	b.wantError(err, signin.ErrNoAzureCLI, pim.CodeConsent)
	opened := b.opened.Load()
	_, err = source.Token(t.Context(), pim.AudienceARM, signin.TokenRequest{Claims: contextC1, Interactive: true})
	b.wantError(err, signin.ErrSignInNeeded, pim.CodeSignInNeeded)
	if b.opened.Load() != opened {
		t.Error("a browser opened for the CLI's account")
	}
	s.Close()

	s = b.service()
	if len(s.Accounts()) != 2 {
		t.Fatalf("accounts after a restart: %+v", s.Accounts())
	}
	b.token(s, acc, pim.AudienceARM)
	if err := s.SignOut(t.Context(), acc.ID); err != nil || len(s.Accounts()) != 1 {
		t.Errorf("sign-out: %v", err)
	}
}

func TestAzureCLIFails(t *testing.T) {
	b := newBench(t)
	s := b.service()
	later := time.Now().Add(time.Hour)
	tests := []struct {
		name, script string
		want         error
		code         pim.Code
	}{
		{"not signed in", "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1", signin.ErrSignInNeeded, pim.CodeSignInNeeded},
		{"expired", `echo "ERROR: AADSTS700082: The refresh token has expired. eyJ0" >&2; exit 1`, signin.ErrSignInNeeded, pim.CodeSignInNeeded},
		{"broken", "echo 'eyJ0 not json'", signin.ErrNoAzureCLI, pim.CodeUnreadable},
		{"crash", "echo 'Traceback refresh_token' >&2; exit 1", signin.ErrNoAzureCLI, pim.CodeInternal},
		{"no user", azToken(t, "opaque", later), signin.ErrNoAzureCLI, pim.CodeUnreadable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			installAz(t, tt.script)
			_, err := s.SignIn(t.Context(), signin.Options{Cloud: b.cloud, Method: pim.SignInAzureCLI})
			b.wantError(err, tt.want, tt.code)
		})
	}
	t.Run("absent", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := s.SignIn(t.Context(), signin.Options{Cloud: b.cloud, Method: pim.SignInAzureCLI})
		b.wantError(err, signin.ErrNoAzureCLI, pim.CodeSignInNeeded)
	})
	t.Run("somebody else", func(t *testing.T) {
		b.cloud.TenantID = ""
		installAz(t, azToken(t, userToken(t, "ann"), later))
		acc, err := s.SignIn(t.Context(), signin.Options{Cloud: b.cloud, Method: pim.SignInAzureCLI})
		if err != nil {
			t.Fatal(err)
		}
		installAz(t, azToken(t, userToken(t, "bob"), later))
		_, err = s.Source(acc.ID).Token(t.Context(), pim.AudienceARM, signin.TokenRequest{})
		b.wantError(err, signin.ErrSignInNeeded, pim.CodeSignInNeeded)
	})
}
