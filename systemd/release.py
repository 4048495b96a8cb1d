#!/usr/bin/python3 -ISB
"""Which release of Vigie runs on this node: the change to a new one, its trial, and the way back. Run by root.

    /opt/vigie/release/       the package's files
    /opt/vigie/previous/      the release before (hard links), with its units
    /opt/vigie/current        -> one of the two; /usr/bin/vigie starts what it names
    /opt/vigie/before.json    what was amiss with the node just before the change
    /opt/vigie/trial.json     the new release is on trial
    /opt/vigie/rolled-back.json   it failed, when and why

Standard library only, on the distribution's Python: it has to work when the new release does not.
Usage: release keep VERSION | switch [OLD VERSION] | trial | back REASON | status
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HOME = Path(os.environ.get("VIGIE_RELEASES", "/opt/vigie"))
UNITS = Path("/usr/lib/systemd/system")
UNITS_OF_ADMIN = Path("/etc/systemd/system")
CONFIG = Path("/etc/vigie/config.toml")
EXAMPLE = Path("/usr/share/vigie/config.example.toml")
SERVICE = "vigie.service"

TRIAL_S = float(os.environ.get("VIGIE_TRIAL_SECONDS", "300"))
POLL_S = TRIAL_S / 60
# One good answer may be luck: the node has to be well for this long without a break.
WELL_FOR_S = TRIAL_S / 10
FRESH_FRAME_S = 5.0
ANSWER_S = 5.0

Health = dict[str, Any]


UNREADABLE = "its health cannot be read"


def complaints(health: Any, reachable: Callable[[str], bool]) -> set[str]:
    """What keeps a node from its job, by what its own health says; None: it does not even answer.

    A broker that `reachable` cannot reach either explains why the centre hears nothing: the line is down, not the release.
    Health of another shape than this script knows is a complaint as well: a release that tells nonsense does not stay.
    """
    if health is None:
        return {"the daemon does not answer"}
    try:
        return _complaints(health, reachable)
    except Exception as error:  # noqa: BLE001 - whatever a strange release answers must not end the trial of it
        return {f"{UNREADABLE} ({type(error).__name__}: {error})"}


def _complaints(health: Health, reachable: Callable[[str], bool]) -> set[str]:
    found = set()
    camera, privacy = health.get("camera", {}), health.get("privacy", {})
    age = camera.get("last_frame_age_s")
    if age is None or not age <= FRESH_FRAME_S:  # NaN is not fresh
        found.add("no frames")
    if privacy.get("state") != "masked":
        found.add("the picture is opaque")
    if health.get("recording", {}).get("state") != "recording":
        found.add("nothing is recorded")
    uplink = health.get("uplink", {})
    if uplink.get("broker") and uplink.get("state") != "online" and reachable(uplink["broker"]):
        found.add("the broker is there and is not reached")
    found |= {f"{name} failed" for name, state in health.get("components", {}).items() if state == "failed"}
    return found


def judge(ask: Callable[[], set[str]], excused: set[str], given_up: Callable[[], bool], wait: Callable[[float], float]) -> str:
    """Watch the new release until it is well, or until its time is over. The reason to go back; empty when it stays.

    `ask` returns what is amiss now. `excused` was amiss before the change already: a dead camera is not the new release's
    fault. `wait` sleeps and returns the seconds since the trial began.
    """
    elapsed = well_since = wait(0)
    while True:
        try:
            amiss = ask() - excused
        except Exception as error:  # noqa: BLE001 - what is no answer is no good answer
            amiss = {f"it cannot be asked ({type(error).__name__}: {error})"}
        if amiss:
            well_since = elapsed
        elif elapsed - well_since >= WELL_FOR_S:
            return ""
        if given_up():
            return "the service gave up: " + ", ".join(sorted(amiss or {"it does not start"}))
        if elapsed >= TRIAL_S:
            return ", ".join(sorted(amiss or {f"not well for {WELL_FOR_S:.0f} s without a break"}))
        elapsed = wait(POLL_S)


def accepts_connections(url: str) -> bool:
    """Whether anything listens at a broker's URL, whatever it would say to us."""
    broker = urlsplit(url)
    port = broker.port or {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}.get(broker.scheme, 1883)
    try:
        socket.create_connection((broker.hostname or "", port), timeout=ANSWER_S).close()
    except OSError:
        return False
    return True


def amiss_now() -> set[str]:
    """The complaints of the daemon that runs."""
    return complaints(ask_daemon(), accepts_connections)


def ask_daemon() -> Any:
    """`vigie status --json`, or None when there is no answer."""
    try:
        done = subprocess.run(["/usr/bin/vigie", "status", "--json"], capture_output=True, timeout=20, check=True)
        health = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError, RecursionError):
        return None
    return health


def systemctl(*arguments: str) -> str:
    """Systemctl's answer; nothing where systemd is not running (an image being built)."""
    if not Path("/run/systemd/system").is_dir():
        return ""
    return subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False).stdout.strip()


def point_to(name: str) -> None:
    """Make `current` name a release, in one step."""
    fresh = HOME / "current.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(name)
    fresh.replace(HOME / "current")


def write(name: str, facts: dict[str, Any]) -> None:
    """A note beside the releases, whole or not at all."""
    fresh = HOME / f"{name}.new"
    fresh.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    fresh.replace(HOME / name)


