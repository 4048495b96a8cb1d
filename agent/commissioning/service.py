"""The service: starts at boot, destroys on time, and takes security updates by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.commissioning.line import Line, fail, ok, warn
from agent.commissioning.programs import Ask

SERVICE, TARGET, TIMER = "vigie.service", "vigie.target", "vigie-retention.timer"
_NO_SYSTEMD = "systemd cannot be asked here"


def judge_units(ask: Ask) -> Iterator[Line]:
    """The daemon starts at boot, and footage is destroyed on its day whether the daemon runs or not."""
    yield _service(_state(ask, SERVICE), _state(ask, TARGET))
    yield _timer(_state(ask, TIMER))


def _state(ask: Ask, unit: str) -> str | None:
    answer = ask("systemctl", "is-enabled", unit)
    if answer is None:
        return None
    return answer.text.splitlines()[0].strip() if answer.text else "not-found"


def _service(service: str | None, target: str | None) -> Line:
    """The target pulls the service in, whatever the service's own state, unless that is masked."""
    if service is None or target is None:
        return warn(SERVICE, _NO_SYSTEMD, f"on the node: `sudo systemctl enable --now {TARGET}`", state=None)
    if service in ("not-found", "masked", "masked-runtime"):
        remedy = "install the package" if service == "not-found" else f"`sudo systemctl unmask {SERVICE}`"
        return fail(SERVICE, f"{service}: nothing records", remedy, state=service)
    if target != "enabled":
        remedy = f"`sudo systemctl enable --now {TARGET}`"
        return fail(SERVICE, f"{TARGET} is {target}: nothing starts at boot", remedy, state=target)
    return ok(SERVICE, f"starts at boot, through {TARGET}", state="enabled")


def _timer(timer: str | None) -> Line:
    remedy = f"`sudo systemctl enable --now {TIMER}`"
    if timer is None:
        return warn(TIMER, _NO_SYSTEMD, f"on the node: {remedy}", state=None)
    if timer != "enabled":
        return fail(TIMER, f"{timer}: nothing is destroyed on its day while the daemon is dead", remedy, state=timer)
    return ok(TIMER, "enabled: footage is destroyed on its day, also while the daemon is dead", state=timer)


def judge_updates(ask: Ask) -> Line:
    """Whether apt installs security updates without being asked."""
    answer = ask("apt-config", "dump", "APT::Periodic")
    if answer is None:
        return warn("security updates", "apt cannot be asked here", "see that this system takes security updates by itself")
    settings = dict(re.findall(r'^APT::Periodic::([\w-]+) "(\w+)";', answer.text, re.MULTILINE))
    if all(settings.get(name, "0") not in ("0", "") for name in ("Update-Package-Lists", "Unattended-Upgrade")):
        return ok("security updates", "unattended-upgrades installs them daily", configured=True)
    remedy = "`sudo apt install unattended-upgrades`, then `sudo dpkg-reconfigure -plow unattended-upgrades`"
    return warn("security updates", "not installed by themselves", remedy, configured=False)
