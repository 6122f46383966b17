package azure

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/google/uuid"

	"roletray/pim/tenant/ledger"
)

// contract is Microsoft's description of the API, and what of it was seen.
type contract struct {
	doc    *openapi3.T
	router routers.Router
	// seen counts valid answers by operation without its kind of scope, and
	// by whether they were errors.
	seen map[string]int
}

// specification is the folder that holds Microsoft's contract. It lies beside
// the repository and need not be there outside of CI.
func specification(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
	path := filepath.Join(dir, "..", "shared", "spec", "arm")
	if _, err := os.Stat(path); err != nil {
		const why = "Microsoft's contract is not beside the repository, in ../shared/spec/arm, so nothing can be held against it"
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	return path
}

func loadContract(t *testing.T) *contract {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(specification(t), "arm-pim.merged.swagger.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v2 openapi2.T
	if err := json.Unmarshal(raw, &v2); err != nil {
		t.Fatal(err)
	}
	doc, err := openapi2conv.ToV3(&v2)
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = nil
	// A property that Microsoft does not know is a misspelling of ours. Rules
	// are left open: their fields are those of the type that they name.
	for name, s := range doc.Components.Schemas {
		if !strings.HasPrefix(name, "common-types.RoleManagementPolicy") {
			closeSchema(s, map[*openapi3.SchemaRef]bool{})
		}
	}
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	if err != nil {
		t.Fatal(err)
	}
	return &contract{doc: doc, router: router, seen: map[string]int{}}
}

func closeSchema(s *openapi3.SchemaRef, done map[*openapi3.SchemaRef]bool) {
	if s == nil || s.Value == nil || s.Ref != "" || done[s] || len(s.Value.Properties) == 0 || len(s.Value.AllOf) > 0 {
		return
	}
	done[s] = true
	no := false
	s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &no}
	for _, p := range s.Value.Properties {
		closeSchema(p, done)
		if p.Value != nil {
			closeSchema(p.Value.Items, done)
		}
	}
}

// check fails the test unless the answer is one that the contract has.
func (c *contract) check(t *testing.T, sent *http.Request, body string, a answer) {
	t.Helper()
	req := sent.Clone(t.Context())
	req.Body = io.NopCloser(strings.NewReader(body))
	route, params, err := c.router.FindRoute(req)
	if err != nil {
		t.Fatalf("%s %s is not in the contract: %v", req.Method, req.URL.Path, err)
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, MultiError: true,
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: req, PathParams: params, Route: route, Options: options,
		},
		Status: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), Options: options,
	}
	if err := openapi3filter.ValidateResponse(t.Context(), in); err != nil {
		t.Errorf("%s %s answers %d %s\n%v", req.Method, req.URL.Path, a.status, a.body, err)
	}
	operation := operationName(route.Operation)
	if a.status >= 400 {
		operation += " refused"
	}
	c.seen[operation]++
	c.checkRules(t, a.body)
}

