#!/usr/bin/env bash
# Builds build/vigie_VERSION_ARCH.deb.
# Usage: systemd/debian/build.sh [--arch amd64|arm64] [--suite bookworm|trixie] [--version V] [--directory DIR]
#
# The package carries a venv with Vigie and its Python dependencies as binary wheels: nothing is compiled, so a package for
# arm64 is built on any machine. Needs pip, dpkg-deb and the machine's package index; no root.
set -euo pipefail
cd "$(dirname "$0")/../.."

arch=$(dpkg --print-architecture)
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
version=$(cat agent/VERSION)
directory=build
while [ $# -gt 0 ]; do
    case $1 in
        --arch) arch=$2 ;;
        --suite) suite=$2 ;;
        --version) version=$2 ;;
        --directory) directory=$2 ;;
        *) echo "build.sh: unknown option $1" >&2 && exit 2 ;;
    esac
    shift 2
done
case $arch in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    *) echo "build.sh: no wheels for $arch: amd64 or arm64" >&2 && exit 2 ;;
esac
case $suite in
    bookworm) python=3.11 next=3.12 glibc=36 ;;
    trixie) python=3.13 next=3.14 glibc=41 ;;
    *) echo "build.sh: unknown suite $suite: bookworm or trixie" >&2 && exit 2 ;;
esac

say() { printf 'deb: %s\n' "$*"; }
tools/setup.sh demo
here=systemd/debian
work=$directory/deb
root=$work/root
release=$root/opt/vigie/release
site=$release/lib/python$python/site-packages
rm -rf "$work"
mkdir -p "$site" "$work/source"

say "Vigie $version for $suite on $arch: the wheel"
# A copy, so that setuptools leaves nothing in the checkout and --version names what is built.
cp -r agent hardware setup.py pyproject.toml README.md "$work/source/"
echo "$version" >"$work/source/agent/VERSION"
.venv/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work/wheel" "$work/source"

say "its dependencies, as wheels for Python $python"
platforms=()
for minor in $(seq $glibc -1 5); do platforms+=(--platform "manylinux_2_${minor}_$machine"); done
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --only-binary=:all: --target "$site" \
    --implementation cp --python-version $python "${platforms[@]}" --platform "manylinux2014_$machine" \
    --require-hashes --requirement "tools/locks/deb-$suite.txt"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --target "$site" \
    --no-index "$work"/wheel/*.whl
rm -rf "$site/bin" "$site"/*.dist-info/direct_url.json
find "$site" -type d \( -name tests -o -name test \) -path '*/numpy/*' -prune -exec rm -rf {} +

say "the venv around them"
mkdir -p "$release/bin"
ln -s /usr/bin/python$python "$release/bin/python"
# System packages stay visible: python3-systemd, and on a Raspberry Pi python3-picamera2 with its libcamera.
printf 'home = /usr/bin\ninclude-system-site-packages = true\nversion = %s\n' $python >"$release/pyvenv.cfg"
if [ "$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" = $python ]; then
    .venv/bin/python -m compileall -q -j 2 -o 0 -o 2 --invalidation-mode unchecked-hash -s "$root" -p / "$site" || true
fi

say "units, configuration, documentation"
units=$root/usr/lib/systemd
install -D -m 644 -t "$units/system" systemd/vigie.service systemd/vigie.target \
    systemd/vigie-retention.service systemd/vigie-retention.timer systemd/vigie-trial.service systemd/vigie-unlock@.service
install -D -m 755 systemd/generator.py "$units/system-generators/vigie-generator"
# The generator reads the configuration as the agent does, on the distribution's Python.
install -D -m 644 -t "$root/usr/lib/vigie/reader/agent/base" agent/base/regular_file.py
install -D -m 644 /dev/null "$root/usr/lib/vigie/reader/agent/__init__.py"
install -D -m 644 /dev/null "$root/usr/lib/vigie/reader/agent/base/__init__.py"
install -D -m 644 /dev/null "$root/usr/lib/vigie/reader/agent/config/__init__.py"
install -D -m 644 -t "$root/usr/lib/vigie/reader/agent/config" agent/config/files.py
install -D -m 644 systemd/sysusers.conf "$root/usr/lib/sysusers.d/vigie.conf"
install -D -m 644 systemd/tmpfiles.conf "$root/usr/lib/tmpfiles.d/vigie.conf"
install -D -m 755 systemd/back-off "$root/usr/lib/vigie/back-off"
install -D -m 755 systemd/power-off "$root/usr/lib/vigie/power-off"
install -D -m 755 systemd/release.py "$root/usr/lib/vigie/release"
install -D -m 755 systemd/purge.py "$root/usr/lib/vigie/purge"
install -D -m 755 systemd/encrypt_state.py "$root/usr/sbin/vigie-encrypt-state"
install -D -m 644 -t "$root/usr/share/vigie" systemd/reboot-when-stuck.conf config.example.toml
install -D -m 755 -t "$root/usr/bin" systemd/vigie
# The configuration is no conffile: an upgrade asks nothing and overwrites nothing. postinst lays it there at the first install.
install -d -m 755 "$root/etc/vigie"
install -D -m 644 $here/copyright "$root/usr/share/doc/vigie/copyright"
share=$root/usr/share
.venv/bin/python tools/write_manuals.py "$share"
gzip -9n "$share"/man/man1/*.1
# The pages as they stand in the repository: no link in one of them leads nowhere.
install -D -m 644 -t "$share/doc/vigie/docs" docs/*.md
install -D -m 644 -t "$share/doc/vigie/docs/hub" docs/hub/*.md
install -D -m 644 -t "$share/doc/vigie/docs/fr" docs/fr/*.md
install -D -m 644 -t "$share/doc/vigie/docs/decisions" docs/decisions/*.md
install -D -m 644 -t "$share/doc/vigie/docs/images" docs/images/*
install -D -m 644 -t "$share/doc/vigie" README.md LICENSE SECURITY.md
install -D -m 644 -t "$share/doc/vigie/examples" config.example.toml
[ ! -f CHANGELOG.md ] || gzip -9nc CHANGELOG.md | install -D -m 644 /dev/stdin "$root/usr/share/doc/vigie/changelog.gz"

mkdir -p "$root/DEBIAN"
sed -e "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@PYTHON@/$python/g; s/@NEXT@/$next/" \
    -e "s/@SIZE@/$(du -sk --exclude=DEBIAN "$root" | cut -f1)/" $here/control >"$root/DEBIAN/control"
install -m 755 -t "$root/DEBIAN" $here/preinst $here/postinst $here/prerm $here/postrm
(cd "$root" && find . -type f -not -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
find "$root" -type d -exec chmod 755 {} +

deb=$directory/vigie_${version}_$arch.deb
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)} \
    dpkg-deb --root-owner-group -Zzstd -z"${DEB_COMPRESSION:-9}" --build "$root" "$deb" >/dev/null
rm -rf "$work"
say "$deb, $(du -h "$deb" | cut -f1): sudo apt install $(realpath "$deb")"
