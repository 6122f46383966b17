package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"roletray/pim"
)

// table prints rows in columns as wide as they need.
func table(w io.Writer, rows [][]string) error {
	var text strings.Builder
	tw := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(tw, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		// An empty last cell leaves blanks.
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// owners are the user names of accounts by id, for a column of a table. Where there is one
// account there is no such column.
type owners map[string]string

func ownersOf(snaps []*pim.Snapshot) owners {
	o := owners{}
	for _, s := range snaps {
		o[s.Account.ID] = name(s.Account.Username)
	}
	return o
}

func (o owners) header(cells ...string) []string {
	if len(o) > 1 {
		cells = append(cells, "ACCOUNT")
	}
	return cells
}

func (o owners) row(account string, cells ...string) []string {
	if len(o) > 1 {
		cells = append(cells, o[account])
	}
	return cells
}

// short keeps one long name from widening a whole column.
func short(s string) string { return pim.CleanText(s, 50) }

// kindName says a kind of role as PIM does.
func kindName(k pim.Kind) string {
	switch k {
	case pim.KindAzure:
		return "Azure role"
	case pim.KindDirectory:
		return "Entra role"
	case pim.KindGroup:
		return "Group"
	}
	return name(string(k))
}
