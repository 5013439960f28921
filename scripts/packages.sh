# Sourced by setup.sh and test.sh: installs Debian packages whose program is missing.

say() { printf '==> %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
  exit 1
}

# complete_interrupted : an installation that was cut short leaves programs without their users, links or libraries.
complete_interrupted() {
  [ -n "$(dpkg --audit)" ] || return 0
  say "completing an interrupted installation"
  DEBIAN_FRONTEND=noninteractive dpkg --configure -a >/dev/null || fail "dpkg --configure -a failed; see the lines above."
}

# install_missing PURPOSE PROGRAM[:PACKAGE]... : the program decides whether its package is missing.
install_missing() {
  purpose=$1
  shift
  complete_interrupted
  missing=
  for pair in "$@"; do
    program=${pair%%:*}
    package=${pair#*:}
    command -v "$program" >/dev/null || case " $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac
  done
  if [ -z "$missing" ]; then
    say "$purpose: all there"
    return
  fi
  say "installing $purpose:$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq || fail "apt-get update failed; see the lines above."
  # shellcheck disable=SC2086 # a list of words
  apt-get install -y -qq --no-install-recommends $missing >/dev/null || fail "apt-get could not install:$missing"
}

# without_services COMMAND... : packages that it installs do not start their services (invoke-rc.d(8), policy-rc.d).
without_services() {
  policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  status=0
  ("$@") || status=$?
  rm -f "$policy"
  return "$status"
}
