#!/usr/bin/env bash
# Renews tools/locks/: every dependency of Vigie at one exact version, with the hashes of all its files, so that the same
# commit is the same product tomorrow. `make lock` runs it; `make lock ARGS="--upgrade-package av"` renews one package alone.
#
# demo.txt, test.txt   what tools/setup.sh installs, for any Python from 3.11 on
# deb-SUITE.txt        what the Debian package for that release carries
# picamera2.txt        what the picamera2 lane adds to Debian's own libcamera
# build.txt            what a source package is built with (systemd-python, Vigie's own wheel)
set -euo pipefail
cd "$(dirname "$0")/.."

locks=tools/locks
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -x .venv/bin/python ] || tools/setup.sh demo
.venv/bin/python -m venv "$work/uv"
"$work/uv/bin/python" -m pip install --quiet uv

# Usage: lock NAME PYTHON-VERSION [OPTIONS]; the requirements come on standard input.
lock() {
    local name=$1 python=$2
    shift 2
    printf 'lock: %s\n' "$name"
    cat >"$work/$name.in"
    "$work/uv/bin/uv" pip compile --quiet --generate-hashes --no-header --no-annotate --python-version "$python" "$@" \
        --output-file "$locks/$name.txt" "$work/$name.in"
}

from_setup() { .venv/bin/python tools/requirements.py "$@"; }

upgrade=("$@")
[ ${#upgrade[@]} -gt 0 ] || upgrade=(--upgrade)
printf 'setuptools>=68\n' | lock build 3.11 --universal "${upgrade[@]}"
from_setup | lock demo 3.11 --universal "${upgrade[@]}"
from_setup systemd dev | lock test 3.11 --universal --constraint $locks/demo.txt "${upgrade[@]}"
for suite in bookworm:3.11:36 trixie:3.13:40; do
    IFS=: read -r name python glibc <<<"$suite"
    # No markers: pip judges those by the Python it runs on, not by the one the package is for.
    from_setup | lock "deb-$name" "$python" --python-platform "x86_64-manylinux_2_$glibc" \
        --constraint "systemd/debian/constraints-$name.txt" "${upgrade[@]}"
done
# python-prctl wants libcap's headers before it says that it depends on nothing.
printf 'dependency-metadata = [{ name = "python-prctl", requires-dist = [] }]\n' >"$work/uv.toml"
lock picamera2 3.13 --universal --config-file "$work/uv.toml" "${upgrade[@]}" <tests/lanes/picamera2/requirements.txt
