package graph

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sosodev/duration"

	"roletray/pim/tenant/ledger"
)

// plane is one of the two kinds of role that Graph manages: directory roles, or
// membership and ownership of groups. Each has books of its own.
type plane struct {
	s     *Service
	books *ledger.Ledger
	// group tells groups from directory roles.
	group bool
	// root are the segments above the collections, as they are shown.
	root  string
	kinds []*kind
}

// level is what the rows of a collection are.
type level int

const (
	instances level = iota
	schedules
	requests
)

// kind is one collection of a plane.
type kind struct {
	shape
	// path is the segment of the collection.
	path   string
	family ledger.Family
	level  level
	// read, post and cancel are the permissions of which one is needed.
	read, post, cancel []string
}

// flat is how directory scopes nest: everything lies right below the directory.
type flat struct{}

func (flat) Parent(scope string) (string, bool) { return "/", scope != "/" }

func newPlane(s *Service, group bool, memberOf func(string) []string) *plane {
	p := &plane{s: s, group: group, root: "roleManagement/directory"}
	if group {
		p.root = "identityGovernance/privilegedAccess/group"
	}
	p.books = ledger.New(ledger.Params{
		Clock: s.Clock, Directory: s.Directory, Tree: flat{}, MemberOf: memberOf,
		DefaultPolicy: s.Data.DefaultPolicy,
		Timing: func() ledger.Timing {
			o := s.Settings()
			return ledger.Timing{
				ActivationLag:   time.Duration(o.ActivationLagSeconds) * time.Second,
				DeactivationLag: time.Duration(o.DeactivationLagSeconds) * time.Second,
				NotYet:          time.Duration(o.NotYetWindowSeconds) * time.Second,
				TooEarlyFails:   o.DeactivateTooEarlyAs201,
				Queue:           o.FutureStart == "grant",
			}
		},
	})
	for _, f := range []ledger.Family{ledger.OfEligibility, ledger.OfAssignment} {
		for _, l := range []level{instances, schedules, requests} {
			p.kinds = append(p.kinds, p.newKind(f, l))
		}
	}
	return p
}

func (p *plane) newKind(f ledger.Family, l level) *kind {
	path := map[ledger.Family]string{ledger.OfEligibility: "eligibilitySchedule", ledger.OfAssignment: "assignmentSchedule"}[f] +
		map[level]string{instances: "Instances", schedules: "s", requests: "Requests"}[l]
	name := "privilegedAccessGroup"
	if !p.group {
		path = "role" + strings.ToUpper(path[:1]) + path[1:]
		name = "unifiedR" + path[1:]
	} else {
		name += strings.ToUpper(path[:1]) + path[1:]
	}
	k := &kind{path: path, family: f, level: l}
	k.name = strings.TrimSuffix(name, "s")
	k.fields = []string{"id", "principalId"}
	if p.group {
		k.fields = append(k.fields, "groupId", "accessId")
	} else {
		k.fields = append(k.fields, "roleDefinitionId", "directoryScopeId", "appScopeId")
	}
	switch l {
	case instances:
		k.fields = append(k.fields, "startDateTime", "endDateTime", "memberType", p.scheduleField(f))
		if f == ledger.OfAssignment {
			k.fields = append(k.fields, "assignmentType")
			if !p.group {
				k.fields = append(k.fields, "roleAssignmentOriginId")
			}
		}
	case schedules:
		k.fields = append(k.fields, "createdDateTime", "modifiedDateTime", "createdUsing", "status", "memberType", "scheduleInfo")
		if f == ledger.OfAssignment {
			k.fields = append(k.fields, "assignmentType")
		}
	case requests:
		k.fields = append(k.fields, "status", "createdDateTime", "completedDateTime", "approvalId", "customData", "action",
			"isValidationOnly", "targetScheduleId", "justification", "createdBy", "scheduleInfo", "ticketInfo")
	}
	k.read, k.post, k.cancel = p.permissions(f, l)
	return k
}

