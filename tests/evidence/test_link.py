"""The link over a clean stop: gone on with once, by the same key, when nothing was recorded in between."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import NS
from agent.signing.link import Link, LinkFile

LEFT = Link(41, bytes(range(32)), 1000 * NS)


def file(path: Path, key_id: str = "k", until_ns: int = 1000 * NS) -> LinkFile:
    """The link file of a node that has recorded until then."""
    return LinkFile(path / "signing.json", key_id, lambda: until_ns)


def test_a_link_is_taken_once(tmp_path: Path) -> None:
    """What is left comes back; a second start, as after a kill, begins anew."""
    file(tmp_path).leave(LEFT)
    assert file(tmp_path).take() == LEFT
    assert file(tmp_path).take() == Link()


def test_a_link_of_another_key_is_none(tmp_path: Path) -> None:
    """A new key has a chain of its own."""
    file(tmp_path).leave(LEFT)
    assert file(tmp_path, "other").take() == Link()


def test_a_link_is_none_when_something_was_recorded_after_it(tmp_path: Path) -> None:
    """An earlier release that was put back signs a chain of its own: nothing goes on behind its back."""
    file(tmp_path).leave(LEFT)
    assert file(tmp_path, until_ns=1002 * NS).take() == Link()


@given(
    content=st.binary(max_size=80)
    | st.sampled_from([b"{}", b"[]", b'{"key":"k","counter":true,"first":"","end":1,"signature":""}', b"9" * 9])
)
def test_whatever_stands_in_the_file_signing_begins(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Damage begins the chain anew."""
    directory = tmp_path_factory.getbasetemp()
    (directory / "signing.json").write_bytes(content)
    assert file(directory).take() == Link()


def test_a_disk_that_refuses_costs_the_link_alone(tmp_path: Path) -> None:
    """No error reaches the stream."""
    file(tmp_path / "missing").leave(LEFT)
    assert file(tmp_path / "missing").take() == Link()
