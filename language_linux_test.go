package main

import (
	"testing"

	"roletray/assets/translations"
)

func TestLanguages(t *testing.T) {
	for _, tt := range []struct {
		language, all, messages, lang string
		quit                          string
	}{
		{quit: "Quit"},
		{lang: "de_DE.UTF-8", quit: "Beenden"},
		{lang: "en_US.UTF-8", messages: "de_AT.UTF-8", quit: "Beenden"},
		{lang: "de_DE.UTF-8", messages: "de_DE.UTF-8", all: "en_GB.UTF-8", quit: "Quit"},
		{lang: "en_US.UTF-8", language: "fr:de:en", quit: "Beenden"},
		{lang: "C", language: "de", quit: "Quit"},
		{lang: "C.UTF-8", quit: "Quit"},
	} {
		t.Setenv("LANGUAGE", tt.language)
		t.Setenv("LC_ALL", tt.all)
		t.Setenv("LC_MESSAGES", tt.messages)
		t.Setenv("LANG", tt.lang)
		words, err := translations.For(languages()...)
		if err != nil {
			t.Fatal(err)
		}
		if got := words.Say("tray.quit"); got != tt.quit {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}
