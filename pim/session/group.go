package session

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"roletray/pim"
)

const (
	// appearWithin is how long a role is waited for after the group that brings it
	// became active, and how long what appears then is taken for the group's.
	appearWithin = 5 * time.Minute
	// promptWithin is how long after the person's act a browser may still open for it, on
	// the computer's clock.
	promptWithin = 5 * time.Minute
	// groupAge is how long it is believed what a group brings.
	groupAge = 24 * time.Hour
	// groupsAtOnce and groupsEach bound the reads of what groups bring: under way
	// together, and after each refresh.
	groupsAtOnce = 4
	groupsEach   = 20
	maxLinks     = 2000
)

// groupFirstError is why a role cannot be had before its group.
type groupFirstError struct {
	error
	group string
}

func (e *groupFirstError) Unwrap() error { return e.error }

// Sentence says for the person what to do.
func (e *groupFirstError) Sentence() string {
	return "This role comes with the group " + pim.CleanText(e.group, 100) + ". Activate the role again when the group is active."
}

// appearError is CodeNotEligible for a role that its group did not bring.
type appearError struct {
	error
	group string
}

func (e *appearError) Unwrap() error { return e.error }

// Sentence says for the person what to do.
func (e *appearError) Sentence() string {
	return "The group " + pim.CleanText(e.group, 100) + " is active, but the service does not show its role yet. Try again in a few minutes."
}

// goOnLater has a job go on when its group is active. The person has asked for it all at
// once, so it does not end with the caller.
func (s *Session) goOnLater(values context.Context, j *job, interactive bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.o.op.State.Over() {
		return
	}
	values = context.WithoutCancel(values)
	s.spawn(func(run context.Context) {
		ctx, leave := until(values, run)
		defer leave()
		s.goOn(ctx, j, interactive)
	})
}

func (s *Session) goOn(ctx context.Context, j *job, interactive bool) {
	group := j.o.group
	name := j.activation.Eligibility.BehindName
	if s.settledState(ctx, group, false) == pim.OperationWaiting {
		s.setState(j.o, pim.OperationWaiting)
		if s.settledState(ctx, group, true) == pim.OperationDone {
			// A person decided, perhaps hours later: the rest is for the person's own act.
			s.failed(j.o, &groupFirstError{&pim.Error{Code: pim.CodePending}, name})
			return
		}
	}
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	if group.op.State == pim.OperationFailed {
		s.finish(j.o, pim.OperationFailed, group.op.Problem)
		s.mu.Unlock()
		_ = s.save()
		return
	}
	s.mu.Unlock()
	s.renew(ctx)
	e, active, err := s.appear(ctx, j)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		s.failed(j.o, err)
		return
	case active.Role.Kind != "":
		s.mu.Lock()
		s.finish(j.o, pim.OperationDone, nil)
		if group.op.Request != nil { // Else both were active before.
			s.events.put(pim.Event{
				Kind: pim.EventActivated, At: s.clock.Now(), AccountID: s.account.ID, Role: j.o.op.Role, End: active.End, Client: j.o.op.Client,
			})
		}
		s.mu.Unlock()
		_ = s.save()
		return
	}
	j.activation.Eligibility, j.ready, j.fit = e, true, true
	j.notYet = s.clock.Now().Add(appearWithin)
	attended := s.clock.Real(s.clock.Now().Sub(j.o.op.Started)) <= promptWithin
	values := s.prepare(ctx, []*job{j}, interactive && attended)
	if j.ready {
		s.perform(values, j, interactive && attended)
	}
}

// settledState waits until an operation is over or, unless that does not count, waits for
// a person, and returns its state.
func (s *Session) settledState(ctx context.Context, o *operation, over bool) pim.OperationState {
	changed, stop := s.Subscribe()
	defer stop()
	for {
		s.mu.Lock()
		state := o.op.State
		s.mu.Unlock()
		if state.Over() || !over && state == pim.OperationWaiting {
			return state
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return state
		}
	}
}

// appear reads again until the role of a job can be activated or is active.
func (s *Session) appear(ctx context.Context, j *job) (pim.Eligibility, pim.Assignment, error) {
	key := j.activation.Eligibility.Role.Key()
	deadline := s.clock.Now().Add(appearWithin)
	for try := 0; ; try++ {
		s.mu.Lock()
		barred := s.barred(j.src.host, false)
		s.mu.Unlock()
		if barred == nil {
			err := s.readEligible(ctx, j.src)
			if err == nil {
				err = s.readActive(ctx, j.src, []pim.Eligibility{j.activation.Eligibility}, false)
			}
			if err != nil {
				s.log.Debug("could not look for a group's role", "error", err)
			}
		}
		s.mu.Lock()
		s.publish()
		active, isActive := s.activeRole(j.o.key)
		e, isEligible := s.findEligible(key)
		s.mu.Unlock()
		switch {
		case isActive:
			return e, active, nil
		case isEligible && e.Behind == "":
			return e, pim.Assignment{}, nil
		case !s.clock.Now().Before(deadline):
			return e, active, &appearError{&pim.Error{Code: pim.CodeNotEligible}, j.activation.Eligibility.BehindName}
		}
		pause := min(pausesWorking[min(try, len(pausesWorking)-1)], max(s.clock.Real(deadline.Sub(s.clock.Now())), time.Millisecond))
		if err := sleep(ctx, pause); err != nil {
			return e, active, err
		}
	}
}