func (p *plane) scheduleField(f ledger.Family) string {
	switch {
	case p.group && f == ledger.OfEligibility:
		return "eligibilityScheduleId"
	case p.group:
		return "assignmentScheduleId"
	case f == ledger.OfEligibility:
		return "roleEligibilityScheduleId"
	}
	return "roleAssignmentScheduleId"
}

func (p *plane) operations(k *kind) []operation {
	path := strings.ToLower(p.root + "/" + k.path)
	collection := methods{"GET": p.listCollection(k)}
	list := []operation{
		{v1, path + "/filterbycurrentuser", methods{"GET": p.listCurrentUser(k)}},
		{v1, path, collection},
		{v1, path + "/*", methods{"GET": p.getRow(k)}},
	}
	if k.level == requests {
		collection["POST"] = p.post(k)
		list = append(list, operation{v1, path + "/*/cancel", methods{"POST": p.cancel(k)}})
	}
	return list
}

// row is one row of a collection; one of the three is set.
type row struct {
	eligibility *ledger.Eligibility
	assignment  *ledger.Assignment
	request     *ledger.Request
	target      ledger.Target
	// principal is shown as the holder; via tells that the books have a group
	// in its place.
	principal string
	via       bool
}

// rows are those of the kind that the holder has. Of a request the holder is
// whom it is for.
func (p *plane) rows(k *kind, h ledger.Holder) []row {
	now := p.s.Clock.Now()
	var out []row
	add := func(r row, principal string) {
		if r.principal = principal; h.User != "" {
			r.principal, r.via = strings.ToLower(h.User), !is(principal, h.User)
		}
		out = append(out, r)
	}
	switch {
	case k.level == requests:
		for _, r := range p.books.Requests(k.family, func(r *ledger.Request) bool {
			return h == ledger.Holder{} || is(r.Principal, h.User) || is(r.Principal, h.Principal)
		}) {
			add(row{request: &r, target: r.Target}, r.Principal)
		}
	case k.family == ledger.OfEligibility:
		for _, e := range p.books.Eligibilities(h) {
			if k.level == schedules || e.InForce(now) {
				add(row{eligibility: &e, target: e.Target}, e.Principal)
			}
		}
	default:
		read := p.books.Assignments
		if k.level == instances {
			read = p.books.Active
		}
		for _, a := range read(h) {
			add(row{assignment: &a, target: a.Target}, a.Principal)
		}
	}
	return out
}

// listCurrentUser is filterByCurrentUser: what is the caller's directly, and not
// what a group of the caller's has.
func (p *plane) listCurrentUser(k *kind) func(*call, []string) error {
	return func(c *call, names []string) error {
		if err := c.need(k.read); err != nil {
			return err
		}
		var rows []row
		switch on := strings.ToLower(names[0]); {
		case on == "principal":
			rows = p.rows(k, ledger.Holder{Principal: c.caller.UserID})
		case on == "createdby" && k.level == requests:
			rows = p.requests(k, func(r *ledger.Request) bool { return is(r.Requestor, c.caller.UserID) })
		case on == "approver" && k.level == requests:
			decides := p.decides(c)
			rows = p.requests(k, decides)
		default:
			return badRequest("The value '%.100s' is not valid for the parameter 'on' of the function 'filterByCurrentUser'.", names[0])
		}
		q, err := c.parse(&k.shape, "")
		if err != nil {
			return err
		}
		return writeList(c, p.view(c, k, "Collection("+k.name+")", true), q, rows, c.settings.CurrentUserCap)
	}
}

func (p *plane) requests(k *kind, keep func(*ledger.Request) bool) []row {
	var out []row
	for _, r := range p.books.Requests(k.family, keep) {
		out = append(out, row{request: &r, target: r.Target, principal: r.Principal})
	}
	return out
}

