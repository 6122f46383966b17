package graph

import (
	"context"
	"net/url"
	"strings"
	"time"

	"roletray/pim"
)

const (
	// nameAge is how long a name is believed, and missingAge how long it is that
	// there is none to be had.
	nameAge    = time.Hour
	missingAge = 5 * time.Minute
	// namesPerFilter is how many groups or people one filter asks for. Fifteen is the
	// most that Graph takes in one list of an in.
	namesPerFilter = 15
)

// The ids of names are an object's id with what it is before it, since each sort
// of object is asked for differently.
const (
	groupName = "group:"
	userName  = "user:"
	appName   = "app:"
	// tenantName is the id of the organisation's name; there is one organisation.
	tenantName = "tenant:"
	unitName   = "unit:"
	objectName = "object:"
)

// namesOf returns what has a display name, by its id. What has none, such as for
// lack of a permission, is left out.
func (c *Client) namesOf(ctx context.Context, ids []string) map[string]named {
	got, _ := c.names.load(ctx, ids, nil) // An ended ctx leaves names out too.
	names := map[string]named{}
	for id, n := range got {
		if n.value.DisplayName != "" {
			names[id] = n.value
		}
	}
	return names
}

// namesIn are the names that one item of a batch asks for.
type namesIn struct {
	item
	ids []string
	// single says that the answer is one object and no list, and sole that all of it is
	// about the only id.
	single, sole bool
}

type named struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	// RoleAssignable says of a group that it can hold directory roles.
	RoleAssignable bool `json:"isAssignableToRole"`
}

// nameRow is an object with a name, or a row that has the scope with the name.
type nameRow struct {
	named
	AppScopeID string `json:"appScopeId"`
	AppScope   *named `json:"appScope"`
}

func (c *Client) readNames(ctx context.Context, ids []string) map[string]loaded[named] {
	asked := nameReads(ids)
	items := make([]item, len(asked))
	for i, a := range asked {
		items[i] = a.item
	}
	got := map[string]loaded[named]{}
	now := c.now()
	for i, answer := range c.batch(ctx, items) {
		found, err := c.readNamed(ctx, answer, asked[i])
		for _, id := range asked[i].ids {
			_, object, _ := strings.Cut(id, ":")
			switch n := found[strings.ToLower(object)]; {
			case n.DisplayName != "":
				got[id] = loaded[named]{value: n, until: now.Add(nameAge)}
			case got[id].value.DisplayName != "": // Another read has brought it.
			case err == nil || refused(err):
				got[id] = loaded[named]{until: now.Add(missingAge)}
			}
		}
	}
	return got
}

// nameReads are the reads that bring the names: groups and people by the filter's
// fill, administrative units one by one, all other objects at once. People are not
// among those, since to read objects of any kind takes more than to read people.
func nameReads(ids []string) []namesIn {
	var groups, users, objects namesIn
	var reads []namesIn
	flush := func(n *namesIn, collection, properties string) {
		if len(n.ids) > 0 {
			n.path = collection + query("$filter", "id in ("+strings.Join(bare(n.ids, quoted), ",")+")", "$select", properties)
			reads = append(reads, *n)
			*n = namesIn{}
		}
	}
	for _, id := range ids {
		kind, object, _ := strings.Cut(id, ":")
		switch kind + ":" {
		case groupName:
			if groups.ids = append(groups.ids, id); len(groups.ids) == namesPerFilter {
				flush(&groups, "/groups", "id,displayName,isAssignableToRole")
			}
		case userName:
			if users.ids = append(users.ids, id); len(users.ids) == namesPerFilter {
				flush(&users, "/users", "id,displayName")
			}
		case unitName:
			path := "/directory/administrativeUnits/" + url.PathEscape(object) + query("$select", "id,displayName")
			reads = append(reads, namesIn{item: item{path: path}, ids: []string{id}, single: true})
		case tenantName:
			// Source: Microsoft's page "List organization", of which User.Read reads as much as this.
			path := "/organization" + query("$select", "id,displayName")
			reads = append(reads, namesIn{item: item{path: path}, ids: []string{id}, sole: true})
		case appName:
			// Such a scope has no address. It comes with the rows that are at it, where it
			// is not refused, which must not cost the list.
			for _, collection := range []string{directoryEligible, directoryActive} {
				path := collection + currentUser + query("$filter", "appScopeId eq "+quoted(object), "$expand", "appScope")
				reads = append(reads, namesIn{item: item{path: path}, ids: []string{id}})
			}
		default:
			objects.ids = append(objects.ids, id)
		}
	}
	flush(&groups, "/groups", "id,displayName,isAssignableToRole")
	flush(&users, "/users", "id,displayName")
	if len(objects.ids) > 0 {
		objects.path = "/directoryObjects/getByIds"
		objects.body = map[string]any{"ids": bare(objects.ids, func(s string) string { return s })}
		reads = append(reads, objects)
	}
	return reads
}

func bare(ids []string, as func(string) string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		_, object, _ := strings.Cut(id, ":")
		out[i] = as(object)
	}
	return out
}

// readNamed reads an answer, by the ids of the objects in lower case.
func (c *Client) readNamed(ctx context.Context, a answer, in namesIn) (map[string]named, error) {
	var found []nameRow
	err := a.err
	switch {
	case err != nil:
	case in.single:
		var n nameRow
		n, err = one[nameRow](a.body)
		found = append(found, n)
	default:
		found, err = listed[nameRow](ctx, c, a)
	}
	names := map[string]named{}
	for _, row := range found {
		n := row.named
		if row.AppScope != nil {
			n = named{ID: row.AppScopeID, DisplayName: row.AppScope.DisplayName}
		}
		if in.sole {
			n.ID = ""
		}
		n.DisplayName = pim.CleanText(n.DisplayName, maxName)
		names[strings.ToLower(n.ID)] = n
	}
	return names, err
}

// refused says that the service has judged the call and turned it down, so that
// asking the same way again will not help.
func refused(err error) bool {
	switch pim.CodeOf(err) {
	case pim.CodeRejected, pim.CodeForbidden, pim.CodeNotFound, pim.CodeConsent, pim.CodeLicence:
		return true
	}
	return false
}
