package graph

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

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/google/uuid"
)

// contract is Microsoft's description of the API, and what of it was seen.
type contract struct {
	doc    *openapi3.T
	router routers.Router
	// seen counts valid answers by operation, and by whether they were errors.
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
	path := filepath.Join(dir, "..", "shared", "spec", "graph")
	if _, err := os.Stat(path); err != nil {
		const why = "Microsoft's contract is not beside the repository, in ../shared/spec/graph"
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip("skipped: " + why)
	}
	return path
}

func loadContract(t *testing.T) *contract {
	t.Helper()
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile(filepath.Join(specification(t), "graph-pim.openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = nil
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation(), openapi3.DisableSchemaPatternValidation())
	if err != nil {
		t.Fatal(err)
	}
	return &contract{doc: doc, router: router, seen: map[string]int{}}
}

// check fails the test unless the answer is one that the contract has. Paths
// that the contract leaves out are not checked.
func (c *contract) check(t *testing.T, sent *http.Request, body string, a answer) {
	t.Helper()
	req := sent.Clone(t.Context())
	req.Body = io.NopCloser(strings.NewReader(body))
	route, params, err := c.router.FindRoute(req)
	if err != nil {
		if a.status < 400 && !outside(req.URL.Path) {
			t.Fatalf("%s %s is not in the contract: %v", req.Method, req.URL.Path, err)
		}
		return
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, MultiError: true,
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
	}
	request := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: options}
	if a.status < 400 {
		if err := openapi3filter.ValidateRequest(t.Context(), request); err != nil {
			t.Errorf("the request %s %s %s was taken\n%v", req.Method, req.URL.Path, body, err)
		}
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request,
		Status:                 a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), Options: options,
	}
	if err := openapi3filter.ValidateResponse(t.Context(), in); err != nil {
		t.Errorf("%s %s answers %d %s\n%v", req.Method, req.URL.Path, a.status, a.body, err)
	}
	operation := route.Operation.OperationID
	if a.status >= 400 {
		operation += " refused"
	} else if answer := route.Operation.Responses.Status(a.status); answer != nil && answer.Value.Content["application/json"] != nil {
		var v any
		if err := json.Unmarshal(a.body, &v); err != nil {
			t.Fatal(err)
		}
		for _, name := range c.undeclared(answer.Value.Content["application/json"].Schema, v, "") {
			t.Errorf("%s %s has %s, which Microsoft does not know", req.Method, req.URL.Path, name)
		}
	}
	c.seen[operation]++
}

// outside are paths that the service answers and the contract leaves out.
func outside(path string) bool {
	return slices.ContainsFunc([]string{
		"/organization", "/users", "/directory/administrativeUnits", "/directoryObjects/", "/beta/me", "/rules/", "/effectiveRules",
	}, func(part string) bool { return strings.Contains(path, part) })
}

// undeclared are the properties in v that the schema, and the type that v says
// it is of, do not declare: misspellings of ours.
func (c *contract) undeclared(s *openapi3.SchemaRef, v any, at string) []string {
	if s == nil || s.Value == nil {
		return nil
	}
	switch v := v.(type) {
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, c.undeclared(s.Value.Items, e, at+"[]")...)
		}
		return out
	case map[string]any:
		known := map[string]*openapi3.SchemaRef{}
		collect(s, known)
		if name, ok := v["@odata.type"].(string); ok {
			collect(c.doc.Components.Schemas[strings.TrimPrefix(name, "#")], known)
			if c.doc.Components.Schemas[strings.TrimPrefix(name, "#")] == nil {
				return nil
			}
		}
		if len(known) == 0 {
			return nil
		}
		var out []string
		for name, e := range v {
			p, ok := known[name]
			if !ok && !strings.Contains(name, "@odata.") {
				out = append(out, at+"."+name)
				continue
			}
			out = append(out, c.undeclared(p, e, at+"."+name)...)
		}
		return out
	}
	return nil
}