// renewLater gets new tokens in the background. s.mu is held.
func (s *Session) renewLater() {
	if s.renewer != nil && !s.renewing {
		s.renewing = s.spawn(func(ctx context.Context) {
			s.mu.Lock()
			s.renewing = false
			s.mu.Unlock()
			s.renew(ctx)
		})
	}
}

// renew gets new tokens for all services, so that they see what has become active.
func (s *Session) renew(ctx context.Context) {
	if s.renewer == nil {
		return
	}
	for a := range s.hosts {
		if err := s.renewer.Renew(ctx, a); err != nil && ctx.Err() == nil {
			s.log.Info("could not renew a token", "audience", a, "error", err)
		}
	}
}

// groupWatch is a group that was activated a moment ago, and what there was before.
type groupWatch struct {
	group  pim.Role
	since  time.Time
	before map[pim.Key]bool
}

func isMembership(r pim.Role) bool { return r.Kind == pim.KindGroup && r.Access == pim.AccessMember }

// watchGroup begins to learn what a membership brings that was just activated. s.mu is held.
func (s *Session) watchGroup(o *operation) {
	if !isMembership(o.op.Role) {
		return
	}
	w := groupWatch{group: o.op.Role, since: o.settled, before: map[pim.Key]bool{}}
	for k := range s.eligibleKeys {
		w.before[k] = true
	}
	for _, src := range s.sources {
		for k := range src.listed {
			w.before[k] = true
		}
	}
	s.watched = append(slices.Clone(s.watched), w)
	s.nextRefresh = minTime(s.nextRefresh, time.Now().Add(pausesVerify[0]))
}

// learn takes from the listings which group brings what. s.mu is held.
func (s *Session) learn() {
	now := s.clock.Now()
	s.watched = slices.DeleteFunc(slices.Clone(s.watched), func(w groupWatch) bool { return now.Sub(w.since) > appearWithin })
	groups := map[string]pim.Role{}
	for _, e := range s.eligible {
		if isMembership(e.Role) {
			groups[strings.ToLower(e.Role.Scope.ID)] = e.Role
		}
	}
	if len(groups) == 0 {
		return
	}
	take := func(r pim.Role, via pim.Via, principal string, eligible bool) {
		if r.Kind == pim.KindGroup || via == pim.ViaDirect {
			return
		}
		l := pim.GroupLink{GroupRole: pim.GroupRole{Role: r, Eligible: eligible}, How: pim.LinkListed}
		group, known := groups[strings.ToLower(principal)]
		switch {
		case known && via == pim.ViaGroup:
			l.Group = group
		case principal != "" && !s.isMe(principal), len(s.watched) != 1 || s.watched[0].before[r.Key()]:
			return // Another group's, or nobody knows whose.
		default:
			l.Group, l.How = s.watched[0].group, pim.LinkSeen
		}
		s.link(l)
	}
	for _, src := range s.sources {
		if src.kind == pim.KindGroup {
			continue
		}
		for _, e := range src.eligible {
			if e.Via != pim.ViaDirect {
				take(e.Role, e.Via, e.PrincipalID, true)
			}
		}
		for _, r := range src.listed {
			if a := r.assignment; a.Type == pim.Assigned {
				take(a.Role, a.Via, a.PrincipalID, false)
			}
		}
	}
}

// link remembers a link, or that it is surer now. s.mu is held.
func (s *Session) link(l pim.GroupLink) {
	surer := func(how pim.LinkSource) int {
		return slices.Index([]pim.LinkSource{pim.LinkRead, pim.LinkListed, pim.LinkSeen}, how)
	}
	for i, old := range s.links {
		if old.Group.Key() == l.Group.Key() && old.Role.Key() == l.Role.Key() && old.Eligible == l.Eligible {
			if surer(l.How) < surer(old.How) {
				s.links = slices.Clone(s.links)
				s.links[i] = l
				s.unsaved.links, s.dirty = true, true
			}
			return
		}
	}
	if len(s.links) < maxLinks {
		s.links = append(slices.Clone(s.links), l)
		s.unsaved.links, s.dirty = true, true
	}
}

// hidden says that the lists of a kind leave out what comes with a group. s.mu is held.
func (s *Session) hidden(k pim.Kind) bool {
	src := s.source(k)
	return src != nil && src.groups != nil && !src.groups.ShowsGroupRoles()
}

