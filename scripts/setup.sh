#!/bin/sh
# Makes a checkout ready on Debian or Ubuntu: system packages, node modules, build, host check. Can be run again; a run
# that finds everything in place takes a few seconds.
set -eu
cd "$(dirname "$0")/.."

. scripts/packages.sh

[ "$(uname -s)" = Linux ] || fail "Berth runs containers on Linux; this is $(uname -s)."
[ "$(id -u)" -eq 0 ] || fail "needs root (system packages, namespaces, overlayfs); run it with sudo."
command -v apt-get >/dev/null || fail "needs Debian or Ubuntu (apt-get); on other systems install crun, conmon, nftables, iproute2 and mmdebstrap, then: npm ci && npm run build."
command -v node >/dev/null || fail "needs Node.js 20 or newer."
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || fail "needs Node.js 20 or newer; this is $(node --version)."
grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || fail "the kernel has no overlayfs; load or build the 'overlay' module."

install_missing "system packages" mount umount:mount crun conmon runc nft:nftables ip:iproute2 mmdebstrap \
  busybox:busybox-static ps:procps nsenter:util-linux tini flock:util-linux openssl curl zstd bzip2 xz:xz-utils

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
node tools/bundle.mjs

say "checking this host"
node bin/berth doctor || fail "this host cannot run containers yet; the lines above say what to do."
