package signin

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"roletray/pim"
)

const nbf = `{"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}`

func TestParseChallenge(t *testing.T) {
	std := base64.StdEncoding.EncodeToString([]byte(nbf))
	p1 := `{"access_token":{"acrs":{"essential":true,"values":["p1"]}},"x":"??>>"}`
	urlSafe := base64.RawURLEncoding.EncodeToString([]byte(p1))
	tests := []struct {
		name   string
		header []string
		want   string
	}{
		{"Microsoft Graph", []string{`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000", errorDescription="Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp", error="insufficient_claims", claims="` + std + `"`}, nbf},
		{"Azure Resource Manager", []string{`Bearer authorization_uri="https://login.windows.net/", error="invalid_token", error_description="User session has been revoked", error="insufficient_claims", claims="` + std + `"`}, ""},
		{"not padded", []string{`Bearer error="insufficient_claims", claims="` + strings.TrimRight(std, "=") + `"`}, nbf},
		{"URL alphabet", []string{`Bearer error="insufficient_claims", claims="` + urlSafe + `"`}, p1},
		{"proof of possession first", []string{`PoP authorization_uri="x", error="insufficient_claims", claims="e30", Bearer error="insufficient_claims", claims="` + std + `"`}, nbf},
		{"only proof of possession", []string{`PoP error="insufficient_claims", claims="` + std + `"`}, nbf},
		{"several values", []string{"Negotiate", `Basic realm="a, Bearer claims=x"`, `bearer ERROR=insufficient_claims, Claims="` + std + `"`}, nbf},
		{"token68", []string{`Negotiate abc==, Bearer error="insufficient_claims", claims="` + std + `"`}, nbf},
		{"quotes inside", []string{`Bearer error_description="he said \"claims=\", no", error="insufficient_claims", claims="` + std + `"`}, nbf},
		{"spaces", []string{"  Bearer \t error = \"insufficient_claims\" ,claims =\"" + std + `"`}, nbf},
		{"no claims", []string{`Bearer error="insufficient_claims"`}, ""},
		{"another error", []string{`Bearer error="invalid_token", claims="` + std + `"`}, ""},
		{"not base64", []string{`Bearer error="insufficient_claims", claims="{}%%"`}, ""},
		{"not JSON", []string{`Bearer error="insufficient_claims", claims="bm90IGpzb24="`}, ""},
		{"not an object", []string{`Bearer error="insufficient_claims", claims="WzFd"`}, ""},
		{"unterminated", []string{`Bearer error="insufficient_claims", claims="` + std}, nbf},
		{"none", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := ParseChallenge(tt.header)
			if string(got) != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %t", string(got), ok)
			}
		})
	}
}

func TestForMSAL(t *testing.T) {
	for in, want := range map[string]string{
		nbf: nbf,
		`{"access_token":{"acrs":{"value":"c1"},"xms_cc":{"values":["cp1"]}}}`: `{"access_token":{"acrs":{"value":"c1"}}}`,
		"not json": "not json",
	} {
		if got := forMSAL(pim.Claims(in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// isObject says whether the parser kept its promise.
func isObject(claims pim.Claims) bool {
	var object map[string]any
	return len(claims) <= maxClaims && json.Unmarshal([]byte(claims), &object) == nil && len(object) > 0
}

func FuzzParseChallenge(f *testing.F) {
	f.Add(`Bearer realm="", error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(nbf)) + `"`)
	f.Add(`PoP a=b, Bearer claims="e30", "`)
	f.Add(`=,=" \`)
	f.Fuzz(func(t *testing.T, header string) {
		claims, ok := ParseChallenge([]string{header})
		if ok != (claims != "") || ok && !isObject(claims) {
			t.Errorf("%q: got %q, %t", header, string(claims), ok)
		}
	})
}

func FuzzForMSAL(f *testing.F) {
	f.Add(`{"access_token":{"acrs":{"value":"c1"},"xms_cc":{"values":["cp1"]}}}`)
	f.Add("null")
	f.Fuzz(func(t *testing.T, claims string) {
		if got := forMSAL(pim.Claims(claims)); json.Valid([]byte(claims)) && !json.Valid([]byte(got)) {
			t.Errorf("%q gives %q", claims, got)
		}
	})
}

func FuzzTokenClaims(f *testing.F) {
	f.Add("eyJhbGciOiJub25lIn0.eyJvaWQiOiJBIiwidGlkIjoiYiIsImFjcnMiOlsiYzEiXX0.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, value string) {
		if id, ok := tokenClaims(Token{Value: value}); ok && strings.ContainsAny(id.Username+id.Name, "\n\x00") {
			t.Errorf("control characters in %+v", id)
		}
	})
}
