"""The system in which picamera2 runs on libcamera's virtual camera: Debian sid, made once, cached, used by chroot.

Kept under $VIGIE_LANE_CACHE (default /var/cache/vigie-lanes). Needs root, Debian's package servers and PyPI.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.support import parts

CACHE = Path(os.environ.get("VIGIE_LANE_CACHE", "/var/cache/vigie-lanes"))
HERE = Path(__file__).parent
LOCK = HERE.parents[2] / "tools" / "locks" / "picamera2.txt"
REPOSITORY = HERE.parents[2]
SUITE = "sid"
LIBCAMERA = "0.7."
"""sid drifts. 0.4 delivers garbage metadata; a version nobody tried is a reason to look, not to pass."""
INCLUDED = (
    "ca-certificates",
    "gcc",
    "libc6-dev",
    "libcamera-ipa",
    "libcap-dev",
    "python3",
    "python3-dev",
    "python3-libcamera",
    "python3-venv",
)
_APT = (
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=Acquire::Check-Date "false"',
    '--aptopt=Acquire::Languages "none"',
)
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
_SHIM = "opt/dma_heap_shim.so"
_PYTHON = "/opt/lane/bin/python"
_VIRTUAL = "usr/share/libcamera/pipeline/virtual/virtual.yaml"

# Mounts of its own, gone with the process: the repository at /src, /proc and the few devices a camera library asks for.
_ENTER = """
set -e
mount -t proc proc "$ROOTFS/proc"
mount -t tmpfs tmpfs "$ROOTFS/dev"
for device in null zero random urandom; do touch "$ROOTFS/dev/$device"; mount --bind "/dev/$device" "$ROOTFS/dev/$device"; done
mkdir -p "$ROOTFS/dev/shm" "$ROOTFS/src"
mount -t tmpfs tmpfs "$ROOTFS/tmp"
mount --bind "$REPOSITORY" "$ROOTFS/src"
exec chroot "$ROOTFS" "$@"
"""


def prepared() -> Path:
    """The root of the system, made when it is not there yet: some 40 s. Fails or skips when it cannot be made."""
    parts.root()
    for name, package in (("mmdebstrap", "mmdebstrap"), ("unshare", "util-linux"), ("chroot", "coreutils")):
        parts.program(name, package)
    recipe = "".join([SUITE, *INCLUDED, LOCK.read_text(), (HERE / "dma_heap_shim.c").read_text()])
    made = CACHE / f"picamera2-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "picamera2.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            fresh = made.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            try:
                _make(fresh)
            except subprocess.CalledProcessError as error:
                shutil.rmtree(fresh, ignore_errors=True)
                reason = (error.stderr or error.stdout or "").strip()[-600:]
                needed = "Debian's package servers and PyPI must be reachable"
                parts.missing("a Debian sid with picamera2", f"{needed} ({error.cmd[0]}: {reason})")
            fresh.rename(made)
        shutil.copyfile(HERE / "virtual.yaml", made / _VIRTUAL)
    return made


def run(root: Path, *command: str, timeout_s: float, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the lane's Python inside, with the repository at /src."""
    inside = {"PATH": "/opt/lane/bin:/usr/bin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    inside |= {"PYTHONPATH": "/src", "LD_PRELOAD": f"/{_SHIM}", "LIBCAMERA_LOG_LEVELS": "*:ERROR", **environment}
    variables = [f"{name}={value}" for name, value in inside.items()]
    entry = ("unshare", "--mount", "--propagation", "private", "sh", "-c", _ENTER, "sh", "/usr/bin/env", "-i")
    return subprocess.run(
        [*entry, *variables, _PYTHON, *command],
        env={"PATH": parts.SEARCHED, "ROOTFS": str(root), "REPOSITORY": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
    )


def _make(root: Path) -> None:
    _do("mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(INCLUDED)}", *_APT, SUITE, str(root))
    version = _do("chroot", str(root), "dpkg-query", "-W", "-f", "${Version}", "python3-libcamera")
    if not version.startswith(LIBCAMERA):
        raise AssertionError(f"sid has libcamera {version}; this lane knows {LIBCAMERA}x: try it, then set LIBCAMERA")
    # PyPI is reached as from outside: same resolver, same certificates.
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    shutil.copyfile(f"/{_CERTIFICATES}", root / _CERTIFICATES)
    shutil.copyfile(LOCK, root / "opt/requirements.txt")
    shutil.copyfile(HERE / "dma_heap_shim.c", root / "opt/dma_heap_shim.c")
    _do("chroot", str(root), "gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", f"/{_SHIM}", "/opt/dma_heap_shim.c")
    _do("chroot", str(root), "python3", "-m", "venv", "--system-site-packages", "/opt/lane")
    pip = (_PYTHON, "-m", "pip", "install", "--quiet", "--no-input", "--no-cache-dir")
    _do("chroot", str(root), *pip, "--require-hashes", "-r", "/opt/requirements.txt")


def _do(*command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_FIND")}
    environment |= {"LANG": "C.UTF-8", "PATH": parts.SEARCHED, "DEBIAN_FRONTEND": "noninteractive"}
    environment["SSL_CERT_FILE"] = f"/{_CERTIFICATES}"
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()
