"""[onvif]: what is refused, and what is advised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from agent.config.advice import _onvif
from agent.config.reading import read
from tests.support.configuration import configured

BASE: dict[str, Any] = {"node": {"id": "pole-7"}, "camera": {"driver": "synthetic"}}
ON = {"enabled": True}


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"onvif": ON}, "without [live] there is neither"),
        ({"onvif": ON, "live": {"enabled": True, "rtsp_port": 0, "rtsps_port": 0}}, "leads to RTSP"),
        ({"onvif": {**ON, "port": 8554}, "live": ON}, "port 8554 is that of [live] rtsp_port"),
        ({"onvif": {**ON, "port": 8080}, "live": ON}, "port 8080 is that of [console] port"),
        ({"onvif": {**ON, "host": "::1", "discovery": True}, "live": ON}, "discovery speaks IPv4"),
        ({"onvif": {**ON, "host": "somewhere else"}, "live": ON}, "no address to listen on"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_says_why(tables: Mapping[str, Any], says: str) -> None:
    """One sentence each."""
    _, faults = read({**BASE, **tables})
    assert says in "; ".join(str(fault) for fault in faults)


@pytest.mark.parametrize("tables", [{}, {"onvif": ON, "live": ON}, {"onvif": {"port": 8554}}])
def test_what_can_be_meant_is_taken(tables: Mapping[str, Any]) -> None:
    """Off, nothing of it counts."""
    assert configured({**BASE, **tables})


@pytest.mark.parametrize(
    ("onvif", "live", "says"),
    [
        ({"host": "0.0.0.0"}, {"host": "0.0.0.0"}, ["events and snapshots out by HTTP in the clear"]),
        ({"host": "0.0.0.0"}, {"host": "0.0.0.0", "rtsp_port": 0}, ["lets events out by HTTP in the clear"]),
        ({"host": "0.0.0.0"}, {}, ["in the clear", "nobody reaches from there"]),
        ({}, {}, []),
    ],
)
def test_what_leaves_the_machine_is_said(onvif: Mapping[str, Any], live: Mapping[str, Any], says: list[str]) -> None:
    """In the clear, or to a stream that stays at home."""
    notes = _onvif(configured({**BASE, "onvif": {**ON, **onvif}, "live": {**ON, **live}}))
    assert [expected in note for expected, note in zip(says, notes, strict=True)] == [True] * len(says)
