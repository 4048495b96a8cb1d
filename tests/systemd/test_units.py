"""The unit files say what they mean, and leave a broken-into daemon little to do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support import parts

SERVICES = sorted(path.name for path in (Path(__file__).parents[2] / "systemd").glob("*.service"))
EXPOSURE_TENTHS = 20


def verify(units: Path, directory: Path, *, change: tuple[str, str] | None = None) -> str:
    """What systemd-analyze verify complains of; it returns 0 on unknown keys, so only silence is a pass.

    The programs that the package installs are not here: /bin/true stands for them.
    """
    directory.mkdir(exist_ok=True)
    copies = []
    for unit in sorted(units.glob("vigie*.[st]*")):
        text = re.sub(r"^(Exec\w+=\+?)/usr/(bin|lib)/(vigie|fscrypt)\S*", r"\1/bin/true", unit.read_text(), flags=re.M)
        if change:
            text = text.replace(*change)
        copies.append(directory / unit.name)
        copies[-1].write_text(text)
    assert len(copies) == 6
    program = parts.program("systemd-analyze", "systemd")
    done = subprocess.run([program, "verify", "--man=no", *copies], capture_output=True, text=True)
    # The machine's own units are loaded with ours, and are none of our business.
    return "\n".join(line for line in (done.stdout + done.stderr).splitlines() if "vigie" in line or str(directory) in line)


def test_units_verify_in_silence(units: Path, tmp_path: Path) -> None:
    """Systemd understands every line of every unit."""
    assert verify(units, tmp_path / "units") == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("WatchdogSec=30", "WatchdogSeconds=30"), ("Type=notify", "Type=notified"), ("Wants=vigie.service", "Wants=vigie.servce")],
)
def test_verification_can_fail(units: Path, tmp_path: Path, right: str, wrong: str) -> None:
    """A misspelt key, value or unit is found: the check above is one."""
    assert verify(units, tmp_path / "units", change=(right, wrong)) != ""


@pytest.mark.parametrize("service", SERVICES)
def test_exposure_is_low(units: Path, service: str) -> None:
    """systemd-analyze security gives each service that there is an exposure of 2.0 or less."""
    assert len(SERVICES) >= 3
    program = parts.program("systemd-analyze", "systemd")
    command = [program, "security", "--offline=true", f"--threshold={EXPOSURE_TENTHS}", "--no-pager", str(units / service)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_exposure_check_can_fail(units: Path, tmp_path: Path) -> None:
    """Without its sandbox the daemon would not pass."""
    bare = tmp_path / "vigie.service"
    sandbox = r"^(Protect|Restrict|SystemCall|Capability|NoNew|Device|Private).*\n"
    bare.write_text(re.sub(sandbox, "", (units / "vigie.service").read_text(), flags=re.M))
    program = parts.program("systemd-analyze", "systemd")
    command = [program, "security", "--offline=true", f"--threshold={EXPOSURE_TENTHS}", "--no-pager", str(bare)]
    assert subprocess.run(command, capture_output=True).returncode != 0


def test_devices_of_cameras_and_chargers_are_named_and_no_others(units: Path) -> None:
    """What a camera and a charger on a serial line need, spelt out; nothing else of /dev is open."""
    lines = (units / "vigie.service").read_text().splitlines()
    assert "DevicePolicy=closed" in lines
    allowed = {line.removeprefix("DeviceAllow=") for line in lines if line.startswith("DeviceAllow=")}
    cameras = {"char-video4linux rw", "char-media rw", "char-dma_heap rw", "/dev/vcio rw"}
    assert allowed == cameras | {f"char-tty{kind} rw" for kind in ("USB", "ACM", "AMA", "S")}
    (groups,) = [line for line in lines if line.startswith("SupplementaryGroups=")]
    assert {"video", "render", "dialout"} == set(groups.partition("=")[2].split())


def test_sweep_comes_within_the_minute(units: Path) -> None:
    """Interval and accuracy together stay below the minute that a recording may outlive its day."""
    timer = dict(re.findall(r"^(\w+)=(\d+)$", (units / "vigie-retention.timer").read_text(), flags=re.M))
    assert int(timer["OnUnitActiveSec"]) + int(timer["AccuracySec"]) < 60


def test_stopping_the_node_does_not_stop_destruction(units: Path) -> None:
    """The retention timer belongs to timers.target; nothing of the node's target stops it."""
    for unit in ("vigie-retention.timer", "vigie-retention.service"):
        text = (units / unit).read_text()
        assert not re.search(r"^(PartOf|BindsTo|Requires)=", text, flags=re.M)
    assert "WantedBy=timers.target" in (units / "vigie-retention.timer").read_text()


def test_clear_pixels_do_not_reach_a_disk(units: Path) -> None:
    """A crash writes no core and memory is not swapped: a frame before its mask stays in memory."""
    lines = (units / "vigie.service").read_text().splitlines()
    assert {"LimitCORE=0", "MemorySwapMax=0"} <= set(lines)
