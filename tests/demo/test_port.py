"""Where the demonstration's page goes when another program is there already."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.base.errors import DeviceError
from agent.demo.demonstration import Demonstration


@pytest.fixture
def taken() -> Iterator[int]:
    """A port another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield int(other.getsockname()[1])


def test_the_usual_port_gives_way_where_it_is_taken(taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asked for it: the page goes elsewhere, and is announced there."""
    monkeypatch.setattr("agent.demo.demonstration.PAGE_PORT", taken)
    assert Demonstration(None, (), tmp_path, None, quiet=True)._port not in (0, taken)


def test_a_port_that_was_asked_for_is_refused_in_words(taken: int, tmp_path: Path) -> None:
    """Nothing starts on another program's page."""
    with pytest.raises(DeviceError, match=f"port {taken} is taken by another program"):
        Demonstration(None, (), tmp_path, taken, quiet=True)
