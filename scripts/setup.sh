#!/bin/sh
# Makes a checkout ready on Debian or Ubuntu: system packages, node modules, build, host check. Can be run again; a run
# that finds everything in place takes a few seconds.
set -eu
cd "$(dirname "$0")/.."

say() { printf '==> %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

[ "$(uname -s)" = Linux ] || fail "Berth runs containers on Linux; this is $(uname -s)."
[ "$(id -u)" -eq 0 ] || fail "needs root (system packages, namespaces, overlayfs); run it with sudo."
command -v apt-get >/dev/null || fail "needs Debian or Ubuntu (apt-get); on other systems install crun, conmon, nftables, iproute2 and mmdebstrap, then: npm ci && npm run build."
command -v node >/dev/null || fail "needs Node.js 20 or newer."
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || fail "needs Node.js 20 or newer; this is $(node --version)."
grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || fail "the kernel has no overlayfs; load or build the 'overlay' module."

# program:package, where the names differ; the program decides whether the package is missing
needed="mount umount:mount crun conmon runc nft:nftables ip:iproute2 mmdebstrap busybox:busybox-static ps:procps nsenter:util-linux tini flock:util-linux openssl curl zstd"
missing=
for pair in $needed; do
  program=${pair%%:*}
  package=${pair#*:}
  command -v "$program" >/dev/null || missing="$missing $package"
done
if [ -n "$missing" ]; then
  say "installing system packages:$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq || fail "apt-get update failed; see the lines above."
  # shellcheck disable=SC2086 # a list of words
  apt-get install -y -qq --no-install-recommends $missing >/dev/null || fail "apt-get could not install:$missing"
else
  say "system packages: all there"
fi

stamp=node_modules/.berth-lock
if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then
  say "node modules: up to date"
else
  say "installing node modules"
  npm ci --no-fund --no-audit --loglevel=error
  cp package-lock.json "$stamp"
fi

say "building"
npx --no-install tsc -b test

say "checking this host"
node bin/berth doctor || fail "this host cannot run containers yet; the lines above say what to do."
