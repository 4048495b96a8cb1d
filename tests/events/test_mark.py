"""The high-water mark beside the outbox."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.events.mark import SLOT_BYTES, Mark, MarkFile


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """The newest of many writes comes back, also to a new reader."""
    file = MarkFile(tmp_path / "outbox.mark")
    assert file.read() is None
    for reserved in (10, 20, 30):
        file.write(Mark("e", reserved, burnt=reserved == 30))
    assert MarkFile(tmp_path / "outbox.mark").read() == Mark("e", 30, burnt=True)


@given(st.integers(0, SLOT_BYTES - 1), st.binary(min_size=1, max_size=SLOT_BYTES))
def test_a_torn_write_leaves_the_one_before(tmp_path_factory: pytest.TempPathFactory, at: int, garbage: bytes) -> None:
    """Whatever lands in the slot being written, the other slot is read, or the new one if it came through whole."""
    path = tmp_path_factory.mktemp("mark") / "outbox.mark"
    file = MarkFile(path)
    file.write(Mark("e", 1000))
    file.write(Mark("e", 2000))
    content = bytearray(path.read_bytes())
    cut = garbage[: SLOT_BYTES - at]
    content[at : at + len(cut)] = cut  # the second write lies in the first slot
    path.write_bytes(content)
    assert MarkFile(path).read() in (Mark("e", 1000), Mark("e", 2000))


@given(st.binary(max_size=3 * SLOT_BYTES))
def test_garbage_is_no_mark(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Any file that is not ours reads as none, never as a number."""
    path = tmp_path_factory.mktemp("mark") / "outbox.mark"
    path.write_bytes(content)
    assert MarkFile(path).read() is None
