#!/bin/sh
# All checks and tests, from a fresh clone on. Ends with the line "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh

. scripts/packages.sh
# Programs that only tests use. What they come with as services stays off: tests start their own.
without_services install_missing "packages of the tests" \
  lsattr:e2fsprogs skopeo docker-registry htpasswd:apache2-utils pg_ctlcluster:postgresql \
  swift-proxy-server:swift-proxy swift-account-server:swift-account swift-container-server:swift-container \
  swift-object-server:swift-object

exec node tools/run-tests.mjs "$@"
