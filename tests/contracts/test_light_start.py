"""What a small board need not pay for: modules that a running node, or a sweep each minute, does without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
NODE = """
import agent.node.daemon, agent.node.start_entries, agent.node.wiring, agent.node.reload
from agent.node.drivers import open_transport
from agent.ports.mqtt import BrokerCredentials
open_transport(BrokerCredentials())
"""
SWEEP = """
import sys
from agent.cli import run
code = run(["retention", "sweep", "--config", sys.argv[1]])
"""


def loaded(program: str, *arguments: str) -> set[str]:
    """Top-level modules that are in memory after a program, in an interpreter of its own."""
    program += "\nimport sys\nprint('modules', *{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("absent", ["aiohttp", "asyncio", "click", "jwt", "OpenSSL", "pydantic", "rich", "websockets"])
def test_a_node_starts_without(absent: str) -> None:
    """A web server, the command line, a token's library, chain validation and tables wait for whoever asks for them."""
    assert absent not in loaded(NODE)


@pytest.mark.parametrize("absent", ["csv", "zipfile"])
def test_a_node_starts_without_what_asks_for_versions(absent: str) -> None:
    """Libraries that look up their own version bring the tools of packaging with them."""
    assert absent not in loaded(NODE)


def test_the_live_page_needs_no_second_web_server() -> None:
    """What shows frames to one visitor does not bring the technician's page along, which takes three times as much."""
    assert "aiohttp" not in loaded("import agent.live.web_server")


def test_a_sweep_with_nothing_to_destroy_loads_no_key(tmp_path: Path) -> None:
    """The timer fires every minute: neither cryptography nor a picture library is worth its CPU then."""
    config = tmp_path / "config.toml"
    config.write_text(
        f'[node]\nid = "pole-1"\nstate_dir = "{tmp_path}"\n[camera]\ndriver = "synthetic"\n'
        '[privacy.none_needed]\nby = "A. Martin"\non = 2026-01-02\nwhy = "a car park without windows around it"\n'
    )
    assert loaded(SWEEP, str(config)).isdisjoint({"cryptography", "OpenSSL", "numpy", "cv2", "av", "rich"})
