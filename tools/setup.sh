#!/usr/bin/env bash
# Sets up what `make demo` or `make test` needs, and nothing twice: Debian packages, then a .venv.
# Usage: tools/setup.sh demo|test       PYTHON=/path/to/python3 chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."

scope=${1:?usage: tools/setup.sh demo|test}
log=var/setup.log
demo_packages=(mosquitto)
# What the tests run against (ffmpeg, iproute2), and what systemd-python is compiled with.
test_packages=(mosquitto ffmpeg iproute2 libsystemd-dev pkg-config gcc python3-dev)

say() { printf 'setup: %s\n' "$*"; }

fail() {
    printf 'setup: %s\n' "$1" >&2
    [ -z "${2:-}" ] || printf '       %s\n' "$2" >&2
    exit 1
}

# The lanes' own packages: one Debian name per line, # begins a comment. `npm unless:npm` leaves the package out where the
# command is there already: a Node.js of another origin brings its own npm and conflicts with Debian's.
lane_packages() {
    local name condition
    sed -e 's/#.*//' tests/lanes/*/packages.txt 2>/dev/null | while read -r name condition; do
        [ -n "$name" ] || continue
        case $condition in
            unless:*) ! command -v "${condition#unless:}" >/dev/null || continue ;;
        esac
        printf '%s\n' "$name"
    done | sort -u
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        fail "installing needs root, and there is no sudo" "run as root: apt-get install -y ${wanted[*]}"
    fi
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_packages() {
    local wanted=() name
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "no apt on this machine: expecting the programs of these packages to be here already: $*"
        return
    fi
    for name in "$@"; do is_installed "$name" || wanted+=("$name"); done
    if [ ${#wanted[@]} -eq 0 ]; then
        say "Debian packages: all $# here"
        return
    fi
    say "Debian packages: installing ${wanted[*]}"
    hold_services_back
    if ! as_root apt-get -o DPkg::Lock::Timeout=300 update >>"$log" 2>&1; then
        say "the package lists could not be refreshed (no network?): trying with those at hand"
    fi
    if ! as_root apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${wanted[@]}" >>"$log" 2>&1; then
        let_services_go
        tail -n 8 "$log" | sed 's/^/       /' >&2
        fail "apt-get could not install: ${wanted[*]}" "needs Debian's package servers; the whole output is in $log"
    fi
    let_services_go
    for name in "${wanted[@]}"; do
        if [ "$name" = mosquitto ] && command -v systemctl >/dev/null; then
            as_root systemctl disable mosquitto >>"$log" 2>&1 || true
            say "mosquitto's own service is left stopped and disabled; demo and tests start brokers of their own on free ports"
        fi
    done
}

# A package that brings a service (mosquitto) must not bind a port of a developer's machine: dpkg asks this file.
policy=/usr/sbin/policy-rc.d
policy_is_ours=
hold_services_back() {
    [ ! -e $policy ] || return 0
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
    policy_is_ours=yes
    trap let_services_go EXIT
}
let_services_go() {
    [ -n "$policy_is_ours" ] || return 0
    as_root rm -f $policy
    policy_is_ours=
}

# Runs, is new enough, and can make a venv: what a name on the PATH alone does not tell (pyenv leaves empty shims).
can_make_venv() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

choose_python() {
    local candidate
    local candidates=(python3.13 python3.12 python3.11 python3 /usr/bin/python3)
    [ -z "${PYTHON:-}" ] || candidates=("$PYTHON")
    for candidate in "${candidates[@]}"; do
        if can_make_venv "$candidate"; then python=$candidate && return; fi
    done
    if [ -z "${PYTHON:-}" ] && is_new_enough /usr/bin/python3; then
        install_packages python3-venv
        can_make_venv /usr/bin/python3 || fail "/usr/bin/python3 cannot make a venv" "install python3-venv, then run this again"
        python=/usr/bin/python3
        return
    fi
    fail "no Python 3.11 or newer with venv among: ${candidates[*]}" "use Debian 12 / Raspberry Pi OS bookworm or newer, or name one: PYTHON=/path/to/python3 make $scope"
}

pip_install() {
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@" >>"$log" 2>&1; then
        tail -n 12 "$log" | sed 's/^/       /' >&2
        fail "pip could not install Vigie's dependencies" "needs the machine's package index (pip's own configuration); the whole output is in $log"
    fi
}

install_venv() {
    local stamp fingerprint locks=tools/locks
    fingerprint=$(cat setup.py tools/setup.sh $locks/{build,demo,test}.txt | sha256sum | cut -d' ' -f1)
    if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
        choose_python
        say "Python: making .venv with $("$python" --version) ($(command -v "$python"))"
        [ -L .venv ] || rm -rf .venv
        "$python" -m venv .venv >>"$log" 2>&1 || fail "$python -m venv .venv failed" "see $log"
    fi
    stamp=.venv/vigie-set-up-for-$scope
    if [ "$(cat .venv/vigie-set-up-for-test 2>/dev/null)" = "$fingerprint" ] || [ "$(cat "$stamp" 2>/dev/null)" = "$fingerprint" ]; then
        say "Python: .venv is up to date ($(.venv/bin/python --version))"
        return
    fi
    say "Python: installing into .venv (a few minutes the first time)"
    # Exactly what tools/locks names, by hash. What a source package is built with comes first: pip would fetch any release of it.
    pip_install --require-hashes --requirement $locks/build.txt
    pip_install --require-hashes --no-build-isolation --requirement "$locks/$scope.txt"
    # A .venv that is a link is shared by several checkouts: it must not point at one of them.
    [ -L .venv ] || pip_install --no-deps --no-build-isolation --editable .
    echo "$fingerprint" >"$stamp"
    say "Python: done"
}

case $scope in
    demo) packages=("${demo_packages[@]}") ;;
    test) mapfile -t packages < <(printf '%s\n' "${test_packages[@]}" "$(lane_packages)" | sed '/^$/d' | sort -u) ;;
    *) fail "unknown scope '$scope'" "usage: tools/setup.sh demo|test" ;;
esac
mkdir -p var
: >"$log"
install_packages "${packages[@]}"
install_venv
# What `vigie bench privacy` films. No test needs it: without a network the benchmark says which scenes are missing.
[ "$scope" = demo ] || .venv/bin/python tools/scenes.py