// brought are the roles in force that come with an active group and that no list shows:
// the service has said that the group holds them. They are as sure as the membership. s.mu is held.
func (s *Session) brought(active []pim.ActiveRole) []pim.ActiveRole {
	if len(s.links) == 0 {
		return nil
	}
	rows := map[pim.Key]pim.ActiveRole{}
	for _, a := range active {
		rows[a.Assignment.Role.Key()] = a
	}
	var out []pim.ActiveRole
	for _, l := range s.links {
		group, held := rows[l.Group.Key()]
		if _, listed := rows[l.Role.Key()]; !held || listed || l.Eligible || l.How != pim.LinkRead || !s.hidden(l.Role.Kind) {
			continue
		}
		row := group
		row.Assignment = pim.Assignment{
			Role: l.Role, PrincipalID: l.Group.Scope.ID, Type: pim.Assigned, Via: pim.ViaGroup,
			Start: group.Assignment.Start, End: group.Assignment.End,
		}
		rows[l.Role.Key()] = row
		out = append(out, row)
	}
	return out
}

// behindGroups are the roles that activating a group would bring, and those that an
// active group has brought where no list shows them. s.mu is held.
func (s *Session) behindGroups(active []pim.ActiveRole) []pim.Eligibility {
	if len(s.links) == 0 {
		return nil
	}
	held := map[pim.Key]bool{}
	for _, a := range active {
		held[a.Assignment.Role.Key()] = true
	}
	groups := map[pim.Key]pim.Eligibility{}
	for _, e := range s.eligible {
		if isMembership(e.Role) {
			groups[e.Role.Key()] = e
		}
	}
	var out []pim.Eligibility
	shown := map[pim.Key]bool{}
	for _, l := range s.links {
		key := l.Role.Key()
		g, ok := groups[l.Group.Key()]
		if !ok || shown[key] || held[key] || s.eligibleKeys[key] {
			continue
		}
		e := pim.Eligibility{
			Role: l.Role, PrincipalID: g.Role.Scope.ID, PrincipalName: g.Role.Scope.Name, Via: pim.ViaGroup, End: g.End,
		}
		switch {
		case !held[g.Role.Key()]:
			e.Behind, e.BehindName = g.Role.Key(), g.Role.Scope.Label()
		case !l.Eligible || !s.hidden(l.Role.Kind):
			continue
		}
		shown[key] = true
		out = append(out, e)
	}
	return out
}

// unknownGroups are the eligibilities with MayGiveRoles left only for groups of which no
// role is known. s.mu is held.
func (s *Session) unknownGroups(all []pim.Eligibility) []pim.Eligibility {
	if len(s.links) == 0 {
		return all
	}
	known := map[pim.Key]bool{}
	for _, l := range s.links {
		known[l.Group.Key()] = true
	}
	copied := false
	for i := range all {
		if all[i].MayGiveRoles && known[all[i].Role.Key()] {
			if !copied {
				all, copied = slices.Clone(all), true
			}
			all[i].MayGiveRoles = false
		}
	}
	return all
}

// readGroups begins to read what the groups bring where that is not known and can be
// asked. s.mu is held.
func (s *Session) readGroups() {
	now := s.clock.Now()
	var todo []pim.Role
	for _, e := range s.eligible {
		id := strings.ToLower(e.Role.Scope.ID)
		if at, ok := s.groupsRead[id]; isMembership(e.Role) && (!ok || now.Sub(at) > groupAge) && len(todo) < groupsEach {
			s.groupsRead[id] = now
			todo = append(todo, e.Role)
		}
	}
	for _, src := range s.sources {
		if src.groups == nil || len(todo) == 0 || now.Sub(src.groupsRefused) < groupAge || s.barred(src.host, false) != nil {
			continue
		}
		s.spawn(func(ctx context.Context) { s.readRolesOf(ctx, src, todo) })
	}
}

func (s *Session) readRolesOf(ctx context.Context, src *source, groups []pim.Role) {
	limit := make(chan struct{}, groupsAtOnce)
	var wg sync.WaitGroup
	for _, group := range groups {
		limit <- struct{}{}
		s.mu.Lock()
		refused := !src.groupsRefused.IsZero() && s.clock.Now().Sub(src.groupsRefused) < groupAge
		s.mu.Unlock()
		if refused || ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-limit }()
			s.readRolesOfOne(ctx, src, group)
		})
	}
	wg.Wait()
	s.mu.Lock()
	s.publish()
	s.mu.Unlock()
	_ = s.save()
}

func (s *Session) readRolesOfOne(ctx context.Context, src *source, group pim.Role) {
	roles, err := src.groups.RolesOf(ctx, group.Scope.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch pim.CodeOf(err) {
	case "":
		// What was read before and is there no more is forgotten.
		kept := slices.DeleteFunc(slices.Clone(s.links), func(l pim.GroupLink) bool {
			return l.How == pim.LinkRead && l.Group.Key() == group.Key() && s.source(l.Role.Kind) == src &&
				!slices.ContainsFunc(roles, func(r pim.GroupRole) bool { return r.Role.Key() == l.Role.Key() && r.Eligible == l.Eligible })
		})
		if len(kept) != len(s.links) {
			s.links, s.unsaved.links, s.dirty = kept, true, true
		}
		for _, r := range roles {
			s.link(pim.GroupLink{GroupRole: r, Group: group, How: pim.LinkRead})
		}
	case pim.CodeForbidden, pim.CodeConsent:
		src.groupsRefused = s.clock.Now()
	default:
		s.log.Debug("could not read what a group brings", "error", err)
		delete(s.groupsRead, strings.ToLower(group.Scope.ID))
	}
}