// listCollection lists for the principals that the filter names.
func (p *plane) listCollection(k *kind) func(*call, []string) error {
	return func(c *call, _ []string) error {
		if err := c.need(k.read); err != nil {
			return err
		}
		q, err := c.parse(&k.shape, "")
		if err != nil {
			return err
		}
		principals, pinned := q.filter.pinned("principalId")
		if _, ofGroup := q.filter.pinned("groupId"); p.group && !pinned && !ofGroup {
			return pimFault(http.StatusBadRequest, "InvalidFilter", "The filter must contain groupId or principalId.")
		}
		if err := p.mayList(c, principals, pinned); err != nil {
			return err
		}
		var rows []row
		if !pinned {
			rows = p.rows(k, ledger.Holder{})
		}
		seen := map[string]bool{}
		for _, id := range principals {
			id = strings.ToLower(id)
			if seen[id] {
				continue
			}
			seen[id] = true
			h := ledger.Holder{Principal: id}
			if _, user := p.s.Directory.User(id); user && !p.group {
				h = ledger.Holder{User: id}
			}
			rows = append(rows, p.rows(k, h)...)
		}
		return writeList(c, p.view(c, k, p.root+"/"+k.path, false), q, rows, 0)
	}
}

func (p *plane) mayList(c *call, principals []string, pinned bool) error {
	own := pinned && !slices.ContainsFunc(principals, func(id string) bool { return !is(id, c.caller.UserID) })
	allowed := c.settings.OtherCollection == "allow"
	if own {
		allowed = c.settings.OwnCollection == "allow"
	}
	if allowed || p.s.hasRole(c.caller.UserID, readers) {
		return nil
	}
	return unauthorized()
}

func (p *plane) getRow(k *kind) func(*call, []string) error {
	return func(c *call, names []string) error {
		if err := c.need(k.read); err != nil {
			return err
		}
		r, ok := p.find(k, names[0])
		if !ok || !p.concerns(c, r) && !p.s.hasRole(c.caller.UserID, readers) {
			return notFound(names[0])
		}
		return writeOne(c, p.view(c, k, p.root+"/"+k.path, false), r, http.StatusOK)
	}
}

func (p *plane) find(k *kind, id string) (row, bool) {
	id = strings.ToLower(id)
	switch {
	case k.level == requests:
		r, ok := p.books.Request(id)
		return row{request: &r, target: r.Target, principal: r.Principal}, ok && r.Family == k.family
	case k.family == ledger.OfEligibility:
		e, ok := p.books.Eligibility(id)
		if k.level == instances {
			ok = ok && e.InstanceID == id && e.InForce(p.s.Clock.Now())
		} else {
			ok = ok && e.ID == id
		}
		return row{eligibility: &e, target: e.Target, principal: e.Principal}, ok
	}
	a, ok := p.books.Assignment(id)
	if k.level == instances {
		ok = ok && a.InstanceID == id && p.books.IsListed(a)
	} else {
		ok = ok && a.ID == id
	}
	return row{assignment: &a, target: a.Target, principal: a.Principal}, ok
}

func (p *plane) concerns(c *call, r row) bool {
	if p.books.Holds(c.caller.UserID, r.principal) {
		return true
	}
	return r.request != nil && (is(r.request.Requestor, c.caller.UserID) || p.decides(c)(r.request))
}

// decides tells whether the caller may decide on a request. What it returns does
// not call the books of this plane.
func (p *plane) decides(c *call) func(*ledger.Request) bool {
	administrator := p.s.hasRole(c.caller.UserID, deciders)
	return func(r *ledger.Request) bool {
		return p.books.CanDecide(r, c.caller.UserID) || administrator && r.AdministratorsDecide(c.caller.UserID)
	}
}

// scheduleID names the schedule that a request makes. For groups it says what it
// is about.
func (p *plane) scheduleID(t ledger.Target, request string) string {
	if p.group {
		return t.Role + "_" + t.Access + "_" + request
	}
	return request
}

