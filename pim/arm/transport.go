package arm

import (
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// filterKey is the context key of a filter for an operation whose client cannot
// send one.
type filterKey struct{}

func addFilter(req *policy.Request) (*http.Response, error) {
	if filter, ok := req.Raw().Context().Value(filterKey{}).(string); ok {
		query := req.Raw().URL.Query()
		query.Set("$filter", filter)
		req.Raw().URL.RawQuery = query.Encode()
	}
	return req.Next()
}

// accept folds the success codes of writes into the single one that the client
// accepts.
func accept(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err == nil && resp.StatusCode >= 200 && resp.StatusCode < 300 {
		switch req.Raw().Method {
		case http.MethodPut:
			resp.StatusCode = http.StatusCreated
		case http.MethodPost:
			resp.StatusCode = http.StatusOK
		}
	}
	return resp, err
}
