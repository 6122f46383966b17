package arm

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"golang.org/x/sync/errgroup"

	"roletray/pim"
	"roletray/pim/wire"
)

// mine is the filter for what applies to the caller, directly or through a
// group. Without it an ordinary user is refused.
const mine = "asTarget()"

// maxPages is more than any real list has.
const maxPages = 1000

// rows reads a list to its end. Its pages come from pager; page gives a page's
// rows and the link to the next one.
func rows[T, R any](ctx context.Context, p *Provider, pager *runtime.Pager[T], page func(*T) (rows []R, next *string)) ([]R, error) {
	var all []R
	err := eachPage(ctx, p, pager, page, func(rows []R) bool {
		all = append(all, rows...)
		return true
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// eachPage reads a list page by page, to its end or until take returns false.
func eachPage[T, R any](ctx context.Context, p *Provider, pager *runtime.Pager[T], page func(*T) (rows []R, next *string), take func([]R) bool) error {
	seen := map[string]bool{}
	unfiltered := context.WithValue(ctx, filterKey{}, nil)
	for pager.More() {
		if len(seen) == maxPages {
			return unreadable("the list has more than %d pages", maxPages)
		}
		answer, err := pager.NextPage(ctx)
		if err != nil {
			return translate(err)
		}
		got, next := page(&answer)
		if got == nil {
			return unreadable("the answer holds no list")
		}
		if !take(got) || deref(next) == "" {
			break
		}
		// The pager follows what this pointer leads to.
		if *next, err = p.nextLink(*next); err != nil {
			return err
		}
		if seen[*next] {
			return unreadable("the list leads back to a page of its own")
		}
		seen[*next] = true
		ctx = unfiltered // The link has the filter in it.
	}
	return nil
}

// nextLink makes a link to a next page absolute and refuses one that leads away
// from the service, which would be asked with the person's token.
func (p *Provider) nextLink(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", unreadable("the link to the next page is not a URL")
	}
	u = p.endpoint.ResolveReference(u)
	if !strings.EqualFold(u.Scheme, p.endpoint.Scheme) || !strings.EqualFold(u.Host, p.endpoint.Host) || u.User != nil {
		return "", unreadable("the link to the next page leads to another host")
	}
	return u.String(), nil
}

func unreadable(format string, args ...any) error {
	return &pim.Error{Code: pim.CodeUnreadable, Err: fmt.Errorf(format, args...)}
}

// Eligible lists what the person may activate in the whole tenant with one call
// per page. A role that arrives more than once, as one of a management group
// does for every subscription below, stays once: the direct one before the one
// through a group before the inherited one, and of these the one that ends last.
func (p *Provider) Eligible(ctx context.Context) ([]pim.Eligibility, error) {
	return wire.Last(p.EligiblePages(ctx))
}

// EligiblePages is Eligible as its pages come: each time all that is known by
// then. An error ends it.
func (p *Provider) EligiblePages(ctx context.Context) iter.Seq2[[]pim.Eligibility, error] {
	return func(yield func([]pim.Eligibility, error) bool) {
		pager := p.eligible.NewListForScopePager(root, &armauthorization.RoleEligibilityScheduleInstancesClientListForScopeOptions{Filter: to.Ptr(mine)})
		var list []pim.Eligibility
		at := map[pim.Key]int{}
		err := eachPage(ctx, p, pager, func(r *armauthorization.RoleEligibilityScheduleInstancesClientListForScopeResponse) ([]*armauthorization.RoleEligibilityScheduleInstance, *string) {
			return r.Value, r.NextLink
		}, func(rows []*armauthorization.RoleEligibilityScheduleInstance) bool {
			for _, row := range rows {
				e, ok := eligibility(row)
				if !ok {
					continue
				}
				k := e.Role.Key()
				if i, known := at[k]; !known {
					at[k] = len(list)
					list = append(list, e)
				} else if better(e, list[i]) {
					list[i] = e
				}
			}
			return yield(slices.Clone(list), nil)
		})
		if err != nil {
			yield(nil, fmt.Errorf("list eligible Azure roles: %w", err))
		}
	}
}

func better(a, b pim.Eligibility) bool {
	if ra, rb := rank(a.Via), rank(b.Via); ra != rb {
		return ra < rb
	}
	return !b.End.IsZero() && (a.End.IsZero() || a.End.After(b.End))
}

func rank(v pim.Via) int {
	if i := slices.Index([]pim.Via{pim.ViaDirect, pim.ViaGroup, pim.ViaInherited}, v); i >= 0 {
		return i
	}
	return 3
}

// Requests lists what the person has asked for themselves, the newest first. The
// service documents two filters for that, and each has been seen to leave rows
// out, so both are asked; when they bring nothing, a third is. Prolongations of
// eligibilities are kept apart by the service and are always the requestor's own,
// so one filter finds them.
func (p *Provider) Requests(ctx context.Context) ([]pim.Request, error) {
	filters := []string{"asRequestor()", mine}
	found := make([][]*armauthorization.RoleAssignmentScheduleRequest, len(filters))
	failed := make([]error, len(filters))
	var prolongations []*armauthorization.RoleAssignmentScheduleRequest
	var noProlongations error
	var group errgroup.Group
	for i, filter := range filters {
		group.Go(func() error {
			found[i], failed[i] = p.requests.list(ctx, p, filter)
			return nil
		})
	}
	group.Go(func() error {
		prolongations, noProlongations = p.prolongations.list(ctx, p, filters[0])
		return nil
	})
	_ = group.Wait() // The goroutines keep their errors themselves.
	for i, err := range failed {
		// A filter that the service refuses is made up for by the other one.
		if err != nil && (!refused(err) || failed[1-i] != nil) {
			return nil, fmt.Errorf("list requests for Azure roles: %w", err)
		}
	}
	if noProlongations != nil && !refused(noProlongations) {
		return nil, fmt.Errorf("list requests for eligibility for Azure roles: %w", noProlongations)
	}
	list := p.own(p.requests, slices.Concat(found...))
	if len(list) == 0 {
		more, err := p.requests.list(ctx, p, "principalId eq "+p.userID)
		if err != nil && !refused(err) {
			return nil, fmt.Errorf("list requests for Azure roles: %w", err)
		}
		list = p.own(p.requests, more)
	}
	list = append(list, p.own(p.prolongations, prolongations)...)
	slices.SortStableFunc(list, func(a, b pim.Request) int { return b.Created.Compare(a.Created) })
	return list, nil
}

// own keeps what the person has asked for themselves, each id once.
func (p *Provider) own(c collection, all []*armauthorization.RoleAssignmentScheduleRequest) []pim.Request {
	var list []pim.Request
	seen := map[string]bool{}
	for _, row := range all {
		r, ok := request(row, c.ofEligibility())
		id := strings.ToLower(r.ID)
		if !ok || seen[id] || !strings.HasPrefix(string(r.Action), "self") || r.PrincipalID != "" && r.PrincipalID != p.userID {
			continue
		}
		seen[id] = true
		list = append(list, r)
	}
	return list
}

// refused says that the service has judged the call and turned it down, so that
// asking differently may help.
func refused(err error) bool {
	switch pim.CodeOf(err) {
	case pim.CodeRejected, pim.CodeForbidden, pim.CodeNotFound:
		return true
	}
	return false
}
