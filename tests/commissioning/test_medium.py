"""What recordings lie on, told from a laid-out sysfs, and from the machine at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.commissioning.line import Grade
from agent.commissioning.medium import judge_medium, medium_of


def lay_out(root: Path, recordings: Path, disk: str, files: dict[str, str], mount: str = "ext4", flags: str = "rw") -> Path:
    """A root whose /sys and /proc say that `recordings` lies on partition 1 of `disk`."""
    device = recordings.stat().st_dev
    whole = root / "sys/devices/block" / disk
    (whole / f"{disk}p1").mkdir(parents=True)
    (whole / f"{disk}p1/partition").write_text("1\n")
    for name, content in files.items():
        (whole / name).parent.mkdir(parents=True, exist_ok=True)
        (whole / name).write_text(content)
    (root / "sys/dev/block").mkdir(parents=True)
    (root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}").symlink_to(whole / f"{disk}p1")
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text(
        f"22 1 8:1 / / rw shared:1 - ext4 /dev/root rw\n23 22 8:2 / {recordings} {flags} - {mount} x rw\n"
    )
    return root


@pytest.mark.parametrize(
    ("disk", "files", "kind", "grade"),
    [
        ("mmcblk0", {"device/type": "SD\n", "device/name": "SN64G\n"}, "sd", Grade.WARN),
        ("mmcblk0", {"device/type": "MMC\n", "device/life_time": "0x02 0x01\n"}, "emmc", Grade.OK),
        ("mmcblk0", {"device/type": "MMC\n", "device/life_time": "0x09 0x01\n"}, "emmc", Grade.WARN),
        ("nvme0n1", {"queue/rotational": "0\n", "device/model": "Endurance 500\n"}, "ssd", Grade.OK),
        ("sda", {"queue/rotational": "1\n"}, "disk", Grade.OK),
    ],
)
def test_each_medium_is_recognised_by_its_partition(
    tmp_path: Path, disk: str, files: dict[str, str], kind: str, grade: Grade
) -> None:
    """The partition leads to the disk; wear is told where the disk tells it."""
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    medium = medium_of(recordings, lay_out(tmp_path / "root", recordings, disk, files))
    assert medium.kind == kind
    assert judge_medium(medium).grade is grade


@pytest.mark.parametrize(
    ("mount", "flags", "kind", "grade"),
    [("tmpfs", "rw", "memory", Grade.FAIL), ("nfs4", "rw", "network", Grade.WARN), ("ext4", "ro,noatime", "ssd", Grade.FAIL)],
)
def test_memory_network_and_a_read_only_disk(tmp_path: Path, mount: str, flags: str, kind: str, grade: Grade) -> None:
    """Footage in memory is lost at a restart; a file system that turned read-only takes none."""
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    root = lay_out(tmp_path / "root", recordings, "nvme0n1", {"queue/rotational": "0"}, mount, flags)
    medium = medium_of(recordings, root)
    assert (medium.kind, judge_medium(medium).grade) == (kind, grade)


def test_the_machine_at_hand_has_a_file_system(tmp_path: Path) -> None:
    """Real /proc and /sys, whatever they say here, are read without a stumble."""
    assert medium_of(tmp_path).file_system
    assert judge_medium(medium_of(tmp_path)).measured


def test_a_mount_point_is_called_as_the_french_call_it(tmp_path: Path) -> None:
    """Letters beyond ASCII and blanks in the name of a mount do not send the doctor to the disk below it."""
    recordings = tmp_path / "Clé de secours"
    recordings.mkdir()
    root = lay_out(tmp_path / "root", recordings, "nvme0n1", {"queue/rotational": "0"}, "tmpfs")
    mounts = root / "proc/self/mountinfo"
    mounts.write_text(mounts.read_text().replace("Clé de secours", "Clé\\040de\\040secours"))
    assert medium_of(recordings, root).kind == "memory"