// collect gathers the properties of a schema with those of its bases and, for a
// nullable one, of the schema that it wraps.
func collect(s *openapi3.SchemaRef, into map[string]*openapi3.SchemaRef) {
	if s == nil || s.Value == nil {
		return
	}
	for name, p := range s.Value.Properties {
		into[name] = p
	}
	for _, base := range s.Value.AllOf {
		collect(base, into)
	}
	for _, one := range s.Value.AnyOf {
		collect(one, into)
	}
}

// Every kind of answer that the service gives is one that Microsoft's contract
// allows.
func TestAnswersMeetTheContract(t *testing.T) {
	tn := newTenant(t)
	tn.contract = loadContract(t)
	reader := user(chief)
	bare := user(stranger)
	bare.Scopes = []string{"Nothing"}

	// Things to look at: activations, what waits, and what is to be extended.
	role := tn.activate(askRole("selfActivate", plainRole, lasting("PT1H"), properties{"justification": "why"}))
	tn.activate(askRole("SelfActivate", unitRole, properties{"directoryScopeId": unitScope, "ticketInfo": properties{"ticketNumber": "1", "ticketSystem": "s"}}))
	waiting := tn.activate(askRole("selfActivate", bossRole))
	group := tn.activate(askGroup("selfActivate", team, "member", lasting("PT2H")))
	groupWaits := tn.activate(askGroup("selfActivate", team, "owner"))
	var extension, groupExtension object
	extend := lasting("P180D")
	tn.do(user(me), "POST", directory+"roleEligibilityScheduleRequests", askRole("selfExtend", plainRole, extend)).want(t, http.StatusCreated, "").into(t, &extension)
	tn.do(user(me), "POST", groups+"eligibilityScheduleRequests", askGroup("selfExtend", team, "member", extend)).want(t, http.StatusCreated, "").into(t, &groupExtension)

	for _, root := range []string{directory, groups} {
		navs := "roleDefinition,principal,directoryScope,appScope"
		plane := tn.service.directory
		if root == groups {
			navs, plane = "group,principal", tn.service.groups
		}
		for _, k := range plane.kinds {
			path := root + k.path
			expand := "?$count=true&$expand=" + navs
			if strings.Contains(strings.ToLower(k.path), "assignment") {
				expand += ",activatedUsing"
			}
			if k.level == requests {
				expand += ",targetSchedule"
			}
			rows := tn.list(user(me), path+mine+expand)
			if len(rows) == 0 {
				t.Errorf("%s lists nothing", path)
			}
			for _, r := range rows {
				tn.do(user(me), "GET", path+"/"+r.ID+expand, nil).want(t, http.StatusOK, "")
			}
			tn.list(user(me), path+filter("principalId eq '"+me+"'"))
			tn.do(user(me), "GET", path+filter("principalId eq '"+boss+"'"), nil).want(t, http.StatusForbidden, "UnauthorizedAccessException")
			tn.do(bare, "GET", path+mine, nil).want(t, http.StatusForbidden, "PermissionScopeNotGranted")
			tn.do(user(me), "GET", path+mine+filter("nonsense"), nil).want(t, http.StatusBadRequest, "InvalidFilter")
			tn.do(user(me), "GET", path+"/"+uuid.NewString(), nil).want(t, http.StatusNotFound, "ResourceNotFound")
			if k.level == requests {
				for _, on := range []string{"createdBy", "approver"} {
					tn.list(user(boss), path+"/filterByCurrentUser(on='"+on+"')"+expand)
					tn.do(bare, "GET", path+"/filterByCurrentUser(on='"+on+"')", nil).want(t, http.StatusForbidden, "PermissionScopeNotGranted")
				}
				tn.do(user(me), "POST", path, askRole("adminAssign", plainRole)).status4xx(t)
			}
		}
	}

	tn.list(with(reader, "RoleManagement.Read.Directory"), directory+"roleDefinitions")
	tn.do(with(reader, "RoleManagement.Read.Directory"), "GET", directory+"roleDefinitions/"+plainRole, nil).want(t, http.StatusOK, "")
	tn.do(user(me), "GET", directory+"roleDefinitions", nil).want(t, http.StatusForbidden, "PermissionScopeNotGranted")
	tn.do(user(me), "GET", directory+"roleDefinitions/"+plainRole, nil).want(t, http.StatusForbidden, "PermissionScopeNotGranted")

	for _, scope := range []string{"scopeId eq '/' and scopeType eq 'DirectoryRole'", "scopeId eq '" + team + "' and scopeType eq 'Group'"} {
		for _, expand := range []string{"", "&$expand=policy", "&$expand=policy($expand=rules)", "&$expand=policy($expand=effectiveRules)"} {
			for _, r := range tn.list(user(me), "/v1.0/policies/roleManagementPolicyAssignments"+filter(scope)+expand) {
				tn.do(user(me), "GET", "/v1.0/policies/roleManagementPolicyAssignments/"+r.ID, nil).want(t, http.StatusOK, "")
				tn.do(user(me), "GET", "/v1.0/policies/roleManagementPolicies/"+r.PolicyID+"?$expand=rules,effectiveRules", nil).want(t, http.StatusOK, "")
				tn.do(user(me), "GET", "/v1.0/policies/roleManagementPolicies/"+r.PolicyID+"/rules", nil).want(t, http.StatusOK, "")
				tn.do(user(me), "GET", "/v1.0/policies/roleManagementPolicies/"+r.PolicyID+"/rules/Expiration_EndUser_Assignment", nil).want(t, http.StatusOK, "")
			}
		}
		tn.list(user(me), "/v1.0/policies/roleManagementPolicies"+filter(scope)+"&$expand=rules")
	}
	for _, path := range []string{"roleManagementPolicyAssignments", "roleManagementPolicies", "roleManagementPolicyAssignments/Group_x", "roleManagementPolicies/Group_x", "roleManagementPolicies/Group_x/rules"} {
		tn.do(bare, "GET", "/v1.0/policies/"+path, nil).status4xx(t)
	}

	approvals := groups + "assignmentApprovals"
	stages := approvals + "/" + groupWaits.ID + "/stages"
	steps := "/beta/roleManagement/directory/roleAssignmentApprovals/" + waiting.ID + "/steps"
	groupSteps := strings.Replace(stages, "/v1.0/", "/beta/", 1)
	groupSteps = strings.Replace(groupSteps, "/stages", "/steps", 1)
	tn.list(reader, approvals)
	tn.do(user(me), "GET", approvals, nil).want(t, http.StatusForbidden, "UnauthorizedAccessException")
	for _, path := range []string{stages, groupSteps, steps} {
		part := path[strings.LastIndex(path, "/")+1:]
		one := strings.TrimSuffix(path, "/"+part)
		all := one[:strings.LastIndex(one, "/")]
		for _, on := range []string{"target", "createdBy", "approver"} {
			tn.list(user(boss), all+"/filterByCurrentUser(on='"+on+"')?$expand="+part)
			tn.do(bare, "GET", all+"/filterByCurrentUser(on='"+on+"')", nil).want(t, http.StatusForbidden, "PermissionScopeNotGranted")
		}
		var a object
		tn.do(user(boss), "GET", one+"?$expand="+part, nil).want(t, http.StatusOK, "").into(t, &a)
		tn.do(user(stranger), "GET", all+"/"+uuid.NewString(), nil).want(t, http.StatusNotFound, "ResourceNotFound")
		tn.do(user(stranger), "GET", all+"/"+uuid.NewString()+"/"+part, nil).want(t, http.StatusNotFound, "ResourceNotFound")
		tn.list(user(boss), path)
		id := append(a.Stages, a.Steps...)[0].ID
		tn.do(user(boss), "GET", path+"/"+id, nil).want(t, http.StatusOK, "")
		tn.do(user(boss), "GET", path+"/"+uuid.NewString(), nil).want(t, http.StatusNotFound, "ResourceNotFound")
		decision := properties{"reviewResult": "Approve", "justification": "OK"}
		tn.do(user(me), "PATCH", path+"/"+id, decision).want(t, http.StatusForbidden, "InsufficientPermissions")
		if path == stages {
			continue // The steps of beta decide on the same.
		}
		tn.do(user(boss), "PATCH", path+"/"+id, decision).want(t, http.StatusNoContent, "")
		tn.do(user(boss), "PATCH", path+"/"+id, decision).want(t, http.StatusConflict, "Conflict")
		tn.list(user(boss), path)
	}

	for path, id := range map[string]string{
		directory + "roleEligibilityScheduleRequests/": extension.ID, groups + "eligibilityScheduleRequests/": groupExtension.ID,
		roleRequests + "/":  tn.activate(askRole("selfActivate", openRole)).ID,
		groupRequests + "/": tn.activate(askGroup("selfActivate", crew, "member", startingAt(noon.Add(time.Hour), "PT1H"))).ID,
	} {
		tn.do(user(me), "POST", path+id+"/cancel", nil).want(t, http.StatusNoContent, "")
		tn.do(user(me), "POST", path+id+"/cancel", nil).want(t, http.StatusBadRequest, "InvalidRoleAssignmentRequest")
	}
	again := tn.activate(askGroup("selfActivate", crew, "member", startingAt(noon.Add(time.Hour), "PT1H")))
	if again.Status != "Granted" {
		t.Errorf("a later start is %s", again.Status)
	}
	tn.clock.Advance(6 * time.Minute)
	tn.do(user(me), "POST", roleRequests, askRole("selfDeactivate", plainRole, properties{"targetScheduleId": role.TargetScheduleID})).want(t, http.StatusCreated, "")
	tn.do(user(me), "POST", groupRequests, askGroup("selfDeactivate", team, "member")).want(t, http.StatusCreated, "")
	if group.Status != "Provisioned" {
		t.Errorf("the group is %s", group.Status)
	}
	another := tn.activate(askGroup("selfActivate", team, "member"))
	tn.do(user(me), "GET", groupRequests+"/"+another.ID, nil).want(t, http.StatusOK, "")

	tn.clock.Advance(10 * time.Hour)
	owning := tn.activate(askGroup("selfActivate", team, "owner"))
	var a object
	tn.do(user(boss), "GET", approvals+"/"+owning.ID+"?$expand=stages", nil).want(t, http.StatusOK, "").into(t, &a)
	tn.do(user(boss), "PATCH", approvals+"/"+owning.ID+"/stages/"+a.Stages[0].ID, properties{"reviewResult": "Deny", "justification": "No"}).want(t, http.StatusNoContent, "")

	tn.do(user(me), "GET", "/v1.0/me", nil).want(t, http.StatusOK, "")
	tn.do(bare, "GET", "/v1.0/me", nil).want(t, http.StatusForbidden, "Authorization_RequestDenied")
	tn.list(user(me), "/v1.0/groups")
	tn.do(user(me), "GET", "/v1.0/groups/"+team, nil).want(t, http.StatusOK, "")
	tn.do(user(me), "GET", "/v1.0/groups/"+boss, nil).want(t, http.StatusNotFound, "Request_ResourceNotFound")
	tn.do(bare, "GET", "/v1.0/groups", nil).want(t, http.StatusForbidden, "Authorization_RequestDenied")
	tn.do(user(me), "POST", "/v1.0/$batch", properties{"requests": []properties{{"id": "1", "method": "GET", "url": "/me"}}}).want(t, http.StatusOK, "")
	tn.do(user(me), "POST", "/v1.0/$batch", properties{}).want(t, http.StatusBadRequest, "BadRequest")

	var missed []string
	for _, path := range tn.contract.doc.Paths.InMatchingOrder() {
		for _, op := range tn.contract.doc.Paths.Value(path).Operations() {
			for _, kind := range []string{op.OperationID, op.OperationID + " refused"} {
				if tn.contract.seen[kind] == 0 {
					missed = append(missed, kind)
				}
			}
		}
	}
	if slices.Sort(missed); len(missed) > 0 {
		t.Errorf("no answer of these kinds was checked:\n%s", strings.Join(missed, "\n"))
	}
}
