package graph_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
	"roletray/pim/graph"
)

func TestActivationExample(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		send(w, 201, example(t, "directory.roleAssignmentScheduleRequests.create.response-1-selfActivate-scheduled"))
	})
	var want map[string]any
	if err := json.Unmarshal(example(t, "directory.roleAssignmentScheduleRequests.create.request-selfActivate"), &want); err != nil {
		t.Fatal(err)
	}
	a := activationOf(attributeRole())
	a.Justification = want["justification"].(string)
	a.Ticket = pim.Ticket{Number: "CONTOSO:Normal-67890", System: "MS Project"}
	a.Start = utc("2022-04-14T00:00:00Z")
	made, err := s.Directory().Activate(short(t), a)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(pim.Request{
		ID: "911bab8a-6912-4de2-9dc0-2648ede7dd6d", Role: attributeRole(), Action: pim.ActionActivate, Status: "Granted",
		Start: utc("2022-04-14T00:00:00Z"), Duration: 5 * time.Hour, Justification: a.Justification, Ticket: a.Ticket,
		Created: utc("2022-04-13T08:52:32.6485851Z"), PrincipalID: me, RequestorID: me,
	}, made); d != "" {
		t.Error(d)
	}
	if made.Phase(s.clock()) != pim.PhaseScheduled {
		t.Errorf("phase is %s", made.Phase(s.clock()))
	}
	c := s.seen()[0]
	// The two spell one time and one type differently.
	want["scheduleInfo"].(map[string]any)["startDateTime"] = "2022-04-14T00:00:00Z"
	want["scheduleInfo"].(map[string]any)["expiration"].(map[string]any)["type"] = "afterDuration"
	if d := cmp.Diff(want, c.Body); d != "" {
		t.Error(d)
	}
	if c.Method != "POST" || c.Path != directoryBase+"roleAssignmentScheduleRequests" || c.Header.Get("client-request-id") != ours {
		t.Errorf("call is %+v", c)
	}
}

func TestGroupActivationExample(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		send(w, 201, example(t, "group.assignmentScheduleRequests.create.response-selfActivate"))
	})
	a := activationOf(groupRole())
	a.Duration, a.Justification = 2*time.Hour, "Activate assignment."
	a.Start = s.clock().Add(-time.Minute)
	made, err := s.Groups().Activate(short(t), a)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(pim.Request{
		ID: "6aacaee8-4089-4048-9510-3119367fc943", Role: groupRole(), Action: pim.ActionActivate, Status: "Provisioned",
		Duration: 2 * time.Hour, Justification: "Activate assignment.", Created: utc("2023-02-07T07:05:53.7895614Z"),
		PrincipalID: "3cce9d87-3986-4f19-8335-7ed075408ca2", RequestorID: "3cce9d87-3986-4f19-8335-7ed075408ca2",
	}, made); d != "" {
		t.Error(d)
	}
	var want map[string]any
	if err := json.Unmarshal(example(t, "group.assignmentScheduleRequests.create.request-selfActivate"), &want); err != nil {
		t.Fatal(err)
	}
	// The example is another person's, and a start that has passed is left out.
	want["principalId"] = me
	delete(want["scheduleInfo"].(map[string]any), "startDateTime")
	if d := cmp.Diff(want, s.seen()[0].Body); d != "" {
		t.Error(d)
	}
}

func TestDeactivationHasNoSchedule(t *testing.T) {
	body := strings.NewReplacer("adminRemove", "selfDeactivate").Replace(string(example(t, "directory.roleEligibilityScheduleRequests.create.response-adminRemove-Revoked")))
	s := newService(t, func(w http.ResponseWriter, c call) { send(w, 201, []byte(body)) })
	made, err := s.Directory().Deactivate(short(t), pim.Deactivation{ID: ours, Assignment: pim.Assignment{Role: attributeRole()}})
	if err != nil || made.Phase(s.clock()) != pim.PhaseDone || made.Action != pim.ActionDeactivate || made.Role != attributeRole() {
		t.Errorf("%+v, %v", made, err)
	}
	if d := cmp.Diff(map[string]any{
		"action": "selfDeactivate", "principalId": me, "roleDefinitionId": attribute, "directoryScopeId": "/",
	}, s.seen()[0].Body); d != "" {
		t.Error(d)
	}
}

// A deactivation in the first five minutes has been seen to be answered with 201.
func TestFailedDeactivationIsNoSuccess(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		sendJSON(w, 201, map[string]any{
			"id": "1", "status": "Failed", "action": "selfDeactivate", "groupId": group, "accessId": "member",
			"principalId": me, "scheduleInfo": nil, "createdDateTime": "2022-04-13T08:52:00Z",
		})
	})
	made, err := s.Groups().Deactivate(short(t), pim.Deactivation{ID: ours, Assignment: pim.Assignment{Role: groupRole()}})
	if err != nil || made.Phase(s.clock()) != pim.PhaseRefused {
		t.Errorf("%+v, %v", made, err)
	}
	if d := cmp.Diff(map[string]any{
		"action": "selfDeactivate", "principalId": me, "groupId": group, "accessId": "member",
	}, s.seen()[0].Body); d != "" {
		t.Error(d)
	}
}

