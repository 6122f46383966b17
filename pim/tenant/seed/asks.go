package seed

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"roletray/pim/tenant/ledger"
)

// Ask is a request that somebody has made by the time the tenant is tried out.
type Ask struct {
	// Azure requests go to Azure Resource Manager, the others to Microsoft Graph.
	Azure      bool
	Submission ledger.Submission
}

// Asks are the requests of other people that wait for the first user of the demo:
// one of each kind of role. They are not part of the seed, which starts without a request.
func Asks() []Ask {
	ask := func(azure bool, who, role, scope, access string, lasts time.Duration, why string) Ask {
		return Ask{Azure: azure, Submission: ledger.Submission{
			ID: uuid.NewString(), Family: ledger.OfAssignment, Action: ledger.SelfActivate,
			Target:    ledger.Target{Role: strings.ToLower(role), Scope: strings.ToLower(scope), Access: access},
			Principal: who, Schedule: ledger.Schedule{Expiration: ledger.AfterDuration, Duration: lasts},
			Justification: why,
		}}
	}
	return []Ask{
		ask(true, chidi, websiteContrib, portal, "", time.Hour, "INC-4720: the order page shows an old price list"),
		ask(false, chidi, teamsAdministrator, "/", "", 2*time.Hour, "Set up the channel for the depot move"),
		ask(false, emil, depotManagers, "/", "owner", 4*time.Hour, "Add the two new night shift leads"),
	}
}
