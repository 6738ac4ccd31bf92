#!/usr/bin/env bash
# Installs what the tests need, starts a PostgreSQL of its own, and runs all
# checks and tests. Usage: ./test.sh [arguments for go test]
set -euo pipefail
cd "$(dirname "$0")"

packages=(postgresql-15 chromium fonts-noto-core tesseract-ocr tesseract-ocr-ara tesseract-ocr-fra poppler-utils libxml2-utils softhsm2)
binaries=(/usr/lib/postgresql/15/bin/initdb /usr/bin/chromium /usr/bin/tesseract /usr/bin/pdftoppm /usr/bin/xmllint /usr/bin/softhsm2-util
	/usr/share/tesseract-ocr/5/tessdata/ara.traineddata /usr/share/tesseract-ocr/5/tessdata/fra.traineddata)

say() { printf '\n== %s\n' "$*"; }

install_packages() {
	local missing=0 b
	for b in "${binaries[@]}"; do [ -e "$b" ] || missing=1; done
	[ -n "$(fc-list 'Noto Sans Tifinagh' 2>/dev/null)" ] || missing=1
	[ "$missing" = 1 ] || return 0
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		say "installing ${packages[*]}"
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" fontconfig >/dev/null
	else
		echo "The tests need some packages. Run:  sudo apt-get install -y ${packages[*]} fontconfig" >&2
		exit 1
	fi
}

# fits says that a folder in memory takes all that the tests write, beside what they
# need to run, and lets them start programs from it.
fits() {
	local free available probe
	free=$(df --output=avail -k "$1" 2>/dev/null | tail -1)
	available=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo 2>/dev/null)
	[ "${free:-0}" -gt 6000000 ] && [ "${available:-0}" -gt 10000000 ] || return 1
	probe=$(mktemp -p "$1" 2>/dev/null) || return 1
	cp /bin/true "$probe" && chmod 700 "$probe" && "$probe" 2>/dev/null
	local fine=$?
	rm -f "$probe"
	return $fine
}

# What the tests write goes with the script. It lies in memory where there is enough of
# it: a store test makes a database of some hundred files, which costs a disk more time
# than the test itself.
if fits /dev/shm; then work=$(mktemp -d /dev/shm/diwan-test.XXXXXX); else work=$(mktemp -d); fi
mkdir "$work/tmp"
chmod 755 "$work"
chmod 1777 "$work/tmp"
export TMPDIR="$work/tmp"

# The cluster is on a free port. PostgreSQL refuses to run as root, so root hands it to
# postgres.
as_pg() {
	if [ "$(id -u)" = 0 ]; then (cd "$work" && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); else "$@"; fi
}
pgbin=/usr/lib/postgresql/15/bin
finish() {
	[ -d "$work/pg/data" ] && as_pg "$pgbin/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap finish EXIT

start_postgres() {
	mkdir "$work/pg"
	if [ "$(id -u)" = 0 ]; then chown postgres "$work/pg"; fi
	as_pg "$pgbin/initdb" -D "$work/pg/data" -A trust -U diwan -E UTF8 --locale=C.UTF-8 >/dev/null
	local port
	port=$(go run ./internal/app/freeport)
	as_pg "$pgbin/pg_ctl" -D "$work/pg/data" -l "$work/pg/log" -w \
		-o "-p $port -k $work/pg -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300" start >/dev/null
	export DIWAN_TEST_POSTGRES="postgres://diwan@127.0.0.1:$port/postgres?sslmode=disable"
}

install_packages
say "starting PostgreSQL"
start_postgres

say "browser test packages"
for d in internal/app/browser internal/catalogue/cpsv/shacl interop; do
	(cd "$d" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error)
done

say "ACME authority"
if GOBIN="$work/bin" timeout 120 go install github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1; then
	export DIWAN_TEST_PEBBLE="$work/bin/pebble"
else
	echo "pebble can't be had: the test of the edge's certificate by ACME is skipped" >&2
fi

say "gofmt"
unformatted=$(gofmt -l cmd country internal lexis protocol examples bench interop 2>/dev/null || true)
[ -z "$unformatted" ] || { echo "gofmt wants: $unformatted" >&2; exit 1; }

say "go vet"
CGO_ENABLED=0 go vet ./...

say "staticcheck"
go tool staticcheck ./...

say "static build"
CGO_ENABLED=0 go build -o "$work/diwan" ./cmd/diwan

say "tests"
export DIWAN_TEST_CHROMIUM=/usr/bin/chromium
# internal/app and cmd/diwan open the whole program again and again: with the race
# detector that takes ten times as long, and would find what the slices' own tests find.
# What has nothing that runs side by side, and single tests that compute for long in one
# goroutine, run without it too. What is killed again and again is run whole without the
# detector, and in short with it.
long="internal/gazette/extract internal/archtest"
still="internal/casework/document internal/casework/form internal/catalogue/cpsv internal/catalogue/decrees internal/gazette/structure internal/verifier/poppler protocol/edverify"
killed="internal/exchange/gateway internal/exchange/journal"
alone='^(TestDenseStatusList|TestOrderOfPlacesIsAPermutation|TestBulkStarterComesBackSame|TestAPI|TestContractHolds|TestNegative|TestPictures|TestFilesThatAreRefused|TestPreviews|TestForgedJWT|TestEveryBitMatters|TestKilledUnderLoad)$'
go test -race -short -skip "$alone" -timeout 20m "$@" $(go list ./... | grep -Ev "/(internal/app|cmd/diwan|${long// /|}|${still// /|})\$")
go test -timeout 10m "$@" $(printf './%s ' $still)
go test -run "$alone" -timeout 10m "$@" ./internal/credential ./internal/catalogue ./internal/verifier/check ./internal/casework ./internal/casework/upload ./protocol/statuslist ./protocol/link
say "keys in a token"
CGO_ENABLED=1 go test -tags pkcs11 -timeout 10m ./internal/keys/... ./internal/credential
say "the whole program, and every page in a browser"
# What a browser runs is no Go file: no result of an earlier run may stand for it.
go test -count=1 -timeout 15m "$@" ./internal/app ./internal/app/browser ./internal/wallet
# Demonstrations look for free ports: those of two packages at once could take each
# other's.
go test -count=1 -timeout 15m "$@" ./cmd/diwan $(printf './%s ' $long $killed)
go test -count=1 -timeout 15m "$@" ./interop

# Long computations are run without the race detector too.
say "the corpus of law, the quality of ranking"
go test -count=1 -timeout 15m -run 'Corpus|Quality|Weights|ShortQueries|HostileTexts' \
	./internal/retrieval/evaluation ./internal/gazette/structure
