package graph_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
	"roletray/pim/graph"
)

var update = flag.Bool("update", false, "write what is generated into docs/app-registration.md")

// The applications that permissions are of, by Microsoft's ids for them.
const (
	graphApp = "00000003-0000-0000-c000-000000000000"
	armApp   = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
)

func armPermission() graph.Permission {
	return graph.Permission{
		Name: "user_impersonation", ID: "41094075-9dad-400e-a0bd-54e686782033", Kind: pim.KindAzure,
		Why: "Does with Azure roles what the person may do with them. It is a permission of Azure Service Management, not of Microsoft Graph.",
	}
}

func table(list []graph.Permission) string {
	var b strings.Builder
	b.WriteString("| Permission | Id | For | Why |\n| --- | --- | --- | --- |\n")
	for _, p := range list {
		kind := map[pim.Kind]string{pim.KindAzure: "Azure roles", pim.KindDirectory: "Entra roles", pim.KindGroup: "Groups", "": "All"}[p.Kind]
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", p.Name, p.ID, kind, p.Why)
	}
	return b.String()
}

type access struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

type resourceAccess struct {
	App  string   `json:"resourceAppId"`
	List []access `json:"resourceAccess"`
}

func azureCLI() string {
	ofGraph := resourceAccess{App: graphApp}
	for _, p := range graph.Scopes() {
		ofGraph.List = append(ofGraph.List, access{p.ID, "Scope"})
	}
	all := []resourceAccess{ofGraph, {armApp, []access{{armPermission().ID, "Scope"}}}}
	permissions, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		panic(err)
	}
	return "```sh\ncat > permissions.json <<'END'\n" + string(permissions) + `
END
app=$(az ad app create --display-name Roletray --sign-in-audience AzureADMyOrg \
  --public-client-redirect-uris http://localhost \
  --required-resource-accesses @permissions.json --query appId --output tsv)
az ad sp create --id "$app" --output none
az ad app permission admin-consent --id "$app"
echo "client id: $app"
echo "tenant id: $(az account show --query tenantId --output tsv)"
` + "```\n"
}

func bicep() string {
	var ids, names strings.Builder
	for _, p := range graph.Scopes() {
		fmt.Fprintf(&ids, "        { id: '%s', type: 'Scope' } // %s\n", p.ID, p.Name)
		fmt.Fprintf(&names, "    '%s'\n", p.Name)
	}
	return "```bicep\n" + `extension 'br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0'

targetScope = 'subscription'

@description('Also grants the permissions to the whole organisation.')
param consent bool = false

var graphAppId = '` + graphApp + `'
var armAppId = '` + armApp + `'

resource app 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: 'roletray'
  displayName: 'Roletray'
  signInAudience: 'AzureADMyOrg'
  publicClient: {
    redirectUris: [
      'http://localhost'
    ]
  }
  requiredResourceAccess: [
    {
      resourceAppId: graphAppId
      resourceAccess: [
` + ids.String() + `      ]
    }
    {
      resourceAppId: armAppId
      resourceAccess: [
        { id: '` + armPermission().ID + `', type: 'Scope' } // ` + armPermission().Name + `
      ]
    }
  ]
}

resource principal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: app.appId
}

resource graphPrincipal 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: graphAppId
}

resource armPrincipal 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: armAppId
}

resource graphGrant 'Microsoft.Graph/oauth2PermissionGrants@v1.0' = if (consent) {
  clientId: principal.id
  consentType: 'AllPrincipals'
  resourceId: graphPrincipal.id
  scope: join([
` + names.String() + `  ], ' ')
}

resource armGrant 'Microsoft.Graph/oauth2PermissionGrants@v1.0' = if (consent) {
  clientId: principal.id
  consentType: 'AllPrincipals'
  resourceId: armPrincipal.id
  scope: '` + armPermission().Name + `'
}

output clientId string = app.appId
output tenantId string = tenant().tenantId
` + "```\n"
}

func consentAddress(t *testing.T) string {
	t.Helper()
	cloud, ok := pim.CloudNamed("public")
	if !ok {
		t.Fatal("there is no public cloud")
	}
	var names []string
	for _, p := range graph.Scopes() {
		names = append(names, p.Name)
	}
	address := graph.ConsentURL(cloud, "CLIENT-ID", "TENANT-ID", names)
	if u, err := url.Parse(address); err != nil || len(strings.Fields(u.Query().Get("scope"))) != len(names) {
		t.Fatalf("%q: %v", address, err)
	}
	return "```\n" + address + "\n```\n"
}

// The document has every permission that the program uses, and no other.
func TestRegistrationDocumentIsCurrent(t *testing.T) {
	const name = "../../docs/app-registration.md"
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := string(data)
	for _, part := range []struct{ name, text string }{
		{"base set", table(append(graph.Scopes(), armPermission()))},
		{"later set", table(graph.LaterScopes())},
		{"azure cli", azureCLI()},
		{"bicep", bicep()},
		{"consent", consentAddress(t)},
	} {
		before, rest, found := strings.Cut(want, "<!-- "+part.name+" -->\n")
		_, after, ended := strings.Cut(rest, "<!-- end -->\n")
		if !found || !ended {
			t.Fatalf("%s has no part %q", name, part.name)
		}
		want = before + "<!-- " + part.name + " -->\n" + part.text + "<!-- end -->\n" + after
	}
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("%s differs from graph.Scopes and graph.LaterScopes; run go test ./pim/graph -update:\n%s", name, diff)
	}
}
