package azure

import (
	"strings"
	"testing"
)

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		"asTarget()", "asTarget() and atScope()", "principalId eq a3bb8764-cb92-4276-9d2a-ca1e895e55ea", "assignedTo('x')",
		"resourceType eq 'subscription' or resourceType eq 'resourcegroup'", "roleDefinitionId eq 'it''s'", "", "((", "a eq '",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		terms, join, err := parseFilter(s)
		if err != nil {
			return
		}
		if len(terms) == 0 || len(terms) > 1 != (join != "") {
			t.Fatalf("%q: %d terms joined by %q", s, len(terms), join)
		}
		// What was understood means the same when it is written out again.
		var parts []string
		for _, x := range terms {
			quoted := "'" + strings.ReplaceAll(x.arg, "'", "''") + "'"
			switch {
			case x.name == "":
				t.Fatalf("%q: a term without a name", s)
			case x.function && x.arg == "":
				parts = append(parts, x.name+"()")
			case x.function:
				parts = append(parts, x.name+"("+quoted+")")
			default:
				parts = append(parts, x.name+" eq "+quoted)
			}
		}
		again, _, err := parseFilter(strings.Join(parts, " "+join+" "))
		if err != nil || len(again) != len(terms) {
			t.Fatalf("%q became %q: %v", s, parts, err)
		}
		for i := range again {
			if again[i] != terms[i] {
				t.Fatalf("%q: %+v became %+v", s, terms[i], again[i])
			}
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{
		"/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/x", "//subscriptions/dfa2a084-766f-4003-8ae1-c4aeb893a99f" + pim + "a",
		machine + pim + "roleEligibilitySchedules", upper + pim + "x", "/providers/Microsoft.Subscription" + sampleSub + pim + "x", "/subscriptions", "",
		sampleSub + "/providers/Microsoft.Authorization/roleAssignments/x" + pim + "y", sampleSub + "/resourceGroups",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parsePath(s)
		if err != nil || !r.authorization {
			return
		}
		if r.scope.kind == "" || r.scope.id != "" && !strings.HasPrefix(r.scope.id, "/") || strings.Contains(r.scope.id, "//") {
			t.Fatalf("%q has the scope %+v", s, r.scope)
		}
		// A scope stays what it is.
		again, err := parseScope(r.scope.id)
		if err != nil || again != r.scope {
			t.Fatalf("%q: %+v became %+v, %v", s, r.scope, again, err)
		}
		match(operations, r.rest)
	})
}

func FuzzRequestBody(f *testing.F) {
	for _, s := range []string{samplePut, "{}", `{"properties":null}`, `{"properties":{"scheduleInfo":null}}`, "[]", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b, s, err := parseRequest(body)
		if err != nil {
			return
		}
		if b.PrincipalID == "" || b.RoleDefinitionID == "" || b.RequestType == "" || s.Duration < 0 {
			t.Fatalf("accepted %s as %+v %+v", body, b, s)
		}
		if !s.Start.IsZero() && (s.Start.Year() < 0 || s.Start.Year() > 10000) {
			t.Fatalf("start %v", s.Start)
		}
	})
}

func FuzzDecision(f *testing.F) {
	f.Add([]byte(`{"reviewResult":"Approve","justification":"x"}`))
	f.Add([]byte(`{"properties":{"reviewResult":"Deny"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if result, _, err := parseDecision(body); err == nil && result != "Approve" && result != "Deny" {
			t.Fatalf("%s decides %q", body, result)
		}
	})
}
