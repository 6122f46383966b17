package azure

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// Microsoft's sample of an activation, word for word.
const samplePut = `{
  "properties": {
    "principalId": "a3bb8764-cb92-4276-9d2a-ca1e895e55ea",
    "roleDefinitionId": "/subscriptions/dfa2a084-766f-4003-8ae1-c4aeb893a99f/providers/Microsoft.Authorization/roleDefinitions/c8d4ff99-41c3-41a8-9f60-21dfdad59608",
    "requestType": "SelfActivate",
    "linkedRoleEligibilityScheduleId": "b1477448-2cc6-4ceb-93b4-54a202a89413",
    "scheduleInfo": {
      "startDateTime": "2020-09-09T21:35:27.91Z",
      "expiration": {
        "type": "AfterDuration",
        "endDateTime": null,
        "duration": "PT8H"
      }
    },
    "condition": "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:ContainerName] StringEqualsIgnoreCase 'foo_storage_container'",
    "conditionVersion": "1.0"
  }
}`

func TestMicrosoftsActivationSample(t *testing.T) {
	tn := newTenant(t)
	tn.clock.Advance(60e9) // the sample's start has just passed
	path := "/providers/Microsoft.Subscription/subscriptions/dfa2a084-766f-4003-8ae1-c4aeb893a99f/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/fea7a502-9a96-4806-a26f-eee560e52045"
	var put, got row
	tn.do(user(sampleUser), "PUT", path, samplePut).want(t, http.StatusCreated, "").into(t, &put)
	p := put.Properties
	if p.Status != "Provisioned" || p.Scope != sampleSub || p.Condition != condition || p.ConditionVersion != "1.0" ||
		p.ScheduleInfo.Expiration.Duration != "PT8H" || p.LinkedRoleEligibilityScheduleID != samplesLink {
		t.Errorf("the answer is %+v", p)
	}
	if put.ID != sampleSub+"/providers/Microsoft.Authorization/RoleAssignmentScheduleRequests/fea7a502-9a96-4806-a26f-eee560e52045" {
		t.Errorf("the id is %s", put.ID)
	}
	tn.do(user(sampleUser), "GET", path, nil).want(t, http.StatusOK, "").into(t, &got)
	if got.Properties.Status != "Provisioned" || got.ID != put.ID {
		t.Errorf("polling gives %+v", got)
	}
	if !tn.active(sampleRole, sampleSub) {
		t.Error("the role is not listed as active")
	}
}

// Microsoft's sample at the scope of a virtual machine says neither when it
// ends nor why.
func TestMicrosoftsVirtualMachineSample(t *testing.T) {
	for _, slash := range []string{"/", "//"} {
		tn := newTenant(t)
		path := slash + strings.TrimPrefix(machine, "/") + pim + "roleAssignmentScheduleRequests/" + uuid.NewString()
		body := `{"properties":{"principalId":"` + sampleUser + `","roleDefinitionId":"` + sampleSub + roleDefinitions + vmRole + `",
			"requestType":"SelfActivate","scheduleInfo":{"startDateTime":"2020-09-09T21:35:00Z"}}}`
		var put, got row
		tn.do(user(sampleUser), "PUT", path, body).want(t, http.StatusCreated, "").into(t, &put)
		if x := put.Properties.ScheduleInfo.Expiration; put.Properties.Status != "Provisioned" || x.Duration != "PT8H" || x.Type != "AfterDuration" {
			t.Errorf("the answer is %+v", put.Properties)
		}
		tn.do(user(sampleUser), "GET", path, nil).want(t, http.StatusOK, "").into(t, &got)
		if got.Properties.Status != "Provisioned" || got.Name != put.Name {
			t.Errorf("polling gives %+v", got)
		}
		if !tn.active(vmRole, machine) {
			t.Error("the role is not listed as active")
		}
	}
}

// Every request body among Microsoft's example payloads is understood, and
// every answer has the fields that ours are read by.
func TestMicrosoftsExamplePayloads(t *testing.T) {
	root := filepath.Join(specification(t), "specification", "authorization", "resource-manager", "Microsoft.Authorization")
	var files []string
	for _, dir := range []string{"stable/2020-10-01", "preview/2021-01-01-preview", "preview/2022-04-01-preview"} {
		some, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "examples", "*.json"))
		if err != nil || len(some) == 0 {
			t.Fatalf("no examples in %s: %v", dir, err)
		}
		files = append(files, some...)
	}
	bodies, answers := 0, 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			Parameters struct {
				Scope      string
				Parameters json.RawMessage
				Body       json.RawMessage
			}
			Responses map[string]struct{ Body json.RawMessage }
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		// Microsoft leaves the slash in front of a scope out and calls scopes
		// "scope" where it means none.
		if s := e.Parameters.Scope; s != "" && s != "scope" {
			if _, err := parseScope(s); err != nil {
				t.Errorf("%s: scope %s: %v", name, s, err)
			}
		}
		switch {
		case len(e.Parameters.Body) > 0:
			bodies++
			if _, _, err := parseDecision(e.Parameters.Body); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case len(e.Parameters.Parameters) > 0 && strings.Contains(name, "ScheduleRequest"):
			bodies++
			b, schedule, err := parseRequest(e.Parameters.Parameters)
			if err != nil || b.PrincipalID == "" || schedule.Duration <= 0 || schedule.Start.IsZero() {
				t.Errorf("%s: %+v %+v %v", name, b, schedule, err)
			}
		}
		for status, a := range e.Responses {
			if len(a.Body) == 0 || strings.Contains(name, "Policy") {
				continue
			}
			var one row
			var list page[row]
			if err := json.Unmarshal(a.Body, &one); err != nil {
				t.Errorf("%s %s: %v", name, status, err)
			}
			if err := json.Unmarshal(a.Body, &list); err != nil {
				t.Errorf("%s %s: %v", name, status, err)
			}
			if list.Value = append(list.Value, one); list.Value[0].ID == "" {
				t.Errorf("%s %s has no id", name, status)
			}
			answers++
		}
	}
	if bodies < 6 || answers < 20 {
		t.Errorf("only %d bodies and %d answers were read", bodies, answers)
	}
}
