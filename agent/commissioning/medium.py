"""What the recordings lie on: SD card, SSD, hard disk, memory, network; and its wear, if it says."""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec import Struct

from agent.base.phrase import joined, say
from agent.commissioning.line import Line, Metric, fail, left_open, ok, warn

IN_MEMORY = ("tmpfs", "ramfs")
ON_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p")
WORN = 80.0
_BETTER = say("put [recording] directory on an SSD, or on an endurance card")


class Medium(Struct, frozen=True):
    """`kind` is one of sd, emmc, ssd, disk, memory, network, unknown; `worn_percent` of its rated life, None if it keeps that
    to itself."""

    kind: str
    name: str = ""
    file_system: str = ""
    worn_percent: float | None = None
    read_only: bool = False


def medium_of(directory: Path, root: Path = Path("/")) -> Medium:
    """What `directory`, which must exist, lies on; /proc and /sys are read below `root`."""
    device = directory.stat().st_dev
    file_system, read_only = _mount(directory, root)
    if file_system in IN_MEMORY:
        return Medium("memory", "", file_system, read_only=read_only)
    if file_system in ON_NETWORK:
        return Medium("network", "", file_system, read_only=read_only)
    block = root / "sys/dev/block" / f"{os.major(device)}:{os.minor(device)}"
    if not block.exists():
        return Medium("unknown", "", file_system, read_only=read_only)
    whole = block.resolve()
    if (whole / "partition").exists():
        whole = whole.parent
    name = _text(whole / "device/model") or _text(whole / "device/name") or whole.name
    if whole.name.startswith("mmcblk"):
        kind = "sd" if _text(whole / "device/type") == "SD" else "emmc"
        halves = [int(part, 16) * 10.0 for part in re.findall(r"0x[0-9a-fA-F]+", _text(whole / "device/life_time"))]
        return Medium(kind, name, file_system, max((h for h in halves if h), default=None), read_only)
    kind = "disk" if _text(whole / "queue/rotational") == "1" else "ssd"
    return Medium(kind, name, file_system, None, read_only)


def judge_medium(medium: Medium) -> Line:
    """Whether it is fit to be written on day and night."""
    named = joined(" ", [word for word in (_WORDS[medium.kind], medium.name) if word])
    named += f", {medium.file_system}" if medium.file_system else ""
    metrics: dict[str, Metric] = {
        "kind": medium.kind,
        "name": medium.name,
        "file_system": medium.file_system,
        "worn_percent": medium.worn_percent,
    }
    if medium.read_only:
        return fail(
            "storage",
            say("{named}: mounted read-only", named=named),
            say("`sudo dmesg | tail -n 20`: a file system turns read-only when the disk fails"),
            **metrics,
        )
    if medium.kind == "memory":
        return fail(
            "storage",
            say("{named}: everything is lost at a restart", named=named),
            say("set [recording] directory to a disk"),
            **metrics,
        )
    if medium.kind == "network":
        return warn(
            "storage",
            say("{named}: lost with the network", named=named),
            say("set [recording] directory to a disk of the board"),
            **metrics,
        )
    if medium.worn_percent is not None:
        named += say(", {worn_percent:.0f} % of its rated life used", worn_percent=medium.worn_percent)
        if medium.worn_percent >= WORN:
            return warn("storage", named, say("put [recording] directory on a new one before it fails"), **metrics)
    if medium.kind == "sd":
        return warn("storage", say("{named}: writing day and night wears a card out", named=named), _BETTER, **metrics)
    if medium.kind == "unknown":
        return left_open("storage", say("{named}: nothing tells what it is made of", named=named), "", **metrics)
    return ok("storage", named, **metrics)


_WORDS = {
    "sd": say("SD card"),
    "emmc": "eMMC",
    "ssd": "SSD",
    "disk": say("hard disk"),
    "memory": "memory",
    "network": say("a network share"),
    "unknown": say("a disk of unknown kind"),
}


def _mount(directory: Path, root: Path) -> tuple[str, bool]:
    """File system type of the innermost mount that holds the directory, and whether it is read-only."""
    best, found = "", ("", False)
    here = str(directory.resolve())
    for line in _text(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) < 6 or not kinds:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4])  # blanks stand as \040
        inside = here == point or here.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, found = point, (kinds[0], "ro" in fields[5].split(","))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
