"""The service: starts at boot, runs, destroys on time, and takes security updates by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from agent.commissioning.line import Grade, Line, fail, left_open, ok, warn
from agent.commissioning.programs import Ask

SERVICE, TARGET, TIMER = "vigie.service", "vigie.target", "vigie-retention.timer"
_JOURNAL = "`sudo journalctl -u vigie -n 20` says why"


class Units(Struct, frozen=True):
    """What systemd says of our units, each as `systemctl is-enabled` has it; None where systemd is not there to be asked."""

    service: str | None
    target: str | None
    timer: str | None
    active: str = ""

    @classmethod
    def of(cls, ask: Ask, root: Path = Path("/")) -> Units:
        """Asked here. Where another program started the system, `systemctl` may be installed, and starts nothing."""
        if not (root / "run/systemd/system").is_dir():
            return cls(None, None, None)
        active = ask("systemctl", "is-active", SERVICE)
        states = {unit: _state(ask, unit) for unit in (SERVICE, TARGET, TIMER)}
        return cls(states[SERVICE], states[TARGET], states[TIMER], active.text if active is not None else "")


def _state(ask: Ask, unit: str) -> str | None:
    answer = ask("systemctl", "is-enabled", unit)
    if answer is None:
        return None
    return answer.text.splitlines()[0].strip() if answer.text else "not-found"


def judge_service(units: Units, health: Mapping[str, Any] | None) -> Iterator[Line]:
    """The daemon starts at boot, runs now (`health`: its answer), and footage goes on its day whether it runs or not."""
    service = _service(units)
    yield service
    yield _running(units, health) if health is not None else _stopped(units, service)
    yield _timer(units)


def _service(units: Units) -> Line:
    """The target pulls the service in, whatever the service's own state, unless that is masked."""
    if units.service is None or units.target is None:
        return left_open(SERVICE, "systemd did not start this system: what starts at boot cannot be told", state=None)
    if units.service == "not-found":
        remedy = "`sudo apt install ./vigie_*.deb`"
        return fail(SERVICE, "the package is not installed: nothing starts at boot", remedy, state=units.service)
    if units.service.startswith("masked"):
        return fail(SERVICE, "masked: nothing records", f"`sudo systemctl unmask {SERVICE}`", state=units.service)
    if units.target != "enabled":
        said = f"{TARGET} is {units.target}: nothing starts at boot"
        return fail(SERVICE, said, f"`sudo systemctl enable --now {TARGET}`", state=units.target)
    return ok(SERVICE, f"starts at boot, through {TARGET}", state="enabled")


def _running(units: Units, health: Mapping[str, Any]) -> Line:
    version = health.get("version")
    sick = sorted(name for name, state in health.get("components", {}).items() if state == "failed")
    if sick:
        remedy = _JOURNAL if units.active == "active" else "its log says why; `vigie status -v` shows all it knows"
        return fail("daemon", f"runs, but {', '.join(sick)} failed", remedy, running=True)
    return ok("daemon", f"version {version} runs", running=True)


def _stopped(units: Units, service: Line) -> Line:
    if service.grade is Grade.FAIL:
        return left_open("daemon", f"does not run: waits for {SERVICE}", running=False)
    if service.grade is Grade.OPEN:
        return warn("daemon", "does not run", "`vigie run`", running=False)
    match units.active:
        case "failed":
            return fail("daemon", "ended over a fault", _JOURNAL, running=False)
        case "activating":
            return warn("daemon", "is being started, and does not answer yet", _JOURNAL, running=False)
        case "active" | "reloading" | "deactivating":
            return warn("daemon", "runs, and does not answer", "`sudo systemctl restart vigie`", running=False)
        case _:
            return warn("daemon", "does not run", f"`sudo systemctl start {TARGET}`", running=False)


def _timer(units: Units) -> Line:
    if units.timer is None:
        return left_open(TIMER, "systemd did not start this system: nothing destroys while the daemon is dead", state=None)
    if units.service == "not-found":
        return left_open(TIMER, f"waits for {SERVICE}", state=units.timer)
    if units.timer != "enabled":
        said = f"{units.timer}: nothing is destroyed on its day while the daemon is dead"
        return fail(TIMER, said, f"`sudo systemctl enable --now {TIMER}`", state=units.timer)
    return ok(TIMER, "enabled: footage is destroyed on its day, also while the daemon is dead", state=units.timer)


def judge_updates(ask: Ask) -> Line:
    """Whether apt installs security updates without being asked."""
    answer = ask("apt-config", "dump", "APT::Periodic")
    if answer is None:
        return left_open("security updates", "there is no apt here to be asked")
    settings = dict(re.findall(r'^APT::Periodic::([\w-]+) "(\w+)";', answer.text, re.MULTILINE))
    if all(settings.get(name, "0") not in ("0", "") for name in ("Update-Package-Lists", "Unattended-Upgrade")):
        return ok("security updates", "unattended-upgrades installs them daily", configured=True)
    if "Unattended-Upgrade" in settings:
        remedy = "`sudo dpkg-reconfigure -plow unattended-upgrades`"
        return warn("security updates", "unattended-upgrades is there, and switched off", remedy, configured=False)
    return warn("security updates", "nothing installs them", "`sudo apt install unattended-upgrades`", configured=False)