// checkRules holds each policy rule against the schema of its own type, which
// the contract names by a discriminator.
func (c *contract) checkRules(t *testing.T, body []byte) {
	t.Helper()
	var rules []map[string]any
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, ok := v["ruleType"]; ok {
				rules = append(rules, v)
			}
			for _, e := range v {
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	var v any
	if json.Unmarshal(body, &v) == nil {
		walk(v)
	}
	for _, r := range rules {
		name := "common-types." + r["ruleType"].(string)
		schema := c.doc.Components.Schemas[name]
		if schema == nil {
			t.Fatalf("no rule type %s", name)
		}
		if err := schema.Value.VisitJSON(r, openapi3.MultiErrors()); err != nil {
			t.Errorf("%v\n%v", r, err)
		}
		for field := range r {
			base := c.doc.Components.Schemas["common-types.RoleManagementPolicyRule"].Value.Properties
			if schema.Value.Properties[field] == nil && base[field] == nil {
				t.Errorf("rule type %s has no field %s", name, field)
			}
		}
	}
}

// Every kind of answer that the service gives, at every kind of scope, is one
// that Microsoft's contract allows.
func TestAnswersMeetTheContract(t *testing.T) {
	tn := newTenant(t).underContract()
	me, manager := user(sampleUser), user(boss)

	// Things to look at: an activation, one that waits, and one to extend.
	active := tn.activate(plainRole, sampleSub)
	waiting := tn.activate(bossRole, sampleSub)
	for _, more := range []properties{{}, lasting("PT1H"), {
		"justification": "why", "ticketInfo": properties{"ticketNumber": "1", "ticketSystem": "s"},
	}} {
		tn.do(me, "POST", requestPath(sampleSub, uuid.NewString())+"/validate",
			ask("SelfActivate", sampleRole, sampleSub, sampleUser, more)).want(t, http.StatusOK, "")
	}
	tn.put(me, groupOne, ask("SelfActivate", sampleRole, sampleSub, sampleUser, properties{
		"linkedRoleEligibilityScheduleId": samplesLink, "condition": condition, "conditionVersion": "1.0",
	})).want(t, http.StatusCreated, "")
	tn.put(me, machine, ask("SelfActivate", vmRole, sampleSub, sampleUser)).want(t, http.StatusCreated, "")
	tn.put(me, upper, ask("SelfActivate", customRole, "", sampleUser)).want(t, http.StatusCreated, "")
	var extension row
	eligibilityRequests := sampleSub + pim + "roleEligibilityScheduleRequests"
	body := ask("SelfExtend", plainRole, sampleSub, sampleUser, lasting("P180D"))
	name := uuid.NewString()
	tn.do(me, "POST", eligibilityRequests+"/"+name+"/validate", body).want(t, http.StatusOK, "")
	tn.do(me, "PUT", eligibilityRequests+"/"+name, body).want(t, http.StatusCreated, "").into(t, &extension)

	for _, scope := range []string{"", upper, sampleSub, otherSub, groupOne, machine} {
		for _, kind := range []string{
			"roleEligibilityScheduleInstances", "roleEligibilitySchedules", "roleAssignmentScheduleInstances",
			"roleAssignmentSchedules", "roleAssignmentScheduleRequests", "roleEligibilityScheduleRequests",
		} {
			for _, r := range tn.list(me, scope+pim+kind+"?$filter=asTarget()") {
				if !strings.Contains(r.ID, "/virtualMachines/") && scope == "" {
					name := strings.ToLower(kind[:1]) + kind[1:]
					tn.do(me, "GET", pim+name+"/"+r.Name, nil)
				}
			}
			tn.do(me, "GET", scope+pim+kind, nil).want(t, http.StatusForbidden, "InsufficientPermissions")
			tn.do(me, "GET", scope+pim+kind+filter("nonsense"), nil).want(t, http.StatusBadRequest, "InvalidFilter")
			tn.do(me, "GET", scope+pim+kind+"/"+uuid.NewString(), nil).want(t, http.StatusNotFound, "ResourceNotFound")
		}
		for i, r := range tn.list(me, scope+pim+"roleManagementPolicyAssignments") {
			if n := len(r.Properties.EffectiveRules); n != 17 {
				t.Errorf("%s has %d rules", r.ID, n)
			}
			if i == 0 {
				tn.do(me, "GET", scope+pim+"roleManagementPolicyAssignments/"+r.Name, nil).want(t, http.StatusOK, "")
			}
		}
		tn.do(me, "GET", scope+pim+"roleManagementPolicies/"+tn.list(me, scope+pim+"roleManagementPolicies")[0].Name, nil).want(t, http.StatusOK, "")
		tn.list(me, scope+pim+"eligibleChildResources")
		tn.list(manager, scope+pim+"roleAssignmentApprovals")
	}
	for kind, write := range map[string]string{"roleManagementPolicyAssignments": "PUT", "roleManagementPolicies": "PATCH"} {
		for _, method := range []string{write, "DELETE"} {
			tn.do(me, method, sampleSub+pim+kind+"/"+uuid.NewString(), nil).want(t, http.StatusForbidden, "AuthorizationFailed")
		}
		tn.do(me, "GET", groupTwo+pim+kind, nil).want(t, http.StatusForbidden, "AuthorizationFailed")
		tn.do(me, "GET", sampleSub+pim+kind+"/"+uuid.NewString(), nil).want(t, http.StatusNotFound, "ResourceNotFound")
	}
	tn.do(me, "GET", sampleSub+pim+"eligibleChildResources"+filter("x eq 'y'"), nil).want(t, http.StatusBadRequest, "InvalidFilter")
	tn.do(me, "GET", pim+"roleAssignmentApprovals"+filter("x"), nil).want(t, http.StatusBadRequest, "InvalidFilter")

	tn.do(me, "GET", requestPath("", active.Name), nil).want(t, http.StatusOK, "")
	tn.put(me, sampleSub, ask("SelfActivate", plainRole, sampleSub, sampleUser)).want(t, http.StatusBadRequest, "RoleAssignmentExists")
	tn.do(me, "POST", requestPath(sampleSub, uuid.NewString())+"/validate", ask("SelfActivate", ruledRole, sampleSub, sampleUser)).
		want(t, http.StatusBadRequest, string(ledger.PolicyValidationFailed))
	tn.do(me, "PUT", eligibilityRequests+"/"+uuid.NewString(), ask("AdminAssign", plainRole, sampleSub, sampleUser)).
		want(t, http.StatusForbidden, "AuthorizationFailed")
	tn.do(me, "POST", eligibilityRequests+"/"+uuid.NewString()+"/validate", body).
		want(t, http.StatusBadRequest, string(ledger.PendingRoleAssignmentRequest))

	approval := waiting.Properties.ApprovalID
	for _, at := range []string{"", sampleSub} {
		tn.do(manager, "GET", at+approval, nil).want(t, http.StatusOK, "")
		tn.do(manager, "GET", at+approval+"/stages", nil).want(t, http.StatusOK, "")
	}
	gone := pim + "roleAssignmentApprovals/" + uuid.NewString()
	tn.do(manager, "GET", gone, nil).want(t, http.StatusNotFound, "ResourceNotFound")
	tn.do(manager, "GET", gone+"/stages", nil).want(t, http.StatusNotFound, "ResourceNotFound")
	tn.do(manager, "GET", approval+"/stages/"+uuid.NewString(), nil).want(t, http.StatusNotFound, "ResourceNotFound")
	var stages page[row]
	tn.do(manager, "GET", approval+"/stages", nil).into(t, &stages)
	stage := stages.Value[0].ID
	tn.do(manager, "GET", stage, nil).want(t, http.StatusOK, "")
	decision := properties{"reviewResult": "Approve", "justification": "fine"}
	tn.do(me, "PATCH", stage, decision).want(t, http.StatusForbidden, "InsufficientPermissions")
	tn.do(manager, "PATCH", sampleSub+stage, decision).want(t, http.StatusOK, "")
	tn.do(manager, "GET", sampleSub+stage, nil).want(t, http.StatusOK, "")
	tn.do(manager, "PUT", stage, decision).want(t, http.StatusConflict, "Conflict")

	tn.do(me, "POST", requestPath(sampleSub, active.Name)+"/cancel", nil).want(t, http.StatusBadRequest, "InvalidRoleAssignmentRequest")
	tn.do(me, "POST", eligibilityRequests+"/"+extension.Name+"/cancel", nil).want(t, http.StatusOK, "")
	tn.do(me, "POST", eligibilityRequests+"/"+extension.Name+"/cancel", nil).want(t, http.StatusBadRequest, "InvalidRoleAssignmentRequest")
	tn.clock.Advance(6 * time.Minute)
	tn.put(me, sampleSub, ask("SelfDeactivate", plainRole, sampleSub, sampleUser)).want(t, http.StatusCreated, "")
	again := tn.activate(bossRole, groupOne, properties{"linkedRoleEligibilityScheduleId": tn.scheduleID(bossRole)})
	tn.do(me, "POST", requestPath(groupOne, again.Name)+"/cancel", nil).want(t, http.StatusOK, "")
	again = tn.activate(bossRole, groupOne, properties{"linkedRoleEligibilityScheduleId": tn.scheduleID(bossRole)})
	tn.do(manager, "GET", again.Properties.ApprovalID+"/stages", nil).into(t, &stages)
	tn.do(manager, "PUT", stages.Value[0].ID, properties{"properties": properties{"reviewResult": "Deny", "justification": "no"}}).want(t, http.StatusOK, "")

	var missed []string
	for _, path := range tn.contract.doc.Paths.InMatchingOrder() {
		for _, op := range tn.contract.doc.Paths.Value(path).Operations() {
			name := operationName(op)
			for _, kind := range []string{name, name + " refused"} {
				if tn.contract.seen[kind] == 0 && !administrators[kind] && !slices.Contains(missed, kind) {
					missed = append(missed, kind)
				}
			}
		}
	}
	if slices.Sort(missed); len(missed) > 0 {
		t.Errorf("no answer of these kinds was checked:\n%s", strings.Join(missed, "\n"))
	}
}

// administrators are the answers that only an administrator would get.
var administrators = map[string]bool{
	"RoleManagementPolicies_Delete":          true,
	"RoleManagementPolicies_Update":          true,
	"RoleManagementPolicyAssignments_Create": true,
	"RoleManagementPolicyAssignments_Delete": true,
}

// operationName is an operation without its kind of scope.
func operationName(op *openapi3.Operation) string {
	name, _, _ := strings.Cut(op.OperationID, "__")
	return strings.TrimPrefix(name, "Scope")
}