func (p *plane) view(c *call, k *kind, context string, typed bool) view[row] {
	v := view[row]{shape: k.shape, context: context, typed: typed, show: func(r row) entity { return p.show(k, r, false) }}
	v.expand = map[string]func(row, expansion) (any, error){
		"principal": func(r row, x expansion) (any, error) { return c.principal(r.principal, x) },
	}
	if p.group {
		v.expand["group"] = func(r row, x expansion) (any, error) { return c.expandGroup(r.target.Role, x) }
	} else {
		v.expand["roleDefinition"] = func(r row, x expansion) (any, error) { return narrow(c.s.role(r.target.Role), roleShape, x) }
		v.expand["directoryScope"] = func(r row, x expansion) (any, error) { return c.directoryScope(r.target.Scope, x) }
		v.expand["appScope"] = func(row, expansion) (any, error) { return nil, nil }
	}
	if k.family == ledger.OfAssignment {
		v.expand["activatedUsing"] = func(r row, x expansion) (any, error) { return p.activatedUsing(k, r, x) }
	}
	if k.level == requests {
		v.expand["targetSchedule"] = func(r row, x expansion) (any, error) { return p.targetSchedule(k, r, x) }
	}
	return v
}

// narrow is a value for an expansion, with its own $select.
func narrow(e entity, s shape, x expansion) (any, error) {
	if e == nil {
		return nil, nil
	}
	if len(x.inner) > 0 {
		return nil, badRequest("Parsing OData Select and Expand failed: Could not find a property named '%.100s' on type 'microsoft.graph.%s'.", x.inner[0].name, s.name)
	}
	if x.selected == nil {
		return e, nil
	}
	selected, err := s.selection(strings.Join(x.selected, ","))
	return e.only(selected), err
}

func (p *plane) kind(f ledger.Family, l level) *kind {
	i := slices.IndexFunc(p.kinds, func(k *kind) bool { return k.family == f && k.level == l })
	return p.kinds[i]
}

func (p *plane) activatedUsing(k *kind, r row, x expansion) (any, error) {
	id := ""
	switch {
	case r.assignment != nil:
		id = r.assignment.Eligibility
	case r.request.Action == ledger.SelfActivate:
		id = r.request.Linked
	}
	e, ok := p.books.Eligibility(id)
	if !ok {
		return nil, nil
	}
	l := schedules
	if k.level == instances {
		l = instances
	}
	of := p.kind(ledger.OfEligibility, l)
	return narrow(p.show(of, row{eligibility: &e, target: e.Target, principal: e.Principal}, false), of.shape, x)
}

func (p *plane) targetSchedule(k *kind, r row, x expansion) (any, error) {
	of := p.kind(k.family, schedules)
	target, ok := p.find(of, r.request.TargetSchedule)
	if !ok {
		return nil, nil
	}
	e := p.show(of, target, false)
	// Microsoft declares the schedule of a group's activation as one of an
	// eligibility, so what it is must be said.
	e["@odata.type"] = "#microsoft.graph." + of.name
	return narrow(e, of.shape, x)
}

