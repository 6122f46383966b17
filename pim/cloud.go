package pim

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Cloud is where one Microsoft cloud is reached: sign-in, Azure Resource
// Manager and Microsoft Graph. All URLs have no trailing slash. Source: Microsoft's
// lists of national cloud deployments for Graph and of ARM endpoints.
type Cloud struct {
	// Name is a short word for settings and command lines: public, usgov, dod,
	// china or custom.
	Name string `json:"name,omitempty"`
	// Authority is the sign-in host, without a tenant.
	Authority string `json:"authority"`
	// ARM is the Azure Resource Manager host.
	ARM string `json:"arm"`
	// Graph is the Microsoft Graph host, without a version.
	Graph string `json:"graph"`
	// TenantID is the tenant to sign in to, or empty for the account's own.
	TenantID string `json:"tenantId,omitempty"`
	// ClientID is the application that signs in, or empty for the public client
	// of Azure CLI, which needs no registration and serves ARM only.
	ClientID string `json:"clientId,omitempty"`
	// CAFile is a PEM file with the only authorities trusted for this cloud, or
	// empty for the system's.
	CAFile string `json:"caFile,omitempty"`
}

// Clouds returns Microsoft's clouds, the public one first.
func Clouds() []Cloud {
	return []Cloud{
		{Name: "public", Authority: "https://login.microsoftonline.com", ARM: "https://management.azure.com", Graph: "https://graph.microsoft.com"},
		{Name: "usgov", Authority: "https://login.microsoftonline.us", ARM: "https://management.usgovcloudapi.net", Graph: "https://graph.microsoft.us"},
		{Name: "dod", Authority: "https://login.microsoftonline.us", ARM: "https://management.usgovcloudapi.net", Graph: "https://dod-graph.microsoft.us"},
		{Name: "china", Authority: "https://login.chinacloudapi.cn", ARM: "https://management.chinacloudapi.cn", Graph: "https://microsoftgraph.chinacloudapi.cn"},
	}
}

// CloudNamed returns the Microsoft cloud of that name, without regard to case.
func CloudNamed(name string) (Cloud, bool) {
	for _, c := range Clouds() {
		if strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	return Cloud{}, false
}

// ParseCloud reads a custom cloud from JSON with the members authority, arm and
// graph (required) and tenantId, clientId and caFile. Unknown members are
// ignored, so that the line a simulated tenant prints can be used as it is. The
// error is one sentence that names the member at fault.
func ParseCloud(data []byte) (Cloud, error) {
	var c Cloud
	if err := json.Unmarshal(data, &c); err != nil {
		return Cloud{}, fmt.Errorf("the cloud file is not valid JSON: %w", err)
	}
	c.Name = "custom"
	for _, e := range []struct {
		name string
		url  *string
	}{{"authority", &c.Authority}, {"arm", &c.ARM}, {"graph", &c.Graph}} {
		*e.url = strings.TrimRight(strings.TrimSpace(*e.url), "/")
		if err := checkEndpoint(*e.url); err != nil {
			return Cloud{}, fmt.Errorf("the cloud file's %q %w", e.name, err)
		}
	}
	return c, nil
}

func checkEndpoint(s string) error {
	if s == "" {
		return fmt.Errorf("is missing")
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
		return fmt.Errorf("must be a plain https address such as https://login.microsoftonline.com")
	}
	if u.Scheme != "https" {
		return fmt.Errorf("must use https")
	}
	return nil
}

// Loopback says whether every host of the cloud is on this computer, as those of
// a simulated tenant are.
func (c Cloud) Loopback() bool {
	for _, s := range []string{c.Authority, c.ARM, c.Graph} {
		u, err := url.Parse(s)
		if err != nil {
			return false
		}
		if u.Hostname() == "localhost" {
			continue
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err != nil || !ip.IsLoopback() {
			return false
		}
	}
	return true
}

// Audience is a service that tokens are issued for.
type Audience string

// The two services that a token can be for.
const (
	AudienceARM   Audience = "arm"
	AudienceGraph Audience = "graph"
)

// Endpoint is the base URL of the service.
func (c Cloud) Endpoint(a Audience) string {
	if a == AudienceGraph {
		return c.Graph
	}
	return c.ARM
}

// AudienceOf returns the service that u belongs to: the only one whose token may
// be attached to a request for u. Scheme, host and port must all be the
// service's own. It is false for every other URL.
func (c Cloud) AudienceOf(u *url.URL) (Audience, bool) {
	for _, a := range []Audience{AudienceARM, AudienceGraph} {
		e, err := url.Parse(c.Endpoint(a))
		if err == nil && e.Host != "" && strings.EqualFold(u.Scheme, e.Scheme) && strings.EqualFold(u.Host, e.Host) && u.User == nil {
			return a, true
		}
	}
	return "", false
}
