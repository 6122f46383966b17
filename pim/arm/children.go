package arm

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"roletray/pim"
	"roletray/pim/wire"
)

// resourcesVersion is the api-version of the list of a resource group's resources.
const resourcesVersion = "2021-04-01"

// Children lists the scopes one level below s at which a role of s can be activated:
// management groups and subscriptions, then resource groups, then resources. Below
// a resource there is nothing.
//
// The resources of a group are a list for whoever can read the group. That an
// eligible person often cannot is no error: they see none.
func (p *Provider) Children(ctx context.Context, s pim.Scope) ([]pim.Scope, error) {
	path, err := scopePath(s.ID)
	if err != nil {
		return nil, fmt.Errorf("list the scopes below a scope: %w", err)
	}
	var found []*armauthorization.EligibleChildResource
	switch kind := scopeType(s.ID); {
	case kind == pim.ScopeResourceGroup:
		if found, err = p.resources(ctx, path); pim.CodeOf(err) == pim.CodeForbidden {
			return nil, nil
		}
	case path == root, kind == pim.ScopeManagementGroup, kind == pim.ScopeSubscription:
		found, err = rows(ctx, p, p.children.NewGetPager(path, nil), func(r *armauthorization.EligibleChildResourcesClientGetResponse) ([]*armauthorization.EligibleChildResource, *string) {
			return r.Value, r.NextLink
		})
	}
	if err != nil {
		return nil, fmt.Errorf("list the scopes below a scope: %w", err)
	}
	var list []pim.Scope
	seen := map[string]bool{scopeKey(s.ID): true}
	for _, row := range found {
		child, ok := childScope(row)
		if key := scopeKey(child.ID); ok && !seen[key] {
			seen[key] = true
			list = append(list, child)
		}
	}
	slices.SortFunc(list, func(a, b pim.Scope) int {
		return cmp.Or(
			cmp.Compare(strings.ToLower(a.Label()), strings.ToLower(b.Label())),
			cmp.Compare(scopeKey(a.ID), scopeKey(b.ID)),
		)
	})
	return list, nil
}

// resources lists those of a resource group, with Resource Manager's ordinary call.
func (p *Provider) resources(ctx context.Context, path string) ([]*armauthorization.EligibleChildResource, error) {
	// The two lists have the members in common that count here.
	type page = armauthorization.EligibleChildResourcesListResult
	pager := runtime.NewPager(runtime.PagingHandler[page]{
		More: func(last page) bool { return deref(last.NextLink) != "" },
		Fetcher: func(ctx context.Context, last *page) (page, error) {
			var answer page
			resp, err := runtime.FetcherForNextLink(ctx, p.plain.Pipeline(), deref(deref(last).NextLink), func(ctx context.Context) (*policy.Request, error) {
				return p.newRequest(ctx, http.MethodGet, path+"/resources", resourcesVersion)
			}, nil)
			if err == nil {
				err = runtime.UnmarshalAsJSON(resp, &answer)
			}
			return answer, err
		},
	})
	return rows(ctx, p, pager, func(r *page) ([]*armauthorization.EligibleChildResource, *string) { return r.Value, r.NextLink })
}

// childScope is false for a row that cannot be told apart from others.
func childScope(row *armauthorization.EligibleChildResource) (pim.Scope, bool) {
	if row == nil {
		return pim.Scope{}, false
	}
	s := pim.Scope{ID: deref(row.ID), Name: text(row.Name, maxName), Type: scopeType(deref(row.ID))}
	if s.Type == "" {
		s.Type = parseScopeType(text(row.Type, maxName))
	}
	s.Type = pim.ScopeType(pim.CleanText(string(s.Type), maxName))
	return s, wire.PlainID(s.ID)
}

// newRequest begins a request to a path of the service.
func (p *Provider) newRequest(ctx context.Context, method, path, version string) (*policy.Request, error) {
	req, err := runtime.NewRequest(ctx, method, runtime.JoinPaths(p.plain.Endpoint(), path))
	if err != nil {
		return nil, err
	}
	query := req.Raw().URL.Query()
	query.Set("api-version", version)
	req.Raw().URL.RawQuery = query.Encode()
	req.Raw().Header.Set("Accept", "application/json")
	return req, nil
}
