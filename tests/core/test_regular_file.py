"""Reading what may have been replaced: files are read, everything else is refused at once."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from agent.base.regular_file import IrregularFileError, open_regular, read_regular


def test_a_file_is_read_up_to_the_bound(tmp_path: Path) -> None:
    """All of a short one, the beginning of a long one."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert read_regular(path, 100) == b"0123456789"
    assert read_regular(path, 4) == b"0123"
    with open_regular(path) as file:
        assert file.read() == b"0123456789"


def test_nothing_that_could_keep_the_reader_waiting_is_opened(tmp_path: Path) -> None:
    """A pipe nobody writes to, a pipe somebody holds open, a socket, an endless device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(IrregularFileError, match="no regular file"):
        read_regular(pipe, 10)
    holder = os.open(pipe, os.O_RDWR)
    with pytest.raises(IrregularFileError):
        read_regular(pipe, 10)
    os.close(holder)
    os.mknod(tmp_path / "socket", stat.S_IFSOCK | 0o600)
    for path in (tmp_path / "socket", Path("/dev/zero")):
        with pytest.raises(IrregularFileError):
            read_regular(path, 10)


def test_a_link_is_followed_only_where_it_may_be(tmp_path: Path) -> None:
    """A configuration may be a link; what only the daemon writes may not."""
    (tmp_path / "file").write_bytes(b"here")
    link = tmp_path / "link"
    link.symlink_to("file")
    assert read_regular(link, 10) == b"here"
    with pytest.raises(IrregularFileError, match="symbolic link"):
        read_regular(link, 10, follow=False)


def test_what_is_missing_or_a_directory_is_said_as_open_says_it(tmp_path: Path) -> None:
    """Callers tell these apart; no descriptor stays behind."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none", 10)
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path, 10)
    with pytest.raises(IrregularFileError):
        read_regular(Path("/dev/null"), 10)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
