# One flag set for all builds: another one compiles every dependency again.
export CGO_ENABLED = 0

# Packages whose goroutines are worth the race detector's price.
RACE = ./core/event ./core/op/... ./core/feed ./planes/... ./intersplit/... ./agent/... ./rpc ./mcp ./cmd/internal/attach ./core/merkle ./core/bft ./core/ondemand

.PHONY: test tools build cross vet check unit race docs proof bench

# Everything: what CI runs.
test: tools build cross vet check unit race

# The accounting programs whose checkers the tests hold exports against, and the
# browser that they open the web page in.
tools:
	@command -v hledger >/dev/null && command -v bean-check >/dev/null && command -v chromium >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -q && \
		apt-get install -y -q --no-install-recommends hledger beancount chromium fonts-dejavu-core; } || { \
		echo "the tests need hledger, beancount and chromium: apt-get install hledger beancount chromium" >&2; exit 1; }

build:
	go build ./...

# The other systems that a release is for.
cross:
	GOOS=windows GOARCH=amd64 go build ./...
	GOOS=darwin GOARCH=arm64 go build ./...

vet:
	go vet ./...

# Static checks; no test may be skipped.
check:
	test -z "$$(gofmt -l .)"
	go tool staticcheck ./...
	! grep -rnE '\bt\.Skip(f|Now)?\(' --include='*_test.go' .

unit:
	go test -count=1 -timeout 20m ./...

# One processor per test binary: on two, the detector itself crashes now and then
# at timers of testing/synctest (golang/go#78156). It loses little: it judges by
# what happens before what, not by what ran side by side.
race:
	CGO_ENABLED=1 go test -count=1 -timeout 20m -race -short -cpu 1 $(RACE)

# Write the generated parts of README.md and SKILL.md again.
docs:
	go test ./cmd/internal/docs -update

# The long forms of what the tests show in short: a figure per claim.
proof:
	INTERCOM_PROOF=1 go test -count=1 -timeout 120m -v -run '^TestProof' ./...
	go test -run '^$$' -bench BenchmarkRecord -benchtime 2s ./intersplit

bench:
	go test -run '^$$' -bench . -benchtime 1s ./...
