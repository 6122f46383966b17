package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/session"
)

// Where the settings may not be read, a refusal tells what is to be given, and that is known
// for a day, through restarts and reads that are refused again.
func TestRefusalTellsWhatIsToBeGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.policies[key("owner")] = pim.Policy{}
		f.onSend = func(_ context.Context, n int) (bool, error) {
			switch n {
			case 1:
				return false, &pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleJustification, pim.RuleTicketing}}
			case 2:
				return false, &pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleMFA}}
			}
			return true, nil
		}
		r := run(t, t.TempDir(), f)
		r.read()
		ask := func(w session.Wish) pim.Operation {
			w.Key, w.Duration = key("owner"), time.Hour
			ops, err := r.Activate(context.Background(), []session.Wish{w}, true)
			if err != nil {
				t.Fatal(err)
			}
			return ops[0]
		}
		if op := ask(session.Wish{}); code(op) != pim.CodePolicy {
			t.Fatalf("%+v", op)
		}
		for range 2 {
			p, err := r.Policy(context.Background(), key("owner"))
			if err != nil || p.Readable || !p.JustificationRequired || !p.TicketRequired || p.MFARequired || p.MaxDuration != 0 {
				t.Errorf("%+v, %v", p, err)
			}
			time.Sleep(time.Hour)
			r.stop()
			r = run(t, r.dir, f)
			r.read()
		}
		// What is sure to be refused is not sent.
		if op := ask(session.Wish{Justification: "because"}); code(op) != pim.CodePolicy || len(f.made("send")) != 1 {
			t.Errorf("%+v after %d sendings", op, len(f.made("send")))
		}
		// The person meets the third rule at once, and it is asked for first the next time.
		if op := ask(session.Wish{Justification: "because", Ticket: pim.Ticket{Number: "T-1"}}); op.State != pim.OperationDone {
			t.Errorf("%+v (%+v)", op, op.Problem)
		}
		if p, err := r.Policy(context.Background(), key("owner")); err != nil || !p.MFARequired || !p.TicketRequired {
			t.Errorf("%+v, %v", p, err)
		}
		time.Sleep(25 * time.Hour)
		if p, err := r.Policy(context.Background(), key("owner")); err != nil || p.TicketRequired || p.JustificationRequired || p.MFARequired || !p.Learnt.IsZero() {
			t.Errorf("a day later: %+v, %v", p, err)
		}
	})
}
