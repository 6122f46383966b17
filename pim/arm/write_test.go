package arm_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
	"roletray/pim/arm"
)

func asError(err error) *pim.Error {
	e, _ := errors.AsType[*pim.Error](err)
	return e
}

func put(t *testing.T) []byte { return example(t, "PutRoleAssignmentScheduleRequest", "201") }

func TestActivateSendsMicrosoftsExample(t *testing.T) {
	for _, status := range []int{201, 200, 202} {
		s := newService(t, func(w http.ResponseWriter, _ call) { send(w, status, put(t)) })
		got, err := s.Activate(short(t), exampleActivation())
		if err != nil {
			t.Fatalf("answered %d: %v", status, err)
		}
		if got.ID != ours || got.Status != "Provisioned" || got.Phase(s.clock()) != pim.PhaseDone || got.Role != exampleEligibility().Role || got.Duration != 8*time.Hour {
			t.Errorf("request is %+v", got)
		}
		c := s.seen()[0]
		if c.Method != "PUT" || c.Path != subscription+pimPath+"roleAssignmentScheduleRequests/"+ours {
			t.Errorf("sent %s %s", c.Method, c.Path)
		}
		want := map[string]any{
			"principalId": me, "roleDefinitionId": contributor, "requestType": "SelfActivate",
			"linkedRoleEligibilityScheduleId": "b1477448-2cc6-4ceb-93b4-54a202a89413",
			"scheduleInfo":                    map[string]any{"expiration": map[string]any{"type": "AfterDuration", "duration": "PT8H"}},
			"justification":                   "a reason",
			"condition":                       "@Resource[x] StringEqualsIgnoreCase 'foo'", "conditionVersion": "1.0",
		}
		if diff := cmp.Diff(want, c.Body.Properties); diff != "" {
			t.Error(diff)
		}
	}
}

func TestGroupsPrincipalIsNeverSent(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		send(w, map[string]int{"PUT": 201, "POST": 200}[c.Method], put(t))
	})
	a := exampleActivation()
	a.Eligibility.PrincipalID, a.Eligibility.Via = "99999999-0000-0000-0000-000000000000", pim.ViaGroup
	if err := s.Check(short(t), a); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Activate(short(t), a); err != nil {
		t.Fatal(err)
	}
	held := pim.Assignment{Role: a.Eligibility.Role, PrincipalID: a.Eligibility.PrincipalID, Type: pim.Activated, EligibilityScheduleID: schedule}
	if _, err := s.Deactivate(short(t), pim.Deactivation{ID: ours, Assignment: held}); err != nil {
		t.Fatal(err)
	}
	if len(s.seen()) != 3 {
		t.Errorf("%d calls", len(s.seen()))
	}
	for _, c := range s.seen() {
		if c.Body.Properties["principalId"] != me {
			t.Errorf("%s sent principal %v", c.Method, c.Body.Properties["principalId"])
		}
	}
	want := map[string]any{
		"principalId": me, "roleDefinitionId": contributor, "requestType": "SelfDeactivate",
		"linkedRoleEligibilityScheduleId": "b1477448-2cc6-4ceb-93b4-54a202a89413",
	}
	if diff := cmp.Diff(want, s.seen()[2].Body.Properties); diff != "" {
		t.Errorf("deactivation: %s", diff)
	}
}

