"""The clock: set, kept by whom, and how far off. Footage whose time is wrong is worth little in court."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from agent.base.clock import ClockQuality
from agent.base.kernel_clock import KernelClock
from agent.base.phrase import moment, say
from agent.commissioning.line import Line, fail, ok, warn
from agent.commissioning.programs import Ask

LARGE_OFFSET_S = 0.5


def judge_clock(
    wall_ns: int, quality: ClockQuality, kernel: Callable[[], KernelClock], ask: Ask, root: Path = Path("/")
) -> Iterator[Line]:
    """Whether the clock is set and by whom it is kept; `root` is where /sys lies."""
    try:
        state: KernelClock | None = kernel()
    except OSError:
        state = None
    if quality is ClockQuality.UNSET:
        yield fail(
            "clock",
            say("not set: it says {at}", at=moment(wall_ns)),
            _remedy(ask, _keeper(ask)[0]),
            quality=quality.value,
        )
        yield _battery_backed(root)
        return
    keeper, offset_s, server = _keeper(ask)
    if offset_s is None and state is not None:
        offset_s = state.offset_s
    metrics = {"quality": quality.value, "keeper": keeper, "server": server, "offset_ms": None}
    if offset_s is not None:
        metrics["offset_ms"] = f"{1000 * offset_s:.3f}"
    by = (
        say("by {keeper}", keeper=keeper) + (say(" from {server}", server=server) if server else "")
        if keeper
        else say("by a keeper that does not say who it is")
    )
    if quality is not ClockQuality.SYNCHRONISED:
        said = (
            say("set, and not synchronised {by}; it says {at}", by=by, at=moment(wall_ns))
            if keeper
            else say("set, and nothing keeps it: it says {at}", at=moment(wall_ns))
        )
        yield warn("clock", said, _remedy(ask, keeper), **metrics)
    elif offset_s is not None and abs(offset_s) > LARGE_OFFSET_S:
        yield warn(
            "clock",
            say("{offset_s:+.0f} ms off, being corrected {by}", offset_s=1000 * offset_s, by=by),
            say("wait some minutes, then `vigie doctor`"),
            **metrics,
        )
    else:
        off = say(", {offset_s:+.1f} ms off", offset_s=1000 * offset_s) if offset_s is not None else ""
        yield ok("clock", say("synchronised {by}{off}", by=by, off=off), **metrics)
    yield _battery_backed(root)


def _keeper(ask: Ask) -> tuple[str, float | None, str]:
    """Who keeps the clock, how far off it is by his account (seconds, positive: ahead), and from which server."""
    chrony = ask("chronyc", "-c", "tracking")
    if chrony is not None and chrony.code == 0:
        fields = chrony.text.split(",")
        if len(fields) > 4 and _is_number(fields[4]):
            return "chrony", -float(fields[4]), fields[1]  # chronyc tells how far NTP time is ahead of ours
    timesync = ask("timedatectl", "show-timesync", "--property=ServerName", "--property=ServerAddress")
    if timesync is not None and timesync.code == 0:
        told = dict(line.partition("=")[::2] for line in timesync.text.splitlines())
        return "systemd-timesyncd", None, told.get("ServerName") or told.get("ServerAddress") or ""
    return "", None, ""


def _remedy(ask: Ask, keeper: str) -> str:
    """What this system can do about it: by who keeps its clock, or could."""
    if keeper == "chrony":
        return say("`chronyc sources` shows whether its servers answer; NTP is UDP port 123")
    told = ask("timedatectl", "show", "--property=CanNTP", "--property=NTP")
    known = dict(line.partition("=")[::2] for line in told.text.splitlines()) if told is not None and told.code == 0 else {}
    if known.get("CanNTP") == "yes" and known.get("NTP") == "yes":
        return say("`timedatectl timesync-status` shows whether its server answers; NTP is UDP port 123")
    if known.get("CanNTP") == "yes":
        return say("`sudo timedatectl set-ntp true`")
    return say("`sudo apt install systemd-timesyncd`") if known else say("`sudo apt install chrony`")


def _battery_backed(root: Path) -> Line:
    found = sorted(p.name for p in root.glob("sys/class/rtc/rtc*"))
    if found:
        return ok("clock battery", say("the board has a clock of its own ({found})", found=found[0]), rtc=True)
    return warn(
        "clock battery",
        say("the board has none: after a power cut it does not know the time until the network is back"),
        say("fit a real-time clock, and name it in /boot/firmware/config.txt: `dtoverlay=i2c-rtc,ds3231`"),
        rtc=False,
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
