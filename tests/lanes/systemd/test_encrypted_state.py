"""docs/encryption.md is true: what a node keeps is ciphertext on its disk, opened at boot by a sealed key alone."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lanes.systemd.conftest import Boot, configure, install, listen
from tests.support.nspawn import Machine

pytestmark = pytest.mark.lane("systemd")

STOP = "systemctl stop vigie.target vigie.service vigie-trial.service vigie-retention.timer vigie-retention.service"
START = "systemctl start vigie.target vigie-retention.timer"
FILMS = "find /var/lib/vigie/recordings -name '*.mp4' -size +1k"
UNIT = "vigie-unlock@var-lib-vigie.service"


@dataclass
class Board:
    """A machine whose /var/lib lies on a disk of its own, ext4 as on a memory card; `disk` holds its bytes."""

    machine: Machine
    disk: Path

    def bytes_hold(self, text: bytes) -> bool:
        """Whether somebody who takes the disk out finds this on it."""
        self.machine.run("sync")
        return text in self.disk.read_bytes()


@pytest.fixture(scope="module")
def board(boot: Boot, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """With the package installed; nothing of it runs."""
    disk = tmp_path_factory.mktemp("disk") / "card.img"
    with disk.open("wb") as file:
        file.truncate(1 << 30)
    subprocess.run(["mkfs.ext4", "-q", "-O", "encrypt", disk], check=True)
    loop = subprocess.run(["losetup", "--find", "--show", disk], check=True, capture_output=True, text=True).stdout.strip()
    machine = boot("encrypted")
    try:
        minor = Path(loop).stat().st_rdev & 0xFF
        machine.run(
            f"mknod {loop} b 7 {minor} && mount {loop} /mnt && cp -a /var/lib/. /mnt/ && umount /mnt && mount {loop} /var/lib"
        )
        install(machine, package)
        configure(machine)
        yield Board(machine, disk)
    finally:
        machine.run(f"{STOP}; systemctl stop {UNIT}; umount --lazy /var/lib", check=False)
        subprocess.run(["losetup", "--detach", loop], check=False)


def encrypt(board: Board, options: str = "", *, good: bool = True) -> str:
    """`vigie-encrypt-state`: what it printed."""
    done = board.machine.run(f"vigie-encrypt-state {options}", check=False)
    assert (done.code == 0) is good, done.output
    assert "Traceback" not in done.output
    return done.output


def test_a_whole_life_in_cipher(board: Board) -> None:
    """Recordings of before come along; a locked directory opens nothing and starts nothing; the key at the start opens all."""
    machine = board.machine
    listen(machine)
    machine.run("systemctl start mosquitto; systemctl start vigie.target vigie-retention.timer")
    machine.wait_for(FILMS, "mp4")
    assert "systemctl stop vigie.target" in encrypt(board, good=False)
    machine.run(STOP)
    films = set(machine.run(FILMS).output.split())
    before = machine.run("cd /var/lib/vigie && find . -type f -exec sha256sum {} + | sort").output
    assert "--move" in encrypt(board, good=False)

    machine.run("mkdir /var/lib/vigie.moving && echo torn >/var/lib/vigie.moving/left")  # as a power cut leaves it
    said = encrypt(board, "--move --keep-key /root/safe.key")
    assert START in said
    assert "no TPM" in said
    assert machine.run("cd /var/lib/vigie && find . -type f -exec sha256sum {} + | sort").output == before
    assert machine.run("stat -c '%U %G %a' /var/lib/vigie").output == "vigie vigie 750"
    assert machine.run("ls -d /var/lib/vigie.moving", check=False).code
    assert machine.run("stat -c '%s %a' /root/safe.key").output == "32 400"

    machine.run(START)
    machine.wait_for(f"{FILMS} | wc -l", rf"^(?!{len(films)}$)\d+$")
    machine.run(STOP)
    now = set(machine.run(FILMS).output.split())
    assert films <= now
    name = Path(sorted(now - films)[-1]).name.encode()
    assert not board.bytes_hold(name)

    machine.run(f"systemctl stop {UNIT}")
    assert "mp4" not in machine.run(FILMS, check=False).output
    locked = machine.run("find /var/lib/vigie -type f -exec cat {} +", check=False)
    assert "Required key not available" in locked.output
    machine.run("mv /etc/credstore.encrypted/vigie.state-key /root/")
    assert machine.run("systemctl start vigie.service vigie-retention.service", check=False).code
    machine.run("mv /root/vigie.state-key /etc/credstore.encrypted/")

    machine.run("systemctl reset-failed; " + START)
    machine.wait_for("systemctl is-active vigie.service", "^active")
    assert now <= set(machine.run(FILMS).output.split())
    assert machine.run("vigie register --json | tail -n 1").output


def test_the_bytes_of_a_disk_show_what_is_not_encrypted(board: Board) -> None:
    """The search above is one: beside the directory a name and a content are found."""
    board.machine.run(STOP)
    board.machine.run("echo in-clear-7261 >/var/lib/name-in-clear-9954")
    assert board.bytes_hold(b"in-clear-7261")
    assert board.bytes_hold(b"name-in-clear-9954")
    board.machine.run("rm /var/lib/name-in-clear-9954; mkdir /var/lib/ssd")
    encrypt(board, "/var/lib/ssd")
    board.machine.run("echo in-cipher-4482 >/var/lib/ssd/name-in-cipher-3310")
    assert not board.bytes_hold(b"in-cipher-4482")
    assert not board.bytes_hold(b"name-in-cipher-3310")


def test_the_key_from_the_safe_opens_it_without_the_board(board: Board) -> None:
    """The sealed one is of no use on another board; the kept copy is."""
    machine = board.machine
    machine.run(STOP)
    machine.run(f"systemctl stop {UNIT}")
    assert "mp4" not in machine.run(FILMS, check=False).output
    machine.run("fscrypt unlock /var/lib/vigie --key=/root/safe.key --quiet")
    assert "mp4" in machine.run(FILMS).output


@pytest.mark.parametrize(
    ("prepared", "options", "told"),
    [
        ("", "relative", "no directory by its full name"),
        ("ln -sfn /var/lib/vigie /var/lib/link", "/var/lib/link", "no directory by its full name"),
        ("", "/var/lib", "is a whole file system"),
        ("mkdir -p /root/state", "/root/state", "cannot encrypt a directory"),
        ("mkdir -p /var/lib/a/b && mount -t tmpfs none /var/lib/a/b", "/var/lib/a", "mounted below"),
    ],
)
def test_what_cannot_be_encrypted_is_refused_in_words(board: Board, prepared: str, options: str, told: str) -> None:
    """One line: what, and what to do; nothing is touched."""
    board.machine.run(f"{STOP}; {prepared or 'true'}")
    said = encrypt(board, options, good=False)
    assert re.search(told, said), said
    assert len(said.splitlines()) == 1


def test_a_purge_while_it_is_locked_keeps_the_evidence_and_its_key(board: Board) -> None:
    """Names are others then: what is under hold could not be told from what must go. Unlocked, it plays as before."""
    machine = board.machine
    machine.run("mountpoint -q /var/lib/a/b && umount /var/lib/a/b; systemctl reset-failed; " + START, check=False)
    machine.wait_for("systemctl is-active vigie.service", "^active")
    machine.run(
        "vigie hold add --from 2000-01-01T00:00:00Z --to 2099-01-01T00:00:00Z --reference 'PV 2026/117' --by 'Cpt. Durand'"
    )
    machine.run("apt-get remove --yes --quiet vigie")
    films = machine.run(FILMS).output
    assert "mp4" in films
    machine.run("fscrypt lock /var/lib/vigie --quiet")
    assert "nothing was destroyed" in machine.run("apt-get purge --yes --quiet vigie").output
    machine.run("fscrypt unlock /var/lib/vigie --key=/root/safe.key --quiet")
    assert machine.run(FILMS).output == films
    assert machine.run("ls /etc/credstore.encrypted").output == "vigie.state-key"
