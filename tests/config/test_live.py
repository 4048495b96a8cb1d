"""[live]: what is refused, and what is advised."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.base.errors import ConfigurationError
from agent.config.advice import _live
from agent.config.load import load
from agent.config.reading import read
from tests.support.configuration import configured

BASE: dict[str, Any] = {"node": {"id": "pole-7"}, "camera": {"driver": "synthetic"}}


def refused(tables: Mapping[str, Any]) -> str:
    """Every fault of these tables, in words."""
    _, faults = read({**BASE, **tables})
    return "; ".join(str(fault) for fault in faults)


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"live": {"enabled": True}, "encoding": {"keyframe_seconds": 6}}, "some relays lose them"),
        ({"live": {"account": [{"name": "a", "password_file": "x"}, {"name": "a", "password_file": "y"}]}}, "two accounts"),
        ({"live": {"account": [{"name": "a b", "password_file": "x"}]}}, "name"),
        ({"live": {"rtsp_port": 8554, "rtsps_port": 8554}}, "cannot share port"),
        ({"live": {"rtsps_port": 8443, "page_port": 8443}}, "rtsps_port and page_port cannot share"),
        ({"live": {"push_url": "rtsp://relay.example/x"}}, "in the clear"),
        ({"live": {"push_url": "https://relay.example/x"}}, "no relay"),
        ({"live": {"push_url": "rtsps://user@relay.example/x"}}, "user"),
        ({"live": {"host": ""}}, "no address to listen on"),
        ({"live": {"max_viewers": 0}}, "max_viewers"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_says_why(tables: Mapping[str, Any], says: str) -> None:
    """One sentence each."""
    assert says in refused(tables)


def test_a_password_in_the_push_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    """It belongs into no file of this kind."""
    path = tmp_path / "config.toml"
    path.write_text(
        '[node]\nid = "pole-7"\n[camera]\ndriver = "synthetic"\n[live]\npush_url = "rtsps://user:geheim@relay.example/x"\n'
    )
    with pytest.raises(ConfigurationError) as refused:
        load(path)
    assert "its certificate" in str(refused.value)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    "tables", [{}, {"live": {"enabled": True}, "encoding": {"keyframe_seconds": 5}}, {"encoding": {"keyframe_seconds": 10}}]
)
def test_what_is_well_is_taken(tables: Mapping[str, Any]) -> None:
    """Long GOPs too, where nobody looks in."""
    assert refused(tables) == ""


@pytest.mark.parametrize(
    ("live", "says"),
    [
        ({"enabled": True, "host": "0.0.0.0"}, "may read along"),
        ({"enabled": True, "host": "0.0.0.0", "rtsp_port": 0}, ""),
        ({"enabled": True}, ""),
        ({"enabled": False, "host": "0.0.0.0"}, ""),
        ({"enabled": True, "rtsp_port": 0, "rtsps_port": 0}, "no way to look"),
        ({"enabled": True, "rtsp_port": 0, "udp": True}, "udp has no use"),
    ],
)
def test_what_may_be_read_along_is_advised(live: Mapping[str, Any], says: str) -> None:
    """Notes refuse nothing."""
    notes = " ".join(_live(configured({**BASE, "live": live})))
    assert (says in notes) if says else notes == ""


def test_the_password_file_of_an_account_is_found_beside_its_configuration(tmp_path: Path) -> None:
    """As every path is."""
    path = tmp_path / "config.toml"
    path.write_text(
        '[node]\nid = "pole-7"\n[camera]\ndriver = "synthetic"\n[[live.account]]\nname = "vms"\npassword_file = "vms-password"\n'
    )
    assert load(path).live.account[0].password_file == tmp_path / "vms-password"
