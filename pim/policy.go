package pim

import (
	"strings"
	"time"
)

// Approver is a person or group that may decide an activation.
type Approver struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Group bool   `json:"group,omitempty"`
}

// Policy is what a role's settings ask of the one who activates it. The zero
// value is a policy that could not be read: nothing is known, and the service decides.
type Policy struct {
	// Readable says that the fields below were read from the service. Ordinary
	// users are often refused.
	Readable bool `json:"readable"`
	// MaxDuration is the longest activation; zero means not known.
	MaxDuration time.Duration `json:"maxDuration,omitempty"`
	// Learnt is when something of a policy that could not be read was last concluded from
	// the service's refusal; zero where it was read.
	Learnt                time.Time `json:"learnt,omitzero"`
	JustificationRequired bool      `json:"justificationRequired,omitempty"`
	TicketRequired        bool      `json:"ticketRequired,omitempty"`
	MFARequired           bool      `json:"mfaRequired,omitempty"`
	// AuthContext is the Conditional Access authentication context that the
	// token must carry, such as c1, or empty.
	AuthContext      string     `json:"authContext,omitempty"`
	ApprovalRequired bool       `json:"approvalRequired,omitempty"`
	Approvers        []Approver `json:"approvers,omitempty"`
	// ReadAt is when the policy was read.
	ReadAt time.Time `json:"readAt,omitzero"`
}

// ShortDefault is the duration offered where nothing else is known: short on
// purpose.
const ShortDefault = time.Hour

// LongestActivation is the most that any policy can allow. Source: Microsoft's documentation,
// "Configure Azure resource role settings".
const LongestActivation = 24 * time.Hour

// Limit is the longest duration worth offering for an activation that begins at start, of
// a role whose eligibility ends at end (zero: never).
func (p Policy) Limit(end, start time.Time) time.Duration {
	limit := p.MaxDuration
	if limit <= 0 {
		limit = LongestActivation
	}
	if left := end.Sub(start).Truncate(time.Minute); !end.IsZero() && left < limit {
		limit = max(left, 0)
	}
	return limit
}

// DefaultDuration is the shorter of one hour and the limit.
func (p Policy) DefaultDuration(end, start time.Time) time.Duration {
	return min(ShortDefault, p.Limit(end, start))
}

// StepUpClaims is the claims request that a token must be asked for with before
// the policy lets an activation through, or empty where it needs none. Source: Microsoft's documentation,
// "Developer guide to Conditional Access authentication context"; that amr is honoured
// was observed in the field.
func (p Policy) StepUpClaims() Claims {
	var claims Claims
	if p.AuthContext != "" && isWord(p.AuthContext) {
		claims = Claims(`{"access_token":{"acrs":{"essential":true,"value":"` + p.AuthContext + `"}}}`)
	}
	if p.MFARequired {
		claims = claims.Merge(`{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}`)
	}
	return claims
}

func isWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// Learn returns p with what the service's refusal of an activation by these rules tells: of
// RuleExpiration that the longest is some shorter duration of those that are offered, of
// the others what has to be given. A policy that was read knows better.
func (p Policy) Learn(rules []Rule, refused time.Duration, now time.Time) Policy {
	if p.Readable {
		return p
	}
	for _, r := range rules {
		switch r {
		case RuleExpiration:
			if shorter := shorterThan(refused); p.MaxDuration == 0 || shorter < p.MaxDuration {
				p.MaxDuration, p.Learnt = shorter, now
			}
		case RuleJustification:
			p.JustificationRequired, p.Learnt = true, now
		case RuleTicketing:
			p.TicketRequired, p.Learnt = true, now
		case RuleMFA:
			p.MFARequired, p.Learnt = true, now
		case RuleEligibility:
		}
	}
	return p
}

func shorterThan(refused time.Duration) time.Duration {
	shorter := 5 * time.Minute
	for _, d := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour} {
		if d < refused {
			shorter = d
		}
	}
	return shorter
}

// Rule names one thing that a policy checks.
type Rule string

// The rules of a policy, by the names that the services give in their refusals.
const (
	RuleExpiration    Rule = "ExpirationRule"
	RuleJustification Rule = "JustificationRule"
	RuleTicketing     Rule = "TicketingRule"
	RuleMFA           Rule = "MfaRule"
	RuleEligibility   Rule = "EligibilityRule"
)

// Check returns the rules that a would break by itself, in the order of the
// constants: not those that only the service can judge. RuleEligibility is broken where less
// than a minute of the eligibility is left when a begins.
func (p Policy) Check(a Activation, now time.Time) []Rule {
	var broken []Rule
	limit := LongestActivation
	// A limit that was concluded from a refusal is offered, but the service decides. What has to
	// be given can be given.
	if p.Learnt.IsZero() {
		limit = p.Limit(time.Time{}, now)
	}
	if a.Duration <= 0 || a.Duration > limit {
		broken = append(broken, RuleExpiration)
	}
	if p.JustificationRequired && strings.TrimSpace(a.Justification) == "" {
		broken = append(broken, RuleJustification)
	}
	if p.TicketRequired && strings.TrimSpace(a.Ticket.Number) == "" {
		broken = append(broken, RuleTicketing)
	}
	if end := a.Eligibility.End; !end.IsZero() && end.Sub(a.Begins(now)) < time.Minute {
		broken = append(broken, RuleEligibility)
	}
	return broken
}
