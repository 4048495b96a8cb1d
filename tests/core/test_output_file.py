"""What a person asked to be written: whole, never over what is no file, and judged before any work is done for it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.base.errors import StorageError
from agent.base.output_file import Output
from agent.cli import run

TEXT = b"drawing\n" * 20_000
CONFIG = """
[node]
id = "n1"
state_dir = "state"
[camera]
driver = "synthetic"
width = 320
height = 240
realtime = false
[[privacy.mask]]
name = "first window"
polygon = [[0.40, 0.30], [0.60, 0.30], [0.60, 0.50], [0.40, 0.50]]
[console]
enabled = false
"""


def test_a_file_is_made_and_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    """Also in the place of an older file that was open to others; nothing else is left in the directory."""
    out = tmp_path / "still.png"
    out.write_bytes(b"drawing of yesterday")
    out.chmod(0o666)
    Output(out, b"drawing").write(TEXT, mode=0o600)
    assert out.read_bytes() == TEXT
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [out]


def test_a_device_is_written_to_and_stays_a_device(tmp_path: Path) -> None:
    """Through a link, as `/dev/stdout` is one: link and device are the same after it."""
    link = tmp_path / "sink"
    link.symlink_to("/dev/null")
    before = Path("/dev/null").stat()
    Output(link, b"drawing").write(TEXT)
    assert (link.is_symlink(), Path("/dev/null").stat().st_ino) == (True, before.st_ino)


def test_a_pipe_that_somebody_reads_gets_all_of_it(tmp_path: Path) -> None:
    """More than a pipe holds at once; the pipe is still there."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    ready = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(ready, True)

    def read() -> None:
        with os.fdopen(ready, "rb") as file:
            got.append(file.read())

    output = Output(pipe, b"drawing")
    reader = threading.Thread(target=read)
    # Its end comes with the last writer: it begins to wait once there is one.
    writer = os.open(pipe, os.O_WRONLY)
    reader.start()
    output.write(TEXT)
    os.close(writer)
    reader.join(60)
    assert got == [TEXT]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_standard_output_is_written_to_where_the_shell_sent_it(tmp_path: Path) -> None:
    """`--out /dev/stdout > file`: the link in /dev is still the link that it was."""
    before = Path("/dev/stdout").readlink()
    program = """
from pathlib import Path
from agent.base.output_file import Output
Output(Path('/dev/stdout'), b'drawing').write(b'drawing')
"""
    with (tmp_path / "file").open("wb") as file:
        subprocess.run([sys.executable, "-c", program], stdout=file, check=True)
    assert (tmp_path / "file").read_bytes() == b"drawing"
    assert Path("/dev/stdout").readlink() == before


def link_to_a_file(where: Path) -> Path:
    """A link that somebody planted."""
    (where / "precious").write_bytes(b"precious")
    (where / "x").symlink_to(where / "precious")
    return where / "x"


def link_to_nothing(where: Path) -> Path:
    """A link to where a file would be made."""
    (where / "x").symlink_to(where / "planted")
    return where / "x"


def directory(where: Path) -> Path:
    """A directory."""
    (where / "x").mkdir()
    return where / "x"


def unread_pipe(where: Path) -> Path:
    """A pipe that nobody reads."""
    os.mkfifo(where / "x")
    return where / "x"


def missing_directory(where: Path) -> Path:
    """Nothing, in a directory that is not there."""
    return where / "none" / "x"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (link_to_a_file, "it is a link to"),
        (link_to_nothing, "it is a link to nothing"),
        (directory, "it is a directory"),
        (unread_pipe, "nobody reads from it"),
        (missing_directory, "there is no directory"),
    ],
)
def test_anything_else_is_refused_in_words_and_left_as_it_is(tmp_path: Path, place: Callable[[Path], Path], said: str) -> None:
    """What, where and why; and nothing was replaced, followed or waited for."""
    path = place(tmp_path)
    before = {each: each.lstat() for each in sorted(tmp_path.rglob("*"))}
    with pytest.raises(StorageError, match=said) as refused:
        Output(path, b"drawing").write(TEXT)
    assert str(path) in str(refused.value)
    assert refused.value.remedy
    assert [(p, s.st_ino, s.st_mode, s.st_size) for p, s in before.items()] == [
        (p, p.lstat().st_ino, p.lstat().st_mode, p.lstat().st_size) for p in sorted(tmp_path.rglob("*"))
    ]


COMMANDS = [
    ["masks", "show", "--by", "A. Martin", "--out"],
    ["doctor", "--look", "0.5", "--sheet"],
    ["identity", "csr", "--out"],
    ["run", "--for", "1", "--summary"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_no_command_replaces_what_is_no_file(tmp_path: Path, capfd: pytest.CaptureFixture[str], command: list[str]) -> None:
    """A link to a device under each command's output option: it is the same link afterwards, and the precious file unread."""
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    assert run(["identity", "init", "--config", str(config)]) == 0
    path = link_to_a_file(tmp_path)
    assert run([*command, str(path), "--config", str(config)]) == 1
    assert "it is a link to" in capfd.readouterr().err
    assert (path.is_symlink(), path.read_bytes()) == (True, b"precious")


@pytest.mark.parametrize("precious", ["config.toml", "state/identity/key.pem", "film.mp4", "register.jsonl"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_no_command_replaces_a_file_of_another_kind(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], command: list[str], precious: str
) -> None:
    """A slip of the fingers names the configuration, the key or evidence: refused before any work, and every byte is there."""
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    assert run(["identity", "init", "--config", str(config)]) == 0
    path = tmp_path / precious
    if not path.exists():
        path.write_bytes({"film.mp4": b"\0\0\0\x1cftypisom", "register.jsonl": b'{"at":"2026-11-23T10:00:00Z"}\n'}[precious])
    before = path.read_bytes()
    assert run([*command, str(path), "--config", str(config)]) == 1
    assert "another kind of file is there" in capfd.readouterr().err
    assert path.read_bytes() == before


def test_an_empty_file_is_nobodys(tmp_path: Path) -> None:
    """`mktemp` makes one: it is replaced."""
    out = tmp_path / "out"
    out.touch()
    Output(out, b"drawing").write(TEXT)
    assert out.read_bytes() == TEXT
