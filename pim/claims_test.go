package pim_test

import (
	"encoding/json"
	"slices"
	"testing"

	"roletray/pim"
)

const (
	nbf     pim.Claims = `{"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}`
	mfa     pim.Claims = `{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}`
	inC1    pim.Claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	inC2    pim.Claims = `{"access_token":{"acrs":{"essential":true,"value":"c2"}}}`
	c1AsSet pim.Claims = `{"access_token":{"acrs":{"essential":true, "values":["c1"]}}}`
	c1MFA   pim.Claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"},"amr":{"essential":true,"values":["mfa"]}}}`
)

func TestMergeClaims(t *testing.T) {
	for _, tt := range []struct{ older, newer, want pim.Claims }{
		{"", nbf, nbf},
		{nbf, "", nbf},
		{nbf, nbf, nbf},
		{"not json", nbf, nbf},
		{nbf, "not json", nbf},
		{
			`{"access_token":{"acrs":{"value":"c1"},"nbf":{"value":"1"}}}`, `{"access_token":{"nbf":{"value":"2"}},"id_token":{}}`,
			`{"access_token":{"acrs":{"value":"c1"},"nbf":{"value":"2"}},"id_token":{}}`,
		},
		{`{"a":{"b":1}}`, `{"a":2}`, `{"a":2}`},
		{"null", `{"a":2}`, `{"a":2}`},
	} {
		if got := tt.older.Merge(tt.newer); got != tt.want {
			t.Errorf("%s and %s: got %s, want %s", string(tt.older), string(tt.newer), string(got), string(tt.want))
		}
	}
}

func TestJoinClaims(t *testing.T) {
	for _, tt := range []struct {
		name   string
		a, b   pim.Claims
		want   pim.Claims
		ok     bool
		covers bool
	}{
		{"nothing", "", "", "", true, true},
		{"nothing and a context", "", inC1, inC1, true, false},
		{"a context and nothing", inC1, "", inC1, true, true},
		{"the same", inC1, inC1, inC1, true, true},
		{"the same, spelled otherwise", inC1, c1AsSet, inC1, true, true},
		{"a context and MFA", inC1, mfa, c1MFA, true, false},
		{"MFA and a context", mfa, inC1, c1MFA, true, false},
		{"both and one of them", c1MFA, mfa, c1MFA, true, true},
		{"both and the other", c1MFA, inC1, c1MFA, true, true},
		{"two contexts", inC1, inC2, "", false, false},
		{"two contexts and MFA", c1MFA, inC2, "", false, false},
		{"what cannot be read", "x", "y", "", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := tt.a.Join(tt.b)
			if ok != tt.ok || ok && got != tt.want {
				t.Errorf("joined %s, %t", string(got), ok)
			}
			if covers := tt.a.Covers(tt.b); covers != tt.covers {
				t.Errorf("covers: %t", covers)
			}
		})
	}
}

func TestContexts(t *testing.T) {
	for c, want := range map[pim.Claims][]string{
		inC1: {"c1"}, c1AsSet: {"c1"}, mfa: nil, "": nil, "[]": nil,
		`{"access_token":{"acrs":{"value":"c2","values":["c9","c1","c2"]}}}`: {"c1", "c2", "c9"},
	} {
		if got := c.Contexts(); !slices.Equal(got, want) {
			t.Errorf("%s: %v", string(c), got)
		}
	}
}

func FuzzClaims(f *testing.F) {
	f.Add(`{"a":{"b":1}}`, `{"a":{"c":2}}`)
	f.Add("null", "[]")
	f.Add(string(inC1), string(c1MFA))
	f.Add(string(c1AsSet), string(inC2))
	f.Fuzz(func(t *testing.T, older, newer string) {
		a, b := pim.Claims(older), pim.Claims(newer)
		if merged := a.Merge(b); json.Valid([]byte(older)) && json.Valid([]byte(newer)) && !json.Valid([]byte(merged)) {
			t.Errorf("%q and %q give %q", older, newer, string(merged))
		}
		joined, ok := a.Join(b)
		if !ok {
			return
		}
		if json.Valid([]byte(older)) && json.Valid([]byte(newer)) && !json.Valid([]byte(joined)) {
			t.Errorf("%q and %q join to %q", older, newer, string(joined))
		}
	})
}
