#!/bin/sh
# All checks and tests, from a fresh clone on. Ends with the line "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh
exec node tools/run-tests.mjs "$@"
