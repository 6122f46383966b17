package cli_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same clocks on every computer

	"roletray/app/cli"
)

// A start that no clock shows is refused, and of one that the clocks show twice the first is meant.
func TestStartWhenTheClocksChange(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	agent := newScripted()
	profile := serve(t, agent)
	carryOut := func(line string) (int, string) {
		var out bytes.Buffer
		code := cli.Run(t.Context(), cli.Params{Version: "1.2.3", Stdout: &out, Stderr: &out, Location: berlin}, append(split(line), "--profile", profile))
		return code, out.String()
	}
	for _, line := range []string{
		`activate owner --reason x --start "2027-03-28 2:30"`,
		`extend owner --reason x --until "2027-03-28 2:30"`,
	} {
		soon(agent)
		if code, said := carryOut(line); code != 2 || !strings.Contains(said, `"2027-03-28 2:30" is a time that the clocks skip`) {
			t.Errorf("%s: exit code %d, %s", line, code, said)
		}
	}
	agent.state.Accounts[0].Eligible[0].End = time.Time{}
	if code, said := carryOut(`activate owner --reason x --no-wait --start "2027-10-31 2:30"`); code != 0 || len(agent.wishes) != 1 || !agent.wishes[0].Start.Equal(time.Date(2027, 10, 31, 0, 30, 0, 0, time.UTC)) {
		t.Errorf("exit code %d, %s; asked for %+v", code, said, agent.wishes)
	}
}
