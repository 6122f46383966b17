package pim

// Account is one person at one tenant of one cloud, known by HomeID. It holds
// no secret.
type Account struct {
	// ID identifies the account in files, keychain items and the local API. It
	// is safe in a file name.
	ID string `json:"id"`
	// HomeID is the identity library's own id of the account.
	HomeID string `json:"homeId,omitempty"`
	// UserID is the person's object id, claim oid, in lower case.
	UserID   string `json:"userId"`
	TenantID string `json:"tenantId"`
	// Username is the name used at sign-in, for display.
	Username string `json:"username"`
	// Name is the display name; it may be empty.
	Name string `json:"name,omitempty"`
	// Cloud is where the account lives.
	Cloud Cloud `json:"cloud"`
	// Method is how tokens are had.
	Method SignInMethod `json:"method"`
}

// SignInMethod is how an account gets its tokens.
type SignInMethod string

// The ways to sign in.
const (
	// SignInBrowser is authorization code with PKCE in the system browser.
	SignInBrowser SignInMethod = "browser"
	// SignInAzureCLI uses the session that the Azure CLI already has.
	SignInAzureCLI SignInMethod = "azure-cli"
)
