package signin

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"

	"roletray/pim"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestSentences has the error of each kind of answer in a golden file: what a
// program sees, and the sentence for the person.
func TestSentences(t *testing.T) {
	refused := []refusal{
		{Name: "access_denied"},
		{Name: "interaction_required"},
		{Name: "temporarily_unavailable"},
		{Name: "something_new"},
		{Name: "<b>odd</b>"},
	}
	for _, code := range []int{
		65001, 90094, 65002, 65004, 700016, 7000218, 50011, 50105, 53000, 53001, 53003, 50057, 50020, 90002,
		50076, 50079, 50173, 70008, 700082, 123456,
	} {
		refused = append(refused, refusal{Name: "invalid_grant", Codes: []int{code}})
	}
	refused = append(refused,
		refusal{Name: "access_denied", Description: "AADSTS90094: An administrator of <tenant> must consent"},
		refusal{Name: "invalid_grant", Description: "AADSTS999999: x", Codes: []int{999999, 53000}},
	)
	var b strings.Builder
	line := func(what string, err error) {
		fmt.Fprintf(&b, "%s\n  %v\n  %s\n", what, err, pim.Explain(err).Text)
	}
	for _, r := range refused {
		line(fmt.Sprintf("%s %v %s", r.Name, r.Codes, r.Description), r.err())
	}
	for _, err := range []error{
		context.Canceled,
		context.DeadlineExceeded,
		&url.Error{Op: "Post", URL: "https://login.example/token?code=1", Err: errors.New("connection refused")},
		msal.InvalidJsonErr{Err: errors.New(`raw message was: {"access_token":"eyJ0"`)},
		errors.New("TenantDiscoveryResponse: eyJ0"),
	} {
		line(fmt.Sprintf("%T", err), msalError(err))
	}
	got := b.String()
	golden := filepath.Join("testdata", "sentences.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s; run with -update and look at the difference:\n%s", golden, got)
	}
	if strings.Contains(got, "eyJ0") || strings.Contains(got, "code=1") {
		t.Error("the text of an answer shows")
	}
}