func TestStartIsSentOnlyWhenAhead(t *testing.T) {
	for _, tt := range []struct {
		name  string
		start time.Duration
		want  any
	}{
		{"already past", -time.Second, nil},
		{"now", 0, nil},
		{"ahead", time.Hour, "2026-11-22T13:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 201, put(t)) })
			a := exampleActivation()
			a.Start = s.clock().Add(tt.start).In(time.FixedZone("", 3600))
			a.Ticket = pim.Ticket{Number: "4711"}
			a.Duration = 90 * time.Minute
			if _, err := s.Activate(short(t), a); err != nil {
				t.Fatal(err)
			}
			sent := s.seen()[0].Body.Properties
			info := sent["scheduleInfo"].(map[string]any)
			if info["startDateTime"] != tt.want {
				t.Errorf("sent start %v, want %v", info["startDateTime"], tt.want)
			}
			if d := info["expiration"].(map[string]any)["duration"]; d != "PT1H30M" {
				t.Errorf("sent duration %v", d)
			}
			if diff := cmp.Diff(map[string]any{"ticketNumber": "4711"}, sent["ticketInfo"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRequestOfThisGUIDExistsAlready(t *testing.T) {
	for _, tt := range []struct {
		name    string
		status  int
		code    string
		message string
		exists  bool
		want    pim.Code
	}{
		{"409 naming our own GUID", 409, "Conflict", "The role assignment request '" + strings.ToUpper(ours) + "' already exists.", true, ""},
		{"the code for it", 400, "RoleAssignmentRequestExists", "", true, ""},
		{"another request is open", 400, "RoleAssignmentRequestExists", "", false, pim.CodePending},
		{"409 naming another", 409, "Conflict", "The request '22222222' already exists.", true, pim.CodeRejected},
		{"409 naming ours that cannot be read", 409, "Conflict", ours, false, pim.CodeDuplicate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) {
				switch {
				case c.Method == "PUT":
					refuse(w, tt.status, tt.code, tt.message)
				case tt.exists:
					send(w, 200, put(t))
				default:
					refuse(w, 404, "RoleAssignmentScheduleRequestNotFound", "")
				}
			})
			got, err := s.Activate(short(t), exampleActivation())
			if pim.CodeOf(err) != tt.want || tt.want == "" && got.ID != ours {
				t.Errorf("%+v, %v", got, err)
			}
			if n := s.count("PUT"); n != 1 {
				t.Errorf("%d writes", n)
			}
		})
	}
}

func TestLinkedScheduleIsSentAsGUIDThenAsPath(t *testing.T) {
	a := exampleActivation()
	a.Scope = pim.Scope{ID: subscription + "/resourceGroups/rg (1)"}
	s := newService(t, func(w http.ResponseWriter, c call) {
		if c.Body.Properties["linkedRoleEligibilityScheduleId"] != schedule {
			refuse(w, 403, "SomethingNew", "no")
			return
		}
		send(w, 201, put(t))
	})
	if _, err := s.Activate(short(t), a); err != nil {
		t.Fatal(err)
	}
	for _, c := range s.seen() {
		if want := a.Scope.ID + pimPath + "roleAssignmentScheduleRequests/" + ours; c.Path != want {
			t.Errorf("sent to %s, want %s", c.Path, want)
		}
	}
	if len(s.seen()) != 2 {
		t.Errorf("%d writes", len(s.seen()))
	}
	for _, code := range []string{"RoleAssignmentExists", "AuthorizationFailed", "RoleAssignmentRequestPolicyValidationFailed"} {
		s := newService(t, func(w http.ResponseWriter, _ call) { refuse(w, 400, code, "") })
		if _, err := s.Activate(short(t), a); err == nil || len(s.seen()) != 1 {
			t.Errorf("%s: %d writes, %v", code, len(s.seen()), err)
		}
	}
	s = newService(t, func(w http.ResponseWriter, _ call) { refuse(w, 400, "SomethingNew", "not so") })
	_, err := s.Activate(short(t), a)
	if e := wantCode(t, err, pim.CodeRejected); e.Message != "not so" || len(s.seen()) != 2 {
		t.Errorf("%d writes, %v", len(s.seen()), err)
	}
}

func TestAnswerThatComesTooLateIsFound(t *testing.T) {
	release := make(chan struct{})
	s := newService(t, func(w http.ResponseWriter, c call) {
		if c.Method == "PUT" {
			<-release // What the service answers after half a minute comes to nobody.
			return
		}
		send(w, 200, put(t))
	}, func(p *arm.Params) { p.Timeout = time.Second })
	defer close(release)
	a := exampleActivation()
	_, err := s.Activate(short(t), a)
	wantCode(t, err, pim.CodeTimeout)
	if n := s.count("PUT"); n != 1 {
		t.Errorf("%d writes", n)
	}
	found, ok, err := s.Find(short(t), pim.Write{ID: ours, Role: a.Role()})
	if err != nil || !ok || found.ID != ours || found.Status != "Provisioned" {
		t.Errorf("found %+v, %v, %v", found, ok, err)
	}
}

func TestWriteIsNotRepeated(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter)
		want   pim.Code
	}{
		{"500", func(w http.ResponseWriter) { refuse(w, 500, "InternalServerError", "") }, pim.CodeUnavailable},
		{"503", func(w http.ResponseWriter) { refuse(w, 503, "ServiceUnavailable", "") }, pim.CodeUnavailable},
		{"503 with a pause", func(w http.ResponseWriter) {
			w.Header().Set("retry-after-ms", "1")
			refuse(w, 503, "ServiceUnavailable", "")
		}, pim.CodeUnavailable},
		{"408", func(w http.ResponseWriter) { refuse(w, 408, "RequestTimeout", "") }, pim.CodeTimeout},
		{"429 without a pause", func(w http.ResponseWriter) { refuse(w, 429, "TooManyRequests", "") }, pim.CodeThrottled},
		{"cut connection", cut, pim.CodeTimeout},
		{"cut in the answer", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "5000")
			send(w, 201, []byte(`{"properties":`))
			cut(w)
		}, pim.CodeTimeout},
		{"broken answer", func(w http.ResponseWriter) { send(w, 201, []byte(`{"properties":`)) }, pim.CodeUnreadable},
		{"empty answer", func(w http.ResponseWriter) { send(w, 201, nil) }, pim.CodeUnreadable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			held := pim.Assignment{Role: exampleEligibility().Role, Type: pim.Activated}
			for name, do := range map[string]func(*service) error{
				"activate": func(s *service) error { _, err := s.Activate(short(t), exampleActivation()); return err },
				"deactivate": func(s *service) error {
					_, err := s.Deactivate(short(t), pim.Deactivation{ID: ours, Assignment: held})
					return err
				},
				"check":  func(s *service) error { return s.Check(short(t), exampleActivation()) },
				"cancel": func(s *service) error { return s.Cancel(short(t), pim.Request{ID: ours, Role: held.Role}) },
			} {
				s := newService(t, func(w http.ResponseWriter, _ call) { tt.answer(w) })
				err := do(s)
				// Neither a check nor a cancellation has an answer that is read.
				if tt.want == pim.CodeUnreadable && (name == "cancel" || name == "check" && strings.HasPrefix(tt.name, "empty")) {
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
				} else if pim.CodeOf(err) != tt.want {
					t.Errorf("%s: code is %q, want %q: %v", name, pim.CodeOf(err), tt.want, err)
				}
				if n := len(s.seen()); n != 1 {
					t.Errorf("%s: %d writes", name, n)
				}
			}
		})
	}
}

