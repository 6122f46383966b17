package tenant_test

import (
	"testing"

	"roletray/pim/tenant"
	"roletray/pim/tenant/seed"
)

func TestAsksAreTakenIn(t *testing.T) {
	tn, err := tenant.Start(t.Context(), tenant.Options{Asks: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := tn.Close(); err != nil {
		t.Error(err)
	}
	if n := len(seed.Asks()); n != 3 {
		t.Errorf("%d asks, want one for each kind of role", n)
	}
}
