package seed

import (
	"reflect"
	"testing"
	"time"

	"roletray/pim/tenant/azure"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func TestSeedsFitTogether(t *testing.T) {
	for _, name := range Names() {
		dir, data, err := New(name, start)
		if err != nil {
			t.Fatal(err)
		}
		if err := data.Check(dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, again, _ := New(name, start)
		if !reflect.DeepEqual(data, again) {
			t.Errorf("%s differs the second time", name)
		}
	}
	if _, _, err := New("none", start); err == nil {
		t.Error("a seed that does not exist was made")
	}
}

func TestSizes(t *testing.T) {
	_, d, _ := New("large", start)
	if n := len(d.Eligibilities); n != 5000 {
		t.Errorf("large has %d eligibilities", n)
	}
	at := map[string]bool{}
	for _, e := range d.Eligibilities {
		at[e.Scope] = true
	}
	if len(at) != 500 {
		t.Errorf("large has eligibilities in %d scopes", len(at))
	}
	_, d, _ = New("empty", start)
	if len(d.Eligibilities)+len(d.Assignments) != 0 || len(d.Scopes) == 0 {
		t.Error("empty is not as promised")
	}
}

func TestDemoHasEveryKind(t *testing.T) {
	dir, d, _ := New("demo", start)
	if dir.Users[0].ID != ada || dir.Users[0].Name != "Ada Lindqvist" {
		t.Errorf("the first user is %s", dir.Users[0].Name)
	}
	mine := map[string]bool{ada: true, platform: true, security: true}
	policies := map[[2]string]azure.Policy{}
	for _, p := range d.Policies {
		policies[[2]string{p.Role, p.Scope}] = p
	}
	found := map[string]int{}
	for _, e := range d.Eligibilities {
		if !mine[e.Principal] {
			continue
		}
		found["all"]++
		p := policies[[2]string{e.Role, e.Scope}]
		for kind, has := range map[string]bool{
			"group":      e.Principal != ada,
			"never":      e.End.IsZero(),
			"soon":       !e.End.IsZero() && e.End.Before(start.Add(7*day)),
			"condition":  e.Condition != "",
			"none":       reflect.DeepEqual(p.Policy, none),
			"ticket":     p.Ticket,
			"mfa":        p.MFA,
			"context":    p.Context == "c1",
			"approval":   p.NeedsApproval(),
			"halfhour":   p.Maximum == 30*time.Minute,
			"unreadable": e.Scope == d.Unreadable[0],
			"company":    e.Scope == company,
			"production": e.Scope == production,
		} {
			if has {
				found[kind]++
			}
		}
	}
	if found["all"] < 30 {
		t.Errorf("Ada has %d eligibilities", found["all"])
	}
	for _, kind := range []string{
		"group", "never", "soon", "condition", "none", "ticket", "mfa", "context", "approval", "halfhour", "unreadable", "company", "production",
	} {
		if found[kind] == 0 {
			t.Errorf("nothing of kind %s", kind)
		}
	}
	standing := 0
	for _, a := range d.Assignments {
		if a.Principal == ada {
			standing++
		}
	}
	if standing != 2 {
		t.Errorf("Ada has %d standing assignments", standing)
	}
	for _, r := range d.Roles {
		if r.ID == longName && len(r.Name) != 120 {
			t.Errorf("the long name has %d characters", len(r.Name))
		}
	}
}