// show is a row as Graph gives it. Enumerations are in upper camel case in
// listings, and in lower camel case in the answer to a POST.
func (p *plane) show(k *kind, r row, posted bool) entity {
	e := entity{"principalId": r.principal}
	if p.group {
		e["groupId"], e["accessId"] = r.target.Role, r.target.Access
	} else {
		e["roleDefinitionId"], e["directoryScopeId"], e["appScopeId"] = r.target.Role, p.s.scopes[r.target.Scope], nil
		if e["directoryScopeId"] == "" {
			e["directoryScopeId"] = r.target.Scope
		}
	}
	if k.level == requests {
		p.showRequest(e, r.request, posted)
		return e
	}
	e["memberType"] = "Direct"
	if r.via {
		e["memberType"] = "Group"
	}
	var id, instance, request string
	var start, end, created, updated time.Time
	if x := r.eligibility; x != nil {
		id, instance, request, start, end, created, updated = x.ID, x.InstanceID, x.RequestID, x.Start, x.End, x.Created, x.Updated
	} else {
		x := r.assignment
		id, instance, request, start, end, created, updated = x.ID, x.InstanceID, x.RequestID, x.Start, x.End, x.Created, x.Updated
		e["assignmentType"] = "Assigned"
		if x.Activated() {
			e["assignmentType"] = "Activated"
		}
	}
	if k.level == instances {
		e["id"], e["startDateTime"], e["endDateTime"], e[p.scheduleField(k.family)] = instance, stamp(start), stamp(end), id
		if r.assignment != nil && !p.group {
			e["roleAssignmentOriginId"] = instance
		}
		return e
	}
	e["id"], e["createdDateTime"], e["modifiedDateTime"], e["createdUsing"] = id, stamp(created), stamp(updated), request
	e["status"] = "Provisioned"
	if p.s.Clock.Now().Before(start) {
		e["status"] = "Granted"
	}
	e["scheduleInfo"] = p.schedule(start, ledger.Schedule{Expiration: ending(end), End: end}, posted)
	return e
}

func ending(end time.Time) ledger.Expiration {
	if end.IsZero() {
		return ledger.NoExpiration
	}
	return ledger.AfterDateTime
}

func (p *plane) showRequest(e entity, r *ledger.Request, posted bool) {
	e["id"], e["status"], e["createdDateTime"] = r.ID, string(r.Status), stamp(r.Created)
	e["customData"], e["isValidationOnly"] = nil, false
	e["completedDateTime"], e["approvalId"] = p.completed(r), nil
	if r.Approval != nil {
		e["approvalId"] = r.ID
	}
	e["action"] = string(r.Action)
	if posted {
		e["action"] = lowerFirst(string(r.Action))
	}
	e["targetScheduleId"] = orNull(r.TargetSchedule)
	e["justification"] = orNull(r.Justification)
	e["createdBy"] = entity{
		"application": nil, "device": nil,
		"user": entity{"displayName": nil, "id": r.Requestor},
	}
	e["ticketInfo"] = entity{"ticketNumber": orNull(r.Ticket.Number), "ticketSystem": orNull(r.Ticket.System)}
	e["scheduleInfo"] = nil
	if r.Action != ledger.SelfDeactivate {
		start := r.Schedule.Start
		if start.IsZero() && r.Status != ledger.PendingApproval {
			start = r.Created
		}
		e["scheduleInfo"] = p.schedule(start, r.Schedule, posted)
	}
}

// completed is when a request was settled. A directory role's that waits says
// when it was taken in, as in Microsoft's example.
func (p *plane) completed(r *ledger.Request) any {
	switch r.Status {
	case ledger.Granted:
		return stamp(r.Schedule.Start)
	case ledger.PendingApproval:
		if p.group {
			return nil
		}
		return stamp(r.Created)
	case ledger.PendingAdminDecision, ledger.Revoked:
		return nil
	}
	if r.Approval != nil && !r.Approval.Reviewed.IsZero() {
		return stamp(r.Approval.Reviewed)
	}
	return stamp(r.Created)
}

func (p *plane) schedule(start time.Time, s ledger.Schedule, posted bool) entity {
	kind := string(s.Expiration)
	if kind == "" {
		kind = "NotSpecified"
	}
	if posted || !p.group {
		kind = lowerFirst(kind)
	}
	var lasts any
	if s.Expiration == ledger.AfterDuration {
		lasts = isoDuration(s.Duration)
	}
	return entity{
		"startDateTime": stamp(start), "recurrence": nil,
		"expiration": entity{"type": kind, "endDateTime": stamp(s.End), "duration": lasts},
	}
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// stamp is a moment with as many fraction digits as Graph gives, or null for
// the zero one.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.9999999Z07:00")
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// isoDuration writes a duration in days, hours, minutes and seconds.
func isoDuration(d time.Duration) string { return duration.Format(d.Truncate(time.Second)) }
