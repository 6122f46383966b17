package entra

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ClaimsRequest is what a client asks of the access token, by the claims
// parameter of OpenID Connect Core 5.5.
type ClaimsRequest struct {
	// Contexts are authentication contexts, claim acrs: one of them suffices.
	Contexts Demand
	// Methods are authentication methods, claim amr.
	Methods Demand
	// Capabilities are what the client says that it can do, claim xms_cc.
	Capabilities []string
	// NotBefore is the earliest time of issue that the client takes.
	NotBefore time.Time
	// Raw is the parameter as it came.
	Raw string
}

// Demand is a claim with one of the values.
type Demand struct {
	Essential bool
	Values    []string
}

// MetBy tells whether one of the values is among have. A demand without values
// is always met.
func (d Demand) MetBy(have []string) bool {
	if len(d.Values) == 0 {
		return true
	}
	return slices.ContainsFunc(d.Values, func(v string) bool { return slices.Contains(have, v) })
}

// maxClaims bounds the claims parameter; browsers and servers cut a longer
// address anyway.
const maxClaims = 8 << 10

// ParseClaims reads a claims parameter. Claims that it does not know are
// ignored, as the identity platform does; an empty text is an empty request.
func ParseClaims(raw string) (ClaimsRequest, error) {
	req := ClaimsRequest{Raw: raw}
	if raw == "" {
		return req, nil
	}
	if len(raw) > maxClaims {
		return ClaimsRequest{}, errors.New("the claims parameter is too long")
	}
	var outer struct {
		AccessToken map[string]json.RawMessage `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(raw), &outer); err != nil {
		return ClaimsRequest{}, fmt.Errorf("the claims parameter is not a JSON object: %w", err)
	}
	for name, value := range outer.AccessToken {
		demand, err := parseDemand(value)
		if err != nil {
			return ClaimsRequest{}, fmt.Errorf("claim %q: %w", clip(name), err)
		}
		switch name {
		case "acrs":
			req.Contexts = demand
		case "amr":
			req.Methods = demand
		case "xms_cc":
			req.Capabilities = demand.Values
		case "nbf":
			if len(demand.Values) == 0 {
				continue
			}
			seconds, err := strconv.ParseInt(demand.Values[0], 10, 64)
			if err != nil || seconds < 0 || seconds > 1<<40 {
				return ClaimsRequest{}, errors.New("claim \"nbf\": not a number of seconds")
			}
			req.NotBefore = time.Unix(seconds, 0).UTC()
		}
	}
	return req, nil
}

// parseDemand reads null or {"essential":…,"value":…,"values":[…]}, where a
// value is a text or a number.
func parseDemand(raw json.RawMessage) (Demand, error) {
	var d struct {
		Essential bool  `json:"essential"`
		Value     any   `json:"value"`
		Values    []any `json:"values"`
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		return Demand{}, err
	}
	demand := Demand{Essential: d.Essential}
	if d.Value != nil {
		d.Values = append([]any{d.Value}, d.Values...)
	}
	for _, v := range d.Values {
		switch v := v.(type) {
		case string:
			demand.Values = append(demand.Values, v)
		case json.Number:
			demand.Values = append(demand.Values, v.String())
		default:
			return Demand{}, errors.New("a value must be a text or a number")
		}
	}
	return demand, nil
}