func TestWriteIsRepeatedWhenTheServiceHasAskedForAPause(t *testing.T) {
	var s *service
	s = newService(t, func(w http.ResponseWriter, _ call) {
		if len(s.seen()) == 1 {
			w.Header().Set("x-ms-retry-after-ms", "1")
			refuse(w, 429, "TooManyRequests", "")
			return
		}
		send(w, 201, put(t))
	})
	if _, err := s.Activate(short(t), exampleActivation()); err != nil || len(s.seen()) != 2 {
		t.Errorf("%d writes, %v", len(s.seen()), err)
	}
}

func TestWriteCalledOffUnderWayMayHaveArrived(t *testing.T) {
	ctx, cancel := context.WithCancel(short(t))
	release := make(chan struct{})
	s := newService(t, func(http.ResponseWriter, call) {
		cancel()
		<-release
	})
	defer close(release)
	_, err := s.Activate(ctx, exampleActivation())
	wantCode(t, err, pim.CodeTimeout)
	_, err = s.Activate(ctx, exampleActivation())
	if pim.CodeOf(err) != pim.CodeCancelled || len(s.seen()) != 1 {
		t.Errorf("called off before: %v, %d writes", err, len(s.seen()))
	}
}

func TestUnreachableServiceIsOffline(t *testing.T) {
	for _, tt := range []struct {
		cause error
		read  pim.Code
	}{{syscall.ECONNREFUSED, pim.CodeOffline}, {os.ErrDeadlineExceeded, pim.CodeTimeout}} {
		s := newService(t, func(http.ResponseWriter, call) {}, func(p *arm.Params) {
			p.Options.Transport = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: tt.cause}
			}}}
		})
		_, err := s.Activate(short(t), exampleActivation())
		wantCode(t, err, pim.CodeOffline)
		_, err = s.Eligible(short(t))
		wantCode(t, err, tt.read)
	}
}

func TestCreatedIsNotActivated(t *testing.T) {
	for status, want := range map[string]pim.Phase{
		"Failed": pim.PhaseRefused, "PendingApproval": pim.PhaseWaiting, "Granted": pim.PhaseDone, "SomethingNew": pim.PhaseInProgress,
	} {
		s := newService(t, func(w http.ResponseWriter, _ call) {
			send(w, 201, replace(put(t), `"status": "Provisioned"`, `"status": "`+status+`"`))
		})
		got, err := s.Activate(short(t), exampleActivation())
		if err != nil || string(got.Status) != status || got.Phase(s.clock()) != want {
			t.Errorf("%s: %+v, %v", status, got, err)
		}
	}
}

func TestFollowAndFindTellAbsenceFromFailure(t *testing.T) {
	r := pim.Request{ID: ours, Role: exampleEligibility().Role}
	s := newService(t, func(w http.ResponseWriter, _ call) { refuse(w, 404, "RoleAssignmentScheduleRequestNotFound", "") })
	_, err := s.Follow(short(t), r)
	wantCode(t, err, pim.CodeNotFound)
	if _, found, err := s.Find(short(t), pim.Write{ID: ours, Role: r.Role}); found || err != nil {
		t.Errorf("found is %v, %v", found, err)
	}
	s = newService(t, func(w http.ResponseWriter, _ call) { refuse(w, 500, "InternalServerError", "") })
	_, _, err = s.Find(short(t), pim.Write{ID: ours, Role: r.Role})
	wantCode(t, err, pim.CodeUnavailable)
}

func TestScopeThatIsNoneIsNotAsked(t *testing.T) {
	s := newService(t, func(http.ResponseWriter, call) {})
	a := exampleActivation()
	a.Scope = pim.Scope{ID: subscription + "/../other"}
	if _, err := s.Activate(short(t), a); err == nil {
		t.Error("a scope with .. was used")
	}
	a.Scope = pim.Scope{ID: "//" + strings.TrimPrefix(subscription, "/") + "/resourceGroups/a?b#c%2F"}
	_, err := s.Activate(short(t), a)
	wantCode(t, err, pim.CodeUnreadable)
	if c := s.seen(); len(c) != 1 || c[0].Path != subscription+"/resourceGroups/a?b#c%2F"+pimPath+"roleAssignmentScheduleRequests/"+ours {
		t.Errorf("sent to %+v", c)
	}
}