def note(name: str) -> dict[str, Any]:
    """What `write` left; empty when there is nothing to read."""
    try:
        facts = json.loads((HOME / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def keep(version: str) -> None:
    """Before the package's files change: set the running release aside, and let the running daemon read from there."""
    (HOME / "before.json").unlink(missing_ok=True)
    if systemctl("is-active", SERVICE) in ("active", "activating", "reloading"):
        # What could not be judged before excuses nothing afterwards.
        write("before.json", {"complaints": sorted(each for each in amiss_now() if not each.startswith(UNREADABLE))})
    if (HOME / "current").is_symlink() and (HOME / "current").readlink() == Path("previous"):
        return  # rolled back: the release that works is set aside already, and the one that does not is no way back
    shutil.rmtree(HOME / "previous", ignore_errors=True)
    subprocess.run(["cp", "-al", HOME / "release", HOME / "previous"], check=True)
    (HOME / "previous" / "units").mkdir(exist_ok=True)
    for unit in UNITS.glob("vigie*"):
        shutil.copy2(unit, HOME / "previous" / "units")
    (HOME / "previous" / "version").write_text(version + "\n", encoding="utf-8")
    point_to("previous")


def switch(old_version: str) -> None:
    """After the package's files have changed: run the new release, on trial when a node was at work before."""
    for unit in note("rolled-back.json").get("units", []):
        (UNITS_OF_ADMIN / unit).unlink(missing_ok=True)
    (HOME / "rolled-back.json").unlink(missing_ok=True)
    point_to("release")
    systemctl("daemon-reload")
    systemctl("start", "vigie-retention.timer")
    before = note("before.json")
    if old_version and before:
        write("trial.json", {"from": old_version, "excused": before.get("complaints", [])})
        systemctl("reset-failed", SERVICE)
        systemctl("restart", "--no-block", SERVICE)
        systemctl("restart", "--no-block", "vigie-trial.service")
        print(f"vigie: the new release is on trial for {TRIAL_S:.0f} s; {old_version} comes back if it does not do its job")
    elif CONFIG.exists() and EXAMPLE.exists() and CONFIG.read_bytes() == EXAMPLE.read_bytes():
        print(
            f"vigie: edit {CONFIG} (four lines are marked with >>>), then: sudo vigie check && sudo systemctl start vigie.target"
        )
    else:
        systemctl("start", "--no-block", "vigie.target")


def trial() -> None:
    """Watch the new release, and go back when it is not well in time."""
    facts = note("trial.json")
    excused = facts.get("excused")
    began = time.monotonic()

    def wait(seconds: float) -> float:
        time.sleep(seconds)
        return time.monotonic() - began

    known = {text for text in excused if isinstance(text, str)} if isinstance(excused, list) else set()
    try:
        reason = judge(amiss_now, known, lambda: systemctl("is-failed", SERVICE) == "failed", wait)
    except Exception as error:  # noqa: BLE001 - a trial that cannot be held is not passed: the release before did its job
        reason = f"the trial could not be held ({type(error).__name__}: {error})"
    if reason:
        back(reason)
        return
    (HOME / "trial.json").unlink(missing_ok=True)
    print(f"the release that replaced {facts.get('from', 'the former one')} does its job: it stays")


def back(reason: str) -> None:
    """Run the release before, with its units."""
    if not (HOME / "previous" / "bin" / "python").exists():
        sys.exit("release: there is no release before this one to go back to")
    point_to("previous")  # first: whatever else fails, the next start is the release that did its job
    restored = []
    for unit in sorted((HOME / "previous" / "units").glob("vigie*")):
        # A unit that the administrator wrote stands; one that did not change needs no second copy.
        theirs = UNITS_OF_ADMIN / unit.name
        packaged = UNITS / unit.name
        if not theirs.exists() and not (packaged.exists() and packaged.read_bytes() == unit.read_bytes()):
            shutil.copy2(unit, theirs)
            restored.append(unit.name)
    try:
        previous = (HOME / "previous" / "version").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        previous = "the release before"
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    write("rolled-back.json", {"to": previous, "at": at, "why": reason, "units": restored})
    (HOME / "trial.json").unlink(missing_ok=True)
    systemctl("daemon-reload")
    systemctl("reset-failed", SERVICE)
    systemctl("restart", "--no-block", SERVICE)
    print(f"the new release did not do the node's job ({reason}): {previous} runs again", file=sys.stderr)


def status() -> None:
    """For a technician: what runs, and why."""
    rolled_back = note("rolled-back.json")
    if rolled_back:
        to, at, why = (rolled_back.get(name) for name in ("to", "at", "why"))
        print(f"{to} runs again since {at}: its successor failed its trial ({why})")
    elif note("trial.json"):
        former = note("trial.json").get("from", "the former one")
        print(f"the installed release is on trial; {former} comes back if it does not do its job")
    else:
        print("the installed release runs")


def main(arguments: list[str]) -> None:
    """One command of the usage above."""
    match arguments:
        case ["keep", version]:
            keep(version)
        case ["switch", *old_version]:
            switch("".join(old_version))
        case ["trial"]:
            trial()
        case ["back", reason]:
            back(reason)
        case ["status"]:
            status()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
