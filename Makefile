# One flag set for all builds: another one compiles every dependency again.
export CGO_ENABLED = 0

# Packages whose goroutines are worth the race detector's price.
RACE = ./core/event ./core/op/... ./core/feed ./planes/... ./intersplit/... ./agent ./rpc ./mcp ./cmd/internal/attach

.PHONY: test build cross vet check unit race proof docs bench

# Everything: what CI runs.
test: build cross vet check unit race

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
	! grep -rnE 't\.Skip' --include='*_test.go' .

unit:
	go test -count=1 -timeout 20m ./...

race:
	CGO_ENABLED=1 go test -count=1 -timeout 20m -race -short $(RACE)

# The long forms of the tests that show what is claimed, a figure for each.
proof:
	INTERCOM_PROOF=1 go test -count=1 -timeout 2h -v -run '^TestProof' ./...

# Write the generated parts of README.md and SKILL.md again.
docs:
	go test ./cmd/internal/docs -update

bench:
	go test -run '^$$' -bench . -benchtime 1s ./...
