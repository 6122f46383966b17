package signin

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"roletray/pim"
)

// maxClaims is the longest claims request in bytes that is taken from a service.
const maxClaims = 16 << 10

// ParseChallenge finds the claims request in the values of a WWW-Authenticate
// header: that of a challenge with error="insufficient_claims", as Microsoft's page
// "Claims challenges, claims requests and client capabilities" describes it. There
// may be several challenges, of several schemes; Bearer goes first.
func ParseChallenge(header []string) (claims pim.Claims, ok bool) {
	for _, value := range header {
		for _, c := range parseChallenges(value) {
			if !strings.EqualFold(c.params["error"], "insufficient_claims") {
				continue
			}
			found, valid := decodeClaims(c.params["claims"])
			if !valid {
				continue
			}
			if strings.EqualFold(c.scheme, "Bearer") {
				return found, true
			}
			if !ok {
				claims, ok = found, true
			}
		}
	}
	return claims, ok
}

type challenge struct {
	scheme string
	params map[string]string // names in lower case
}

// parseChallenges reads a header value by RFC 9110 section 11.6.1, leniently.
func parseChallenges(s string) []challenge {
	var all []challenge
	for s = strings.TrimLeft(s, " \t,"); s != ""; s = strings.TrimLeft(s, " \t,") {
		end := strings.IndexAny(s, " \t,=\"")
		if end < 0 {
			end = len(s)
		}
		word := s[:end]
		rest := strings.TrimLeft(s[end:], " \t")
		switch {
		case strings.HasPrefix(rest, "="):
			var value string
			value, s = paramValue(strings.TrimLeft(rest[1:], " \t"))
			if name := strings.ToLower(word); len(all) > 0 && name != "" {
				if p := all[len(all)-1].params; p[name] == "" {
					p[name] = value
				}
			}
		case word == "":
			s = s[1:] // a stray quote
		default:
			all = append(all, challenge{scheme: word, params: make(map[string]string)})
			s = rest
		}
	}
	return all
}

// paramValue reads a token or a quoted string at the start of s.
func paramValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, " \t,")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// decodeClaims reads a claims request in any of the alphabets of base64, with
// padding or without.
func decodeClaims(s string) (pim.Claims, bool) {
	if len(s) > 2*maxClaims {
		return "", false
	}
	s = strings.TrimRight(s, "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		encoding = base64.RawURLEncoding
	}
	data, err := encoding.DecodeString(s)
	if err != nil {
		return "", false
	}
	return claimsObject(string(data))
}

// claimsObject returns s if it is a JSON object.
func claimsObject(s string) (pim.Claims, bool) {
	var object map[string]any
	if len(s) > maxClaims || json.Unmarshal([]byte(s), &object) != nil || len(object) == 0 {
		return "", false
	}
	return pim.Claims(s), true
}

// forMSAL returns claims as MSAL takes them: it adds the client's capabilities and
// refuses a request that has them already, as one that a service echoes may.
func forMSAL(claims pim.Claims) string {
	var object map[string]any
	if json.Unmarshal([]byte(claims), &object) != nil {
		return string(claims)
	}
	access, ok := object["access_token"].(map[string]any)
	if !ok || access["xms_cc"] == nil {
		return string(claims)
	}
	delete(access, "xms_cc")
	data, err := json.Marshal(object)
	if err != nil {
		return string(claims)
	}
	return string(data)
}

// identity is what is read from an access token. Its signature is the business of
// the service that the token is for; here these are names of things, never a
// permission.
type identity struct {
	UserID   string
	TenantID string
	Username string
	Name     string
	Contexts []string
}

// tokenClaims reads a token. It is false for one that is not a JWT.
func tokenClaims(t Token) (identity, bool) {
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(t.Value, claims); err != nil {
		return identity{}, false
	}
	text := func(names ...string) string {
		for _, n := range names {
			if s, ok := claims[n].(string); ok && s != "" {
				return s
			}
		}
		return ""
	}
	id := identity{
		UserID:   strings.ToLower(text("oid")),
		TenantID: strings.ToLower(text("tid")),
		Username: pim.CleanText(text("upn", "preferred_username", "unique_name", "email"), 200),
		Name:     pim.CleanText(text("name"), 200),
	}
	switch acrs := claims["acrs"].(type) {
	case string:
		id.Contexts = []string{acrs}
	case []any:
		for _, c := range acrs {
			if s, ok := c.(string); ok {
				id.Contexts = append(id.Contexts, s)
			}
		}
	}
	return id, true
}