func TestPendingGroupRequestExample(t *testing.T) {
	s := newService(t, noProlongations(func(w http.ResponseWriter, c call) {
		if strings.HasSuffix(c.Path, "/groups") {
			refuse(w, 403, "Authorization_RequestDenied", "")
			return
		}
		send(w, 200, []byte(strings.ReplaceAll(string(example(t, "group.assignmentScheduleRequests.filterByCurrentUser.principal.response-pending")), "c277c8cb-6bb7-42e5-a17f-0add9a718151", strings.ToUpper(me))))
	}))
	got, err := s.Groups().Requests(short(t))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]pim.Request{{
		ID: "12345", Action: pim.ActionActivate, Status: "PendingApproval",
		Role: pim.Role{
			Kind: pim.KindGroup, DefinitionID: "member", Name: "Member", Access: pim.AccessMember,
			Scope: pim.Scope{ID: "d5f0ad2e-6b34-401b-b6da-0c8fc2c5a3fc", Type: pim.ScopeGroup},
		},
		Start: utc("2022-04-01T08:00:00Z"), Duration: 8 * time.Hour, Justification: "Activate access",
		Ticket: pim.Ticket{Number: "09876"}, Created: utc("2022-02-26T08:00:00Z"), ApprovalID: "12345", PrincipalID: me,
	}}, got); d != "" {
		t.Error(d)
	}
	if got[0].Phase(s.clock()) != pim.PhaseWaiting {
		t.Errorf("phase is %s", got[0].Phase(s.clock()))
	}
}

func TestDirectoryRequestExamples(t *testing.T) {
	const requestor = "d96ea738-3b95-4ae7-9e19-78a083066d5b"
	name := "directory.roleAssignmentScheduleRequests.filterByCurrentUser.approver.response-pending"
	s := newService(t, noProlongations(func(w http.ResponseWriter, c call) { send(w, 200, example(t, name)) }), func(p *graph.Params) { p.UserID = requestor })
	got, err := s.Directory().Requests(short(t))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]pim.Request{{
		ID: "9f2b5ddb-a50e-44a1-a6f4-f616322262ea", Action: pim.ActionActivate, Status: "PendingApproval",
		Role: pim.Role{
			Kind: pim.KindDirectory, DefinitionID: "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", Name: "role (id 88d8e3e3…)",
			Scope: pim.Scope{ID: "/", Name: "Directory", Type: pim.ScopeDirectory},
		},
		Duration: 5*time.Hour + 30*time.Minute, Justification: "test", Created: utc("2021-07-15T19:57:17.76Z"),
		ApprovalID: "9f2b5ddb-a50e-44a1-a6f4-f616322262ea", PrincipalID: requestor, RequestorID: requestor,
	}}, got); d != "" {
		t.Error(d)
	}
	// This one is an administrator's.
	name = "directory.roleAssignmentScheduleRequests.filterByCurrentUser.principal.response-docs"
	if got, err := s.Directory().Requests(short(t)); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestOnlyOwnWishesAreRequests(t *testing.T) {
	rows := []any{
		record("a", "2022-04-13T08:00:00Z", nil),
		record("b", "2022-04-13T09:00:00Z", nil),
		record("c", "2022-04-13T09:30:00Z", map[string]any{"action": "adminAssign"}),
		record("d", "2022-04-13T09:30:00Z", map[string]any{"principalId": "another"}),
		record("e", "2022-04-13T09:30:00Z", map[string]any{"isValidationOnly": true}),
	}
	s := newService(t, noProlongations(func(w http.ResponseWriter, c call) { sendJSON(w, 200, listOf(rows...)) }))
	got, err := s.Directory().Requests(short(t))
	if err != nil || len(got) != 2 || got[0].ID != "b" || got[1].ID != "a" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCancelAndFollow(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		if c.Method == "POST" {
			w.WriteHeader(204)
			return
		}
		sendJSON(w, 200, record("a b", "2022-04-13T08:00:00Z", map[string]any{"status": "Canceled"}))
	})
	r := pim.Request{ID: "a b", Role: attributeRole()}
	if err := s.Directory().Cancel(short(t), r); err != nil {
		t.Fatal(err)
	}
	now, err := s.Directory().Follow(short(t), r)
	if err != nil || now.Phase(s.clock()) != pim.PhaseRefused || now.Role != attributeRole() {
		t.Errorf("%+v, %v", now, err)
	}
	calls := s.seen()
	if calls[0].Path != directoryBase+"roleAssignmentScheduleRequests/a b/cancel" || calls[1].Path != directoryBase+"roleAssignmentScheduleRequests/a b" {
		t.Errorf("calls are %+v", calls)
	}
}

