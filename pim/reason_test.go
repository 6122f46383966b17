package pim

import "testing"

func TestWeakReason(t *testing.T) {
	for reason, weak := range map[string]bool{
		"":                            true,
		"  \t ":                       true,
		"test":                        true,
		"test.":                       true,
		"test Test TEST":              true,
		"...":                         true,
		"- -":                         true,
		"INC0012345":                  true,
		"fix login":                   false,
		"INC0012345: restart":         false,
		"障害対応":                        false,
		"障害障害":                        true,
		"แก้ไขระบบ":                   false,
		"Déploiement\u00a0production": false,
	} {
		if got := WeakReason(reason); got != weak {
			t.Errorf("WeakReason(%q) = %v", reason, got)
		}
	}
}
