package pim

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// Claims is a claims request in JSON: what a service or a policy asks of a token. It
// formats as its length only, so that it reaches no log and no message.
type Claims string

// String hides the content.
func (c Claims) String() string { return fmt.Sprintf("claims(%d)", len(c)) }

// GoString hides the content.
func (c Claims) GoString() string { return c.String() }

// MarshalText hides the content.
func (c Claims) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Merge returns a claims request that asks for both. Where they contradict each other,
// newer counts.
func (c Claims) Merge(newer Claims) Claims {
	a, b := c.object(), newer.object()
	switch {
	case c == newer, b == nil:
		return c
	case a == nil:
		return newer
	}
	return encode(mergeObjects(a, b), newer)
}

// Join returns a claims request that a token meets which meets both, and whether there is
// one. There is none for different authentication contexts: a list of them asks for any one,
// so that a token for both cannot be asked for. Source: OpenID Connect Core 1.0, section
// 5.5.1, for the meaning of values.
func (c Claims) Join(other Claims) (Claims, bool) {
	have, want := c.Contexts(), other.Contexts()
	switch {
	case c == "" || other == "" || len(have) == 0 || len(want) == 0:
	case !slices.Equal(have, want):
		return "", false
	default:
		// One spelling of the same contexts is enough.
		object := other.object()
		if access, ok := object["access_token"].(map[string]any); ok {
			delete(access, "acrs")
		}
		other = encode(object, other)
	}
	joined := c.Merge(other)
	return joined, joined.object() != nil || c == other || c == "" || other == ""
}

// Covers says whether a token that meets c meets other too.
func (c Claims) Covers(other Claims) bool {
	joined, ok := c.Join(other)
	return ok && (joined == c || reflect.DeepEqual(joined.object(), c.object()))
}

// Contexts returns the authentication contexts that c asks for, sorted, of which a token
// needs one.
func (c Claims) Contexts() []string {
	var request struct {
		AccessToken struct {
			Contexts struct {
				Value  string   `json:"value"`
				Values []string `json:"values"`
			} `json:"acrs"`
		} `json:"access_token"`
	}
	if json.Unmarshal([]byte(c), &request) != nil {
		return nil
	}
	want := request.AccessToken.Contexts.Values
	if v := request.AccessToken.Contexts.Value; v != "" {
		want = append(want, v)
	}
	slices.Sort(want)
	return slices.Compact(want)
}

// object is the request, or nil where it is no JSON object.
func (c Claims) object() map[string]any {
	var object map[string]any
	if json.Unmarshal([]byte(c), &object) != nil {
		return nil
	}
	return object
}

func encode(object map[string]any, otherwise Claims) Claims {
	data, err := json.Marshal(object)
	if err != nil {
		return otherwise
	}
	return Claims(data)
}

func mergeObjects(into, from map[string]any) map[string]any {
	for k, v := range from {
		old, isObject := into[k].(map[string]any)
		if object, ok := v.(map[string]any); ok && isObject {
			v = mergeObjects(old, object)
		}
		into[k] = v
	}
	return into
}