// record is a directory role's request as Graph records it.
func record(id, created string, change map[string]any) map[string]any {
	r := map[string]any{
		"id": id, "status": "Provisioned", "createdDateTime": created, "action": "selfActivate", "principalId": me,
		"roleDefinitionId": attribute, "directoryScopeId": "/", "isValidationOnly": false, "justification": "a reason",
		"scheduleInfo": map[string]any{"startDateTime": created, "expiration": map[string]any{"type": "afterDuration", "duration": "PT5H"}},
	}
	for k, v := range change {
		r[k] = v
	}
	return r
}

func TestFindTakesNoOtherRequest(t *testing.T) {
	duration := func(d string) map[string]any {
		return map[string]any{"scheduleInfo": map[string]any{"expiration": map[string]any{"duration": d}}}
	}
	at := utc("2022-04-13T09:00:00Z")
	later := map[string]any{"scheduleInfo": map[string]any{"startDateTime": "2022-04-14T06:00:00.5Z", "expiration": map[string]any{"duration": "PT5H"}}, "status": "Granted"}
	for name, test := range map[string]struct {
		row  map[string]any
		w    pim.Write
		want bool
	}{
		"its own":                     {row: record("a", "2022-04-13T09:00:03Z", nil), want: true},
		"by a clock that is behind":   {row: record("a", "2022-04-13T08:58:30Z", nil), want: true},
		"the day before":              {row: record("a", "2022-04-12T09:00:03Z", nil)},
		"three minutes before":        {row: record("a", "2022-04-13T08:56:59Z", nil)},
		"another duration":            {row: record("a", "2022-04-13T09:00:03Z", duration("PT4H"))},
		"the duration in other words": {row: record("a", "2022-04-13T09:00:03Z", duration("PT300M")), want: true},
		"another role":                {row: record("a", "2022-04-13T09:00:03Z", map[string]any{"roleDefinitionId": "x"})},
		"another scope":               {row: record("a", "2022-04-13T09:00:03Z", map[string]any{"directoryScopeId": "/administrativeUnits/x"})},
		"another action":              {row: record("a", "2022-04-13T09:00:03Z", map[string]any{"action": "selfExtend"})},
		"other case":                  {row: record("a", "2022-04-13T09:00:03Z", map[string]any{"action": "SelfActivate", "roleDefinitionId": strings.ToUpper(attribute)}), want: true},
		"a validation":                {row: record("a", "2022-04-13T09:00:03Z", map[string]any{"isValidationOnly": true})},
		"a deactivation":              {row: record("a", "2022-04-13T09:00:03Z", map[string]any{"action": "selfDeactivate", "scheduleInfo": nil, "status": "Revoked"}), w: pim.Write{Action: pim.ActionDeactivate}, want: true},
		"a scheduled one":             {row: record("a", "2022-04-13T09:00:03Z", later), w: pim.Write{Start: utc("2022-04-14T06:00:00Z")}, want: true},
		"scheduled for another day":   {row: record("a", "2022-04-13T09:00:03Z", later), w: pim.Write{Start: utc("2022-04-15T06:00:00Z")}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) { sendJSON(w, 200, listOf(test.row)) })
			w := test.w
			w.ID, w.Role, w.At = ours, attributeRole(), at
			s.advance(at.Add(5 * time.Second).Sub(s.clock()))
			if w.Action == "" {
				w.Action, w.Duration = pim.ActionActivate, 5*time.Hour
			}
			r, found, err := s.Directory().Find(short(t), w)
			if err != nil || found != test.want {
				t.Fatalf("%+v, %v, %v", r, found, err)
			}
			if found && (r.ID != "a" || r.Role != attributeRole()) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// Activated, cancelled and activated again within two minutes: the first request
// is known from before the second write.
func TestFindTakesNoRequestKnownBefore(t *testing.T) {
	rows := []any{record("first", "2022-04-13T08:52:10Z", nil)}
	s := newService(t, func(w http.ResponseWriter, c call) { sendJSON(w, 200, listOf(rows...)) })
	if _, err := s.Directory().Requests(short(t)); err != nil {
		t.Fatal(err)
	}
	s.advance(time.Minute)
	w := pim.Write{ID: ours, Action: pim.ActionActivate, Role: attributeRole(), At: s.clock(), Duration: 5 * time.Hour}
	if r, found, err := s.Directory().Find(short(t), w); err != nil || found {
		t.Fatalf("%+v, %v, %v", r, found, err)
	}
	rows = append(rows, record("second", "2022-04-13T08:53:02Z", nil))
	s.advance(time.Second)
	for range 2 {
		if r, found, err := s.Directory().Find(short(t), w); err != nil || !found || r.ID != "second" {
			t.Errorf("%+v, %v, %v", r, found, err)
		}
	}
}

func TestCheckIsEchoed(t *testing.T) {
	for name, test := range map[string]struct {
		echo any
		sent bool
	}{
		"true":    {true, false},
		"false":   {false, true},
		"nothing": {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) {
				if c.Body["isValidationOnly"] != true {
					t.Errorf("body is %v", c.Body)
				}
				sendJSON(w, 201, record("real", "2022-04-13T08:52:00Z", map[string]any{"isValidationOnly": test.echo, "status": "PendingApproval"}))
			})
			err := s.Directory().Check(short(t), activationOf(attributeRole()))
			sent, ok := errors.AsType[*pim.SentError](err)
			if ok != test.sent || (err != nil) != test.sent {
				t.Fatalf("error is %v", err)
			}
			if ok && (sent.Request.ID != "real" || !sent.Request.Cancellable(s.clock()) || !strings.Contains(pim.Explain(err).Text, "did not only check")) {
				t.Errorf("%+v, %s", sent.Request, pim.Explain(err).Text)
			}
			if len(s.seen()) != 1 {
				t.Errorf("%d calls", len(s.seen()))
			}
		})
	}
}

