package graph

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"roletray/pim/tenant/ledger"
)

// Every request among Microsoft's examples is understood, and every answer has
// only what ours has too.
func TestMicrosoftsExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(specification(t), "examples", "*.json"))
	if err != nil || len(files) < 25 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	tn := newTenant(t)
	shapes := map[string][]shape{
		"roleAssignmentApprovals": {approvalShape, stepShape}, "assignmentApprovals": {approvalShape, stageShape},
		"roleManagementPolicies": {policyShape}, "roleManagementPolicyAssignments": {policyAssignmentShape},
	}
	for _, p := range []*plane{tn.service.directory, tn.service.groups} {
		for _, k := range p.kinds {
			shapes[k.path] = []shape{k.shape}
		}
	}
	bodies, answers := 0, 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		parts := strings.Split(strings.TrimPrefix(name, "beta."), ".")
		known := shapes[parts[1]]
		if known == nil {
			t.Errorf("%s is of an unknown collection", name)
			continue
		}
		switch {
		case strings.Contains(name, ".request-approve"):
			bodies++
			if result, why, err := parseDecision(raw); err != nil || result != "Approve" || why == "" {
				t.Errorf("%s: %s %s %v", name, result, why, err)
			}
			continue
		case strings.Contains(name, ".request-"):
			bodies++
			b, err := parseRequest(raw, &known[0])
			if err != nil || b.Action == "" || b.PrincipalID == "" || b.RoleDefinitionID+b.GroupID == "" {
				t.Errorf("%s: %+v %v", name, b, err)
			}
			if _, wrong := b.ScheduleInfo.Parse(); wrong != "" {
				t.Errorf("%s: %s", name, wrong)
			}
			continue
		case strings.Contains(name, ".rules."):
			checkExampleRules(t, name, raw, "value")
			answers++
			continue
		}
		var list struct{ Value []map[string]json.RawMessage }
		var one map[string]json.RawMessage
		if json.Unmarshal(raw, &list) != nil || json.Unmarshal(raw, &one) != nil {
			t.Errorf("%s is not understood", name)
		}
		if list.Value == nil {
			list.Value = []map[string]json.RawMessage{one}
		}
		for _, e := range list.Value {
			answers++
			checkExample(t, name, e, known)
			if rules := e["policy"]; rules != nil {
				checkExampleRules(t, name, rules, "rules")
			}
		}
	}
	if bodies != 5 || answers < 20 {
		t.Errorf("%d bodies and %d answers were read", bodies, answers)
	}
}

func checkExample(t *testing.T, name string, e map[string]json.RawMessage, known []shape) {
	t.Helper()
	for field := range e {
		fits := slices.ContainsFunc(known, func(s shape) bool { return slices.Contains(s.fields, field) })
		if !fits && !strings.Contains(field, "@odata.") && !slices.Contains([]string{"stages", "steps", "policy"}, field) {
			t.Errorf("%s has %s, and ours has not", name, field)
		}
	}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var o object
	if err := json.Unmarshal(raw, &o); err != nil || o.ID == "" {
		t.Errorf("%s: %+v %v", name, o, err)
	}
}

// checkExampleRules holds the rules of an example, field by field, against ours
// of the same id.
func checkExampleRules(t *testing.T, name string, raw []byte, key string) {
	t.Helper()
	var in map[string]json.RawMessage
	var theirs []map[string]any
	if json.Unmarshal(raw, &in) != nil || json.Unmarshal(in[key], &theirs) != nil || len(theirs) != 17 {
		t.Fatalf("%s has %d rules", name, len(theirs))
	}
	for i, r := range rules(ledger.Policy{}, strings.Contains(name, "group")) {
		ours := map[string]any{}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &ours); err != nil {
			t.Fatal(err)
		}
		if ours["id"] != theirs[i]["id"] || ours["@odata.type"] != theirs[i]["@odata.type"] {
			t.Errorf("%s: rule %d is %v, ours is %v", name, i, theirs[i]["id"], ours["id"])
		}
		for field := range theirs[i] {
			if _, ok := ours[field]; !ok {
				t.Errorf("%s: rule %s has %s, and ours has not", name, ours["id"], field)
			}
		}
		for field := range ours {
			if _, ok := theirs[i][field]; !ok {
				t.Errorf("%s: our rule %s has %s, and theirs has not", name, ours["id"], field)
			}
		}
	}
}

// Microsoft's example of an activation, word for word, gives Microsoft's answer
// but for what is ours: ids and moments.
func TestMicrosoftsActivation(t *testing.T) {
	dir := filepath.Join(specification(t), "examples")
	for _, tt := range []struct{ path, request, response string }{
		{
			roleRequests, "directory.roleAssignmentScheduleRequests.create.request-selfActivate.json",
			"directory.roleAssignmentScheduleRequests.create.response-1-selfActivate-scheduled.json",
		},
		{
			groupRequests, "group.assignmentScheduleRequests.create.request-selfActivate.json",
			"group.assignmentScheduleRequests.create.response-selfActivate.json",
		},
	} {
		tn := newTenant(t)
		read := func(name string) string {
			raw, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			// One person stands for those of all examples, and a group that may be
			// joined for good for that of the example.
			return strings.NewReplacer("3cce9d87-3986-4f19-8335-7ed075408ca2", me, team, crew).Replace(string(raw))
		}
		var got, want map[string]any
		tn.do(user(me), "POST", tt.path, read(tt.request)).want(t, http.StatusCreated, "").into(t, &got)
		if err := json.Unmarshal([]byte(read(tt.response)), &want); err != nil {
			t.Fatal(err)
		}
		// Ids and moments differ, and so does the status of a start that is to
		// come by our clock.
		for field, theirs := range want {
			if slices.Contains([]string{"id", "createdDateTime", "completedDateTime", "targetScheduleId", "status", "createdBy", "@odata.context", "@odata.type", "scheduleInfo"}, field) {
				continue
			}
			a, errA := json.Marshal(theirs)
			b, errB := json.Marshal(got[field])
			if errA != nil || errB != nil || string(a) != string(b) {
				t.Errorf("%s: %s is %s, and %s there", tt.path, field, b, a)
			}
		}
		schedule := got["scheduleInfo"].(map[string]any)["expiration"].(map[string]any)
		if theirs := want["scheduleInfo"].(map[string]any)["expiration"].(map[string]any); schedule["type"] != theirs["type"] || schedule["duration"] != theirs["duration"] {
			t.Errorf("%s: the expiration is %v, and %v there", tt.path, schedule, theirs)
		}
	}
}
