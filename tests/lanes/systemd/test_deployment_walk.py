"""docs/nomad-walk.md is true: a whole deployment on the installed package, typed as it stands there, over a loss of power too."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.lanes.systemd.conftest import REPOSITORY, Boot, configure, install
from tests.support.guide import steps, without_metrics
from tests.support.nspawn import Machine

pytestmark = pytest.mark.lane("systemd")

WALK = REPOSITORY / "docs/nomad-walk.md"
LIGHT_AFTER = {"deploy begin": "opaque", "deploy commission": "open", "systemctl kill": "open", "deploy end": "dark"}
"""What the camera comes to show after a command; the next one is typed then."""
FILMED = "find /var/lib/vigie/recordings -name '*.mp4' -size +1k | wc -l"


@pytest.fixture
def unit(boot: Boot, package: Path) -> Machine:
    """Installed and switched on, with the page's own configuration and a technician who has sudo."""
    board = boot("nomad")
    install(board, package)
    board.run("useradd --create-home technician; echo 'technician ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/technician")
    configure(board, re.findall(r"```toml\n(.*?)```", WALK.read_text(encoding="utf-8"), re.S)[0])
    # nspawn lays a boot id of its own over the kernel's, which a service with a /proc of its own does not see.
    board.run("echo 127.0.0.1 vm >>/etc/hosts; umount /proc/sys/kernel/random/boot_id; systemctl restart vigie.service")
    return board


def test_a_whole_deployment_as_it_was_written(unit: Machine) -> None:
    """Each command succeeds and prints what the page shows; closed, covered, open and closed again; one film, one sheet."""
    as_technician = "cd /home/technician && setpriv --reuid=technician --regid=technician --init-groups -- sh -c"
    for number, step in enumerate(steps(WALK.read_text(encoding="utf-8"))):
        unit.write(f"/home/technician/step-{number}", step.command)
        done = unit.run(f'{as_technician} "COLUMNS=110 . ./step-{number}"', check=False)
        assert done.code == 0, f"{step.command}\n{done.output}"
        printed = {without_metrics(line) for line in done.output.splitlines()}
        assert not [line for line in step.shown if without_metrics(line) not in printed], f"{step.command}\n{done.output}"
        for command, light in LIGHT_AFTER.items():
            if command in step.command:
                unit.wait_for("vigie deploy show --json", f'"light": "{light}"')
        if "deploy commission" in step.command:
            before = int(unit.run(FILMED).output)
            unit.wait_for(FILMED, rf"^(?!{before}$|{before + 1}$)\d+$")
    shown = json.loads(unit.run("vigie deploy show --json").output)
    assert (shown["stage"], shown["light"]) == ("withdrawn", "dark")
    sheet = unit.run("cat /var/lib/vigie/sheet.html").output
    assert all(words in sheet for words in ("2026-0412", "mât 4, rue Gloria", "A. Martin", "flat above the bakery"))
