package azure

import (
	"strings"

	"roletray/pim/tenant/ledger"
)

// operation is what one kind of path can do.
type operation struct {
	versions []string
	// path are the segments after Microsoft.Authorization, in lower case; *
	// stands for a name.
	path    string
	methods map[string]func(c *call, names []string) error
}

var (
	pimVersions      = []string{"2020-10-01", "2020-10-01-preview", "2022-04-01-preview"}
	approvalVersions = []string{"2021-01-01-preview"}
	resourceVersions = []string{"2021-04-01"}
	listVersions     = []string{"2022-12-01", "2021-01-01", "2020-01-01", "2019-11-01", "2019-06-01", "2016-06-01"}
)

type methods = map[string]func(c *call, names []string) error

// operations are the paths after {scope}/providers/Microsoft.Authorization.
var operations = []operation{
	{pimVersions, "roleeligibilityscheduleinstances", methods{"GET": (*call).listEligibilityInstances}},
	{pimVersions, "roleeligibilityscheduleinstances/*", methods{"GET": (*call).getEligibilityInstance}},
	{pimVersions, "roleeligibilityschedules", methods{"GET": (*call).listEligibilitySchedules}},
	{pimVersions, "roleeligibilityschedules/*", methods{"GET": (*call).getEligibilitySchedule}},
	{pimVersions, "roleassignmentscheduleinstances", methods{"GET": (*call).listAssignmentInstances}},
	{pimVersions, "roleassignmentscheduleinstances/*", methods{"GET": (*call).getAssignmentInstance}},
	{pimVersions, "roleassignmentschedules", methods{"GET": (*call).listAssignmentSchedules}},
	{pimVersions, "roleassignmentschedules/*", methods{"GET": (*call).getAssignmentSchedule}},
	{pimVersions, "roleassignmentschedulerequests", methods{"GET": listRequests(ledger.OfAssignment)}},
	{pimVersions, "roleassignmentschedulerequests/*", methods{
		"GET": getRequest(ledger.OfAssignment), "PUT": putRequest(ledger.OfAssignment),
	}},
	{pimVersions, "roleassignmentschedulerequests/*/cancel", methods{"POST": cancelRequest(ledger.OfAssignment)}},
	{pimVersions, "roleassignmentschedulerequests/*/validate", methods{"POST": validateRequest(ledger.OfAssignment)}},
	{pimVersions, "roleeligibilityschedulerequests", methods{"GET": listRequests(ledger.OfEligibility)}},
	{pimVersions, "roleeligibilityschedulerequests/*", methods{
		"GET": getRequest(ledger.OfEligibility), "PUT": putRequest(ledger.OfEligibility),
	}},
	{pimVersions, "roleeligibilityschedulerequests/*/cancel", methods{"POST": cancelRequest(ledger.OfEligibility)}},
	{pimVersions, "roleeligibilityschedulerequests/*/validate", methods{"POST": validateRequest(ledger.OfEligibility)}},
	{pimVersions, "rolemanagementpolicyassignments", methods{"GET": (*call).listPolicyAssignments}},
	{pimVersions, "rolemanagementpolicyassignments/*", methods{
		"GET": (*call).getPolicyAssignment, "PUT": (*call).refusePolicyWrite, "DELETE": (*call).refusePolicyWrite,
	}},
	{pimVersions, "rolemanagementpolicies", methods{"GET": (*call).listPolicies}},
	{pimVersions, "rolemanagementpolicies/*", methods{
		"GET": (*call).getPolicy, "PATCH": (*call).refusePolicyWrite, "DELETE": (*call).refusePolicyWrite,
	}},
	{pimVersions, "eligiblechildresources", methods{"GET": (*call).listChildren}},
	{approvalVersions, "roleassignmentapprovals", methods{"GET": (*call).listApprovals}},
	{approvalVersions, "roleassignmentapprovals/*", methods{"GET": (*call).getApproval}},
	{approvalVersions, "roleassignmentapprovals/*/stages", methods{"GET": (*call).listStages}},
	{approvalVersions, "roleassignmentapprovals/*/stages/*", methods{
		"GET": (*call).getStage, "PATCH": (*call).decide, "PUT": (*call).decide,
	}},
}

// plain are the paths that are not about Microsoft.Authorization.
var plain = []operation{
	{listVersions, "subscriptions", methods{"GET": (*call).listSubscriptions}},
	{resourceVersions, "subscriptions/*/resourcegroups/*/resources", methods{"GET": (*call).listResources}},
}

func match(table []operation, rest []string) (*operation, []string) {
	for i := range table {
		want := strings.Split(table[i].path, "/")
		if len(want) != len(rest) {
			continue
		}
		var names []string
		ok := true
		for j, w := range want {
			if w == "*" {
				names = append(names, rest[j])
			} else if !is(w, rest[j]) {
				ok = false
				break
			}
		}
		if ok {
			return &table[i], names
		}
	}
	return nil, nil
}
