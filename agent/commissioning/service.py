"""The service: starts at boot, runs, destroys on time, and takes security updates by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from agent.base.phrase import say
from agent.commissioning.line import Grade, Line, fail, left_open, ok, warn
from agent.commissioning.programs import Ask

SERVICE, TARGET, TIMER = "vigie.service", "vigie.target", "vigie-retention.timer"
_JOURNAL = say("`sudo journalctl -u vigie -n 20` says why")


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
        return left_open(SERVICE, say("systemd did not start this system: what starts at boot cannot be told"), state=None)
    if units.service == "not-found":
        remedy = say("`sudo apt install ./vigie_*.deb`")
        return fail(SERVICE, say("the package is not installed: nothing starts at boot"), remedy, state=units.service)
    if units.service.startswith("masked"):
        return fail(
            SERVICE,
            say("masked: nothing records"),
            say("`sudo systemctl unmask {service}`", service=SERVICE),
            state=units.service,
        )
    if units.target != "enabled":
        said = say("{unit} is {state}: nothing starts at boot", unit=TARGET, state=units.target)
        return fail(SERVICE, said, say("`sudo systemctl enable --now {target}`", target=TARGET), state=units.target)
    return ok(SERVICE, say("starts at boot, through {target}", target=TARGET), state="enabled")


def _running(units: Units, health: Mapping[str, Any]) -> Line:
    version = health.get("version")
    sick = sorted(name for name, state in health.get("components", {}).items() if state == "failed")
    if sick:
        remedy = _JOURNAL if units.active == "active" else say("its log says why; `vigie status -v` shows all it knows")
        return fail("daemon", say("runs, but {names} failed", names=", ".join(sick)), remedy, running=True)
    return ok("daemon", say("version {version} runs", version=version), running=True)


def _stopped(units: Units, service: Line) -> Line:
    if service.grade is Grade.FAIL:
        return left_open("daemon", say("does not run: waits for {service}", service=SERVICE), running=False)
    if service.grade is Grade.OPEN:
        return warn("daemon", say("does not run"), say("`vigie run`"), running=False)
    match units.active:
        case "failed":
            return fail("daemon", say("ended over a fault"), _JOURNAL, running=False)
        case "activating":
            return warn("daemon", say("is being started, and does not answer yet"), _JOURNAL, running=False)
        case "active" | "reloading" | "deactivating":
            return warn("daemon", say("runs, and does not answer"), say("`sudo systemctl restart vigie`"), running=False)
        case _:
            return warn("daemon", say("does not run"), say("`sudo systemctl start {target}`", target=TARGET), running=False)


def _timer(units: Units) -> Line:
    if units.timer is None:
        return left_open(TIMER, say("systemd did not start this system: nothing destroys while the daemon is dead"), state=None)
    if units.service == "not-found":
        return left_open(TIMER, say("waits for {service}", service=SERVICE), state=units.timer)
    if units.timer != "enabled":
        said = say("{timer}: nothing is destroyed on its day while the daemon is dead", timer=units.timer)
        return fail(TIMER, said, say("`sudo systemctl enable --now {target}`", target=TIMER), state=units.timer)
    return ok(TIMER, say("enabled: footage is destroyed on its day, also while the daemon is dead"), state=units.timer)


def judge_updates(ask: Ask) -> Line:
    """Whether apt installs security updates without being asked."""
    answer = ask("apt-config", "dump", "APT::Periodic")
    if answer is None:
        return left_open("security updates", say("there is no apt here to be asked"))
    settings = dict(re.findall(r'^APT::Periodic::([\w-]+) "(\w+)";', answer.text, re.MULTILINE))
    if all(settings.get(name, "0") not in ("0", "") for name in ("Update-Package-Lists", "Unattended-Upgrade")):
        return ok("security updates", say("unattended-upgrades installs them daily"), configured=True)
    if "Unattended-Upgrade" in settings:
        remedy = say("`sudo dpkg-reconfigure -plow unattended-upgrades`")
        return warn("security updates", say("unattended-upgrades is there, and switched off"), remedy, configured=False)
    return warn("security updates", say("nothing installs them"), say("`sudo apt install unattended-upgrades`"), configured=False)
