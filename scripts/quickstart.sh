#!/bin/sh
# The tour: a base image from the distribution's packages, two images built on it, a database on a volume, a web
# server on a published port, an entry that survives a restart of the database.
# usage: npm run quickstart [-- --keep]     --keep leaves the guestbook (and the daemon) running
set -eu
cd "$(dirname "$0")/.."

keep=no
for argument in "$@"; do
  case $argument in
    --keep) keep=yes ;;
    *)
      echo "quickstart: unknown option $argument; there is only --keep" >&2
      exit 1
      ;;
  esac
done

sh scripts/setup.sh

berth=$PWD/bin/berth
base=debian:bookworm-slim
port=${BERTH_QUICKSTART_PORT:-8080}
url=http://127.0.0.1:$port
was_running=no
curl -sf -o /dev/null --unix-socket /run/berth/berth.sock http://berth/_ping && was_running=yes

say() { printf '\n==> %s\n' "$*"; }
show() {
  printf '$ berth %s\n' "$*"
  "$berth" "$@"
}
# Removes what this script made; images stay, so the next tour is quick.
clean() {
  "$berth" rm -f guestbook-web guestbook-db >/dev/null 2>&1 || true
  "$berth" network rm guestbook >/dev/null 2>&1 || true
  "$berth" volume rm guestbook-data >/dev/null 2>&1 || true
}
failed() {
  code=$?
  [ "$code" -eq 0 ] && return
  printf '\nquickstart: failed; what the containers said last:\n' >&2
  for name in guestbook-db guestbook-web; do "$berth" logs --tail 20 "$name" >&2 2>/dev/null || true; done
  clean
}
trap failed EXIT
await() {
  tries=0
  until curl -sf -o /dev/null "$1"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || return 1
    sleep 0.1
  done
}

clean
if "$berth" image inspect "$base" >/dev/null 2>&1; then
  say "base image $base is there already"
else
  say "making the base image from the distribution's signed packages"
  show bootstrap "$base"
fi

say "building the guestbook's images"
show build -q -t guestbook-db examples/guestbook/db
show build -q -t guestbook-web examples/guestbook/web

say "a network, a volume, two containers"
show network create guestbook
show volume create guestbook-data
show run -d --name guestbook-db --network guestbook --network-alias db -v guestbook-data:/data guestbook-db
show run -d --name guestbook-web --network guestbook -p "$port:5000" guestbook-web
await "$url/healthz"

say "signing the guestbook at $url"
curl -sf -o /dev/null -d name=quickstart --data-urlencode "text=hello from $(uname -n)" "$url/"
curl -sf "$url/api/entries"

say "restarting the database: the entry is on the volume"
show restart guestbook-db
await "$url/healthz"
entries=$(curl -sf "$url/api/entries")
printf '%s\n' "$entries"
case $entries in
  *"hello from"*) ;;
  *)
    echo "quickstart: the entry is gone" >&2
    exit 1
    ;;
esac

say "what runs, and what the image is made of"
show ps
show history guestbook-web

trap - EXIT
if [ "$keep" = yes ]; then
  cat <<TEXT

The guestbook runs at $url
  stop it:     bin/berth rm -f guestbook-web guestbook-db
  look inside: bin/berth exec -it guestbook-web sh
  with docker: docker -H unix:///run/berth/berth.sock ps
TEXT
else
  say "cleaning up (run with -- --keep to leave it running)"
  clean
  if [ "$was_running" = no ] && [ -s /run/berth/berth.pid ]; then
    kill "$(cat /run/berth/berth.pid)"
    echo "stopped the daemon that this tour started"
  fi
fi
echo
echo "quickstart: done"
