"""The service: starts at boot, destroys on time, and takes security updates by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.commissioning.line import Line, fail, ok, warn
from agent.commissioning.programs import Ask

_UNITS = {
    "vigie.service": "records at boot",
    "vigie-retention.timer": "destroys footage on its day, also when the daemon is dead",
}
_ENABLED = ("enabled", "enabled-runtime", "static", "alias", "indirect", "generated")


def judge_units(ask: Ask) -> Iterator[Line]:
    """Each unit enabled, or wanted by the target that is."""
    target = ask("systemctl", "is-enabled", "vigie.target")
    for unit, duty in _UNITS.items():
        answer = ask("systemctl", "is-enabled", unit)
        if answer is None:
            yield warn(unit, "systemd cannot be asked here", f"on the node: `sudo systemctl enable {unit}`", state=None)
            continue
        state = answer.text.splitlines()[0].strip() if answer.text else "not-found"
        by_target = unit == "vigie.service" and target is not None and target.text == "enabled" and state == "disabled"
        if state in _ENABLED or by_target:
            yield ok(unit, f"enabled{' through vigie.target' if by_target else ''}: {duty}", state=state)
        else:
            yield fail(unit, f"{state}: nothing {duty}", f"`sudo systemctl enable --now {unit}`", state=state)


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
