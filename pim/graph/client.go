package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/wire"
)

// Params are what a Client needs. The zero value of a field without a comment on
// its zero value is refused.
type Params struct {
	// UserID is the object id of the person whose roles these are: the claim oid
	// of their token. Every write names it as the principal.
	UserID string
	// Endpoint is the cloud's Microsoft Graph, without a version.
	Endpoint string
	// Options carry the transport and the policies that authorize requests. They
	// are copied.
	Options *policy.ClientOptions
	// Now is the clock, the same that pim.Write.At comes from; nil means time.Now.
	Now func() time.Time
	// Timeout bounds one exchange with the service, without the time that it takes
	// to get a token; zero means 30 seconds.
	Timeout time.Duration
}

// Client is one person's Microsoft Graph. Its providers share its pauses and
// names. It is safe for concurrent use.
type Client struct {
	userID   string
	endpoint *url.URL
	now      func() time.Time
	pipeline runtime.Pipeline
	gate     *wire.Gate
	// pause is how long a throttled part of a batch waits that was not told how long.
	pause time.Duration
	names *loader[named]

	directory *Directory
	groups    *Groups
}

// codes are what Graph's error codes mean.
var codes = wire.With(wire.Codes{
	// Graph chooses the ids of requests, so the one that exists is another.
	"roleassignmentrequestexists":         pim.CodePending,
	"roleassignmentschedulerequestexists": pim.CodePending,
	"authorization_requestdenied":         pim.CodeForbidden,
	"accessdenied":                        pim.CodeForbidden,
	"forbidden":                           pim.CodeForbidden,
	"request_resourcenotfound":            pim.CodeNotFound,
	"itemnotfound":                        pim.CodeNotFound,
	"activitylimitreached":                pim.CodeThrottled,
})

// New returns a Client. It sends nothing.
func New(p Params) (*Client, error) {
	if p.UserID == "" {
		return nil, errors.New("microsoft graph: the person's object id is missing")
	}
	endpoint, err := url.Parse(p.Endpoint)
	if err != nil || endpoint.Host == "" {
		return nil, fmt.Errorf("microsoft graph: %q is no endpoint", p.Endpoint)
	}
	if p.Options == nil {
		return nil, errors.New("microsoft graph: nothing authorizes requests")
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Timeout == 0 {
		p.Timeout = 30 * time.Second
	}
	options := *p.Options
	c := &Client{userID: strings.ToLower(p.UserID), endpoint: endpoint, now: p.Now, pause: options.Retry.RetryDelay}
	if c.pause <= 0 {
		c.pause = 2 * time.Second // As Microsoft's throttling guide has it.
	}
	options.PerCallPolicies = slices.Concat([]policy.Policy{wire.Naming("client-request-id")}, options.PerCallPolicies)
	c.gate = wire.Configure(&options, p.Now, p.Timeout)
	c.pipeline = runtime.NewPipeline("graph", "v1.0", runtime.PipelineOptions{}, &options)
	c.names = &loader[named]{now: p.Now, read: c.readNames}
	c.directory = newDirectory(c)
	c.groups = newGroups(c)
	return c, nil
}

// Directory is the provider of directory roles.
func (c *Client) Directory() *Directory { return c.directory }

// Groups is the provider of groups under PIM for Groups.
func (c *Client) Groups() *Groups { return c.groups }

// The versions of Graph. Approvals of directory roles are in beta only.
const (
	version1 = "/v1.0"
	beta     = "/beta"
)

// at is the whole URL of a path below a version.
func (c *Client) at(version, path string) string {
	return strings.TrimRight(c.endpoint.String(), "/") + version + path
}

// get reads what is at ref, a path below version 1.0 or a whole URL.
func (c *Client) get(ctx context.Context, ref string) ([]byte, error) {
	return c.send(ctx, http.MethodGet, ref, uuid.NewString(), nil)
}

// write sends a request that changes something and returns the answer. id names
// the call in the service's logs.
func (c *Client) write(ctx context.Context, ref, id string, body any) ([]byte, error) {
	return c.send(wire.Writing(ctx), http.MethodPost, ref, id, body)
}

// send returns the body of an answer that says success. Every error is a
// *pim.Error or one of the policies that authorize requests.
func (c *Client) send(ctx context.Context, method, ref, id string, body any) ([]byte, error) {
	if strings.HasPrefix(ref, "/") {
		ref = c.at(version1, ref)
	}
	req, err := runtime.NewRequest(ctx, method, ref)
	if err != nil {
		return nil, unreadable("make a request: %w", err)
	}
	req.Raw().Header.Set("Accept", "application/json")
	req.Raw().Header.Set("client-request-id", id)
	if body != nil {
		if err := runtime.MarshalAsJSON(req, body); err != nil {
			return nil, fmt.Errorf("make a request: %w", err)
		}
	}
	resp, err := c.pipeline.Do(req)
	if err != nil {
		return nil, codes.Translate(err)
	}
	data, err := runtime.Payload(resp)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, codes.Refusal(resp.StatusCode, resp.Header, data, c.now())
	}
	if err != nil {
		return nil, &pim.Error{Code: pim.CodeUnreadable, Err: err}
	}
	return data, nil
}

// query is a query string. Its values are escaped the way that OData has them,
// with %20 for a space.
func query(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pairs[i] + "=" + strings.ReplaceAll(url.QueryEscape(pairs[i+1]), "+", "%20"))
	}
	if b.Len() == 0 {
		return ""
	}
	return "?" + b.String()
}

// quoted is a string as a filter has it.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func unreadable(format string, args ...any) error {
	return &pim.Error{Code: pim.CodeUnreadable, Err: fmt.Errorf(format, args...)}
}

// decode reads a JSON answer.
func decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return unreadable("read the answer: %w", err)
	}
	return nil
}
