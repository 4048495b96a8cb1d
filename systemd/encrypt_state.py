#!/opt/vigie/current/bin/python -IB
"""`vigie-encrypt-state`: a directory of the node is encrypted from now on, by a key that this board alone can open.

The kernel encrypts (ext4 or f2fs, by the tool fscrypt); systemd-creds seals the key, to the TPM where the board has one. The
key itself never lies on a disk. What lies in the directory is copied beside it, compared, and takes its place in one step: a
power cut leaves the one or the other, and the next run carries on. Run by root. Docs: encryption.md.
"""

from __future__ import annotations

import argparse
import ctypes
import filecmp
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agent.base.durable_file import sync_directory
from agent.base.errors import DeviceError, VigieError

STATE: Final = Path("/var/lib/vigie")
CREDENTIAL: Final = Path("/etc/credstore.encrypted/vigie.state-key")
CREDENTIAL_NAME: Final = "vigie.state-key"
UNIT: Final = "vigie-unlock@{}.service"
USERS: Final = ("vigie.service", "vigie-trial.service", "vigie-retention.service", "vigie-retention.timer")
STOP: Final = "systemctl stop vigie.target vigie.service vigie-trial.service vigie-retention.timer"
START: Final = "systemctl start vigie.target vigie-retention.timer"
_KEY_BYTES: Final = 32
_ROOM: Final = 1.05
_PROGRESS_S: Final = 0.2
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        _encrypt(asked.directory, move=asked.move, kept_key=asked.keep_key)
    except VigieError as error:
        print(f"vigie-encrypt-state: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("vigie-encrypt-state: interrupted; the next run carries on", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vigie-encrypt-state", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("directory", nargs="?", type=Path, default=STATE, help=f"what to encrypt (default: {STATE})")
    parser.add_argument("--move", action="store_true", help="take along what lies there; else it must be empty")
    parser.add_argument("--keep-key", type=Path, metavar="FILE", help="write the bare key there too, for the town's safe")
    return parser


def _encrypt(directory: Path, *, move: bool, kept_key: Path | None) -> None:
    _look_at_machine()
    mount, source = _look_at_directory(directory)
    beside = directory.with_name(f"{directory.name}.moving")
    if not _is_encrypted(directory):
        _look_at_filesystem(mount, source)
        if any(directory.iterdir()) and not move:
            raise DeviceError(f"{directory} is not empty", remedy="to take along what lies there: --move")
        key = _sealed_key()
        if kept_key is not None:
            _keep(key, kept_key)
        shutil.rmtree(beside, ignore_errors=True)
        _prepare(mount)
        _make_encrypted(directory, beside, key)
        _copy(directory, beside)
        _exchange(beside, directory)
    elif kept_key is not None:
        _keep(_opened_key(), kept_key)
    _open_at_boot(directory)
    if beside.exists():  # what lay there in clear
        shutil.rmtree(beside)
    _say_what_holds(directory, kept_key)


# -- may it be done --------------------------------------------------------------------------------------------------


def _look_at_machine() -> None:
    if os.geteuid() != 0:
        raise DeviceError("this needs root", remedy="run `sudo vigie-encrypt-state`")
    for program, package in (("fscrypt", "fscrypt"), ("systemd-creds", "systemd"), ("findmnt", "util-linux")):
        if shutil.which(program) is None:
            raise DeviceError(f"{program} is not there", remedy=f"run `apt install {package}`")
    done = subprocess.run(["systemctl", "is-active", *USERS], check=False, capture_output=True, text=True)
    running = [
        unit for unit, state in zip(USERS, done.stdout.split(), strict=False) if state not in ("inactive", "failed", "unknown")
    ]
    if running:
        raise DeviceError(f"{running[0]} is running, and would write while its files move", remedy=f"run `{STOP}`")


def _look_at_directory(directory: Path) -> tuple[Path, str]:
    """The mount point of its file system, and the device."""
    if not directory.is_absolute() or directory.is_symlink() or not directory.is_dir():
        raise DeviceError(f"{directory} is no directory by its full name", remedy=f"such as {STATE}")
    mounts = [Path(line) for line in _out("findmnt", "--noheadings", "--list", "--output", "TARGET").splitlines()]
    for mount in mounts:
        if mount == directory:
            raise DeviceError(
                f"{directory} is a whole file system", remedy="encrypt a directory in it: mkdir, and [recording] directory"
            )
        if mount.is_relative_to(directory):
            raise DeviceError(f"{mount} is mounted below {directory}", remedy="encrypt each of them by itself")
    target, source = _out("findmnt", "--noheadings", "--output", "TARGET,SOURCE", "--target", str(directory)).split()[:2]
    return Path(target), source


def _look_at_filesystem(mount: Path, source: str) -> None:
    kind = _out("findmnt", "--noheadings", "--output", "FSTYPE", "--target", str(mount)).strip()
    if kind not in ("ext4", "f2fs"):
        raise DeviceError(f"{mount} is {kind}, which cannot encrypt a directory", remedy="ext4 and f2fs can")
    if kind == "ext4" and shutil.which("tune2fs") and "encrypt" not in _out("tune2fs", "-l", source):
        raise DeviceError(f"{mount} is not prepared to hold encrypted directories", remedy=f"run `tune2fs -O encrypt {source}`")


def _is_encrypted(directory: Path) -> bool:
    done = subprocess.run(["fscrypt", "status", str(directory)], check=False, capture_output=True, text=True)
    return done.returncode == 0 and "is encrypted with fscrypt" in done.stdout


# -- the key ---------------------------------------------------------------------------------------------------------


def _sealed_key() -> bytes:
    """One for all directories of the node: what is sealed already, or a new one."""
    if CREDENTIAL.exists():
        return _opened_key()
    key = os.urandom(_KEY_BYTES)
    CREDENTIAL.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = CREDENTIAL.with_name(f"{CREDENTIAL.name}.new")
    _run("systemd-creds", "encrypt", f"--name={CREDENTIAL_NAME}", "--with-key=auto", "-", str(fresh), given=key)
    fresh.replace(CREDENTIAL)
    sync_directory(CREDENTIAL.parent)
    os.sync()  # systemd's own secret, which opens it, must be as safe as what it opens
    if _opened_key() != key:
        raise DeviceError(
            f"{CREDENTIAL} gives back another key than was sealed", remedy="nothing was encrypted; look at systemd-creds"
        )
    return key


def _opened_key() -> bytes:
    key = _run("systemd-creds", "decrypt", f"--name={CREDENTIAL_NAME}", str(CREDENTIAL), "-")
    if len(key) != _KEY_BYTES:
        raise DeviceError(f"{CREDENTIAL} holds no key of {_KEY_BYTES} bytes", remedy="the copy that --keep-key made")
    return key


@contextmanager
def _as_file(key: bytes) -> Iterator[str]:
    """In memory alone, by a name that a child process can open."""
    descriptor = os.memfd_create("state-key", 0)
    try:
        os.write(descriptor, key)
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _keep(key: bytes, path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    except OSError as error:
        raise DeviceError(
            f"the key cannot be kept in {path}: {error.strerror}", remedy="a new file, on a stick for the safe"
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(descriptor)


# -- the directory ---------------------------------------------------------------------------------------------------


def _prepare(mount: Path) -> None:
    if not Path("/etc/fscrypt.conf").exists():
        _run("fscrypt", "setup", "--quiet")
    if not (mount / ".fscrypt").exists():
        _run("fscrypt", "setup", str(mount), "--quiet")


def _make_encrypted(directory: Path, beside: Path, key: bytes) -> None:
    beside.mkdir(mode=0o700)
    name = f"vigie {directory.name} {os.urandom(4).hex()}"
    with _as_file(key) as file:
        _run("fscrypt", "encrypt", str(beside), "--source=raw_key", f"--name={name}", f"--key={file}", "--no-recovery", "--quiet")
        # As at boot: what the sealed key cannot open must not be filled.
        _run("fscrypt", "lock", str(beside), "--quiet")
    with _as_file(_opened_key()) as file:
        _run("fscrypt", "unlock", str(beside), f"--key={file}", "--quiet")


def _copy(directory: Path, beside: Path) -> None:
    wanted = sum(path.lstat().st_blocks * 512 for path in directory.rglob("*"))
    free = shutil.disk_usage(beside).free
    if wanted * _ROOM > free:
        raise DeviceError(
            f"{wanted / 1e9:.1f} GB lie in {directory}, and {free / 1e9:.1f} GB are free beside it",
            remedy="less in it: a shorter [recording] retention_days for a while, or another disk",
        )
    copying = subprocess.Popen(
        ["cp", "--archive", "--one-file-system", f"{directory}/.", f"{beside}/"], stderr=subprocess.PIPE, text=True
    )
    errors: str | None = None
    while errors is None:
        try:
            _, errors = copying.communicate(timeout=_PROGRESS_S)
        except subprocess.TimeoutExpired:
            _show_progress(free - shutil.disk_usage(beside).free, wanted)
    if copying.returncode:
        raise DeviceError(f"{directory} cannot be copied: {errors.strip().splitlines()[-1] if errors.strip() else 'cp failed'}")
    _run("sync", "--file-system", str(beside))
    if not _is_same(directory, beside):
        raise DeviceError(f"{directory} changed while it was copied", remedy="end what writes there, and try again")


def _is_same(directory: Path, copy: Path) -> bool:
    """Names, kinds, owners, modes and times, and every byte: what lies in clear is deleted for it."""
    names = sorted(path.relative_to(directory) for path in directory.rglob("*"))
    return names == sorted(path.relative_to(copy) for path in copy.rglob("*")) and all(
        _is_same_entry(directory / name, copy / name) for name in names
    )


def _is_same_entry(path: Path, copy: Path) -> bool:
    ours, theirs = path.lstat(), copy.lstat()
    if (ours.st_mode, ours.st_uid, ours.st_gid) != (theirs.st_mode, theirs.st_uid, theirs.st_gid):
        return False
    if stat.S_ISLNK(ours.st_mode):
        return path.readlink() == copy.readlink()
    if not stat.S_ISREG(ours.st_mode):
        return True
    return ours.st_mtime_ns == theirs.st_mtime_ns and filecmp.cmp(path, copy, shallow=False)


def _exchange(one: Path, other: Path) -> None:
    """Each gets the other's name, in one step."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE):
        raise DeviceError(f"{one} cannot take the place of {other}: {os.strerror(ctypes.get_errno())}")
    sync_directory(other.parent)


def _open_at_boot(directory: Path) -> None:
    unit = UNIT.format(_out("systemd-escape", "--path", str(directory)).strip())
    _run("systemctl", "enable", "--quiet", unit)
    _run("systemctl", "restart", unit)


# -- what is said ----------------------------------------------------------------------------------------------------


def _show_progress(done: int, wanted: int) -> None:
    if sys.stderr.isatty() and wanted:
        print(f"\rcopied {min(100, 100 * max(0, done) // wanted):3d} %", end="", file=sys.stderr, flush=True)


def _say_what_holds(directory: Path, kept_key: Path | None) -> None:
    has_tpm = subprocess.run(["systemd-creds", "has-tpm2"], check=False, capture_output=True).returncode == 0
    by = "this board's TPM" if has_tpm else "the secret of this system, /var/lib/systemd/credential.secret"
    print(f"{directory} is encrypted. Its key is sealed by {by}.")
    if not has_tpm:
        print("Whoever takes that disk too can open it: this board has no TPM that systemd knows.")
    if kept_key is None:
        print("No copy of the key was kept: when this board breaks, its recordings are lost. --keep-key FILE makes one.")
    print("What lay on the disk in clear can be read from it until it is overwritten: fstrim helps, and a new card is sure.")
    print(f"Go on with `{START}`")


def _out(*command: str) -> str:
    return _run(*command).decode("utf-8", "replace")


def _run(*command: str, given: bytes | None = None) -> bytes:
    done = subprocess.run(command, check=False, input=given if given is not None else b"", capture_output=True)
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise DeviceError(f"{command[0]} {command[1]} failed: {said[-1] if said else f'code {done.returncode}'}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
