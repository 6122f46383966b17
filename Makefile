# "make help" lists the targets.

export GOTOOLCHAIN = local

# Looked up when a recipe runs, since deps may just have installed it.
ifeq ($(origin CC),default)
CC = $(shell command -v clang || command -v gcc)
endif
export CC

LDFLAGS := -s -w
ifeq ($(OS),Windows_NT)
EXE := .exe
endif

# The tray on macOS is Cocoa's.
AGENT_CGO := 0
ifeq ($(shell uname -s),Darwin)
AGENT_CGO := 1
endif

.DEFAULT_GOAL := help
.PHONY: help run test build lint unit walls window-test e2e bench screenshots fuzz cross deps deps-build clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: deps-run build ## build, and start the demo (on a virtual display where there is none)
	@if [ "$(HEADLESS)" = yes ]; then \
		scripts/desktop-session --log build/session-demo -- scripts/show-demo build/roletray build/screenshots; \
	else \
		build/roletray$(EXE) --demo; \
	fi

test: deps ## every check and every test
	scripts/test

build: deps-build ## build/roletray (tray and command line) and build/roletray-window
	CGO_ENABLED=$(AGENT_CGO) go build -ldflags '$(LDFLAGS)' -tags nowindow -o build/roletray$(EXE) .
	CGO_ENABLED=1 go build -ldflags '$(LDFLAGS)' -tags migrated_fynedo -o build/roletray-window$(EXE) .

lint: deps ## vet, staticcheck, gofumpt, shellcheck
	scripts/test lint

unit: deps ## unit tests with the race detector
	scripts/test unit

walls: deps ## what may import what, and what the shipped program loads
	scripts/test walls

window-test: deps ## tests of the window
	scripts/test window

e2e: deps ## the built programs in a desktop session
	scripts/test e2e

bench: deps build ## idle cost, start, window and refresh, measured
	ROLETRAY_BUILD=$(CURDIR)/build scripts/desktop-session --log build/session-bench -- \
		go test -tags nowindow -run '^$$' -bench . -benchtime 1x -timeout 30m ./app/e2e
	go test -tags nowindow -run '^$$' -bench Refresh -benchtime 1x -timeout 10m ./pim/session

screenshots: deps build ## every screen, light and dark, to build/screenshots
	ROLETRAY_BUILD=$(CURDIR)/build ROLETRAY_SCREENSHOTS=$(CURDIR)/build/screenshots \
		scripts/desktop-session --notifier none --log build/session-screenshots -- \
		go test -count=1 -tags migrated_fynedo -run '^TestScreen(s|shots)$$' ./app/window/ui ./app/e2e
	@echo "The pictures are in build/screenshots: demo-* of the demo, the others of every state."

FUZZTIME ?= 10s
fuzz: ## each fuzz target for FUZZTIME
	scripts/fuzz $(FUZZTIME)

cross: ## check the types of every package as on Windows and macOS
	go run ./scripts/typecheck -os windows -arch amd64 -tags nowindow ./...
	go run ./scripts/typecheck -os windows -arch amd64 -tags migrated_fynedo ./...
	go run ./scripts/typecheck -os darwin -arch arm64 -tags nowindow ./...
	go run ./scripts/typecheck -os darwin -arch arm64 -tags migrated_fynedo ./...

# Without a display of its own, Linux needs the packages of the virtual one.
ifeq ($(shell uname -s)$(DISPLAY)$(WAYLAND_DISPLAY),Linux)
HEADLESS := yes
endif

.PHONY: deps-run
deps-run: $(if $(HEADLESS),deps,deps-build)

deps:
	@scripts/deps build desktop

deps-build:
	@scripts/deps build

clean: ## remove what was built
	rm -rf build