func TestValidationIsNoActivation(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		sendJSON(w, 201, record("a", "2022-04-13T08:52:00Z", map[string]any{"isValidationOnly": true}))
	})
	_, err := s.Directory().Activate(short(t), activationOf(attributeRole()))
	wantCode(t, err, pim.CodeUnreadable)
}

func TestWritesAreNotRepeated(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter)
		code   pim.Code
		calls  int
	}{
		"cut":                 {cut, pim.CodeTimeout, 1},
		"500":                 {func(w http.ResponseWriter) { refuse(w, 500, "InternalServerError", "") }, pim.CodeUnavailable, 1},
		"503":                 {func(w http.ResponseWriter) { refuse(w, 503, "ServiceUnavailable", "") }, pim.CodeUnavailable, 1},
		"429 without a pause": {func(w http.ResponseWriter) { refuse(w, 429, "TooManyRequests", "") }, pim.CodeThrottled, 1},
		"429 with a pause": {func(w http.ResponseWriter) {
			w.Header().Set("retry-after-ms", "5")
			refuse(w, 429, "TooManyRequests", "")
		}, pim.CodeThrottled, 2},
		"broken JSON":    {func(w http.ResponseWriter) { send(w, 201, []byte(`{"id":`)) }, pim.CodeUnreadable, 1},
		"null":           {func(w http.ResponseWriter) { send(w, 201, []byte(`null`)) }, pim.CodeUnreadable, 1},
		"nothing":        {func(w http.ResponseWriter) { w.WriteHeader(201) }, pim.CodeUnreadable, 1},
		"another object": {func(w http.ResponseWriter) { sendJSON(w, 201, map[string]string{"id": "x"}) }, pim.CodeUnreadable, 1},
	} {
		for kind, send := range map[string]func(s *service) error{
			"activate": func(s *service) error {
				_, err := s.Groups().Activate(short(t), activationOf(groupRole()))
				return err
			},
			"check": func(s *service) error { return s.Directory().Check(short(t), activationOf(attributeRole())) },
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				s := newService(t, func(w http.ResponseWriter, _ call) { test.answer(w) })
				wantCode(t, send(s), test.code)
				if n := len(s.seen()); n != test.calls {
					t.Errorf("%d calls", n)
				}
			})
		}
	}
}

func TestReadsAreRepeated(t *testing.T) {
	var s *service
	s = newService(t, func(w http.ResponseWriter, c call) {
		switch len(s.seen()) {
		case 1:
			refuse(w, 503, "ServiceUnavailable", "")
		case 2:
			cut(w)
		default:
			sendJSON(w, 200, listOf(rowsOf(0, 1)...))
		}
	})
	if got, err := s.Directory().Eligible(short(t)); err != nil || len(got) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPauseHoldsForBothKinds(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		w.Header().Set("Retry-After", "90")
		refuse(w, 429, "TooManyRequests", "slow down")
	})
	_, err := s.Groups().Eligible(short(t))
	wantCode(t, err, pim.CodeThrottled)
	s.advance(30 * time.Second)
	_, err = s.Directory().Activate(short(t), activationOf(attributeRole()))
	wantCode(t, err, pim.CodeThrottled)
	if e, _ := errors.AsType[*pim.Error](err); e.RetryAfter != time.Minute {
		t.Errorf("what is left of the pause is %v", e.RetryAfter)
	}
	if n := len(s.seen()); n != 1 {
		t.Errorf("%d calls in the pause", n)
	}
}
