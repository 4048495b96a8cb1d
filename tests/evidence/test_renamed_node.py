"""A node that was given another name after its key was made: it is said, one command mends it, and old films stay verifiable."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.base.errors import EvidenceError
from agent.cli import run
from agent.commissioning.identity import judge_identity
from agent.commissioning.line import Grade
from agent.config.load import load
from agent.identity.certificates import common_name, read_chain
from agent.identity.node_key import IdentityDirectory
from agent.node.own_key import own_key
from bench.town_ca import TownCa
from tests.support.manual_clock import ManualClock

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NOW_NS = int(NOW.timestamp()) * 1_000_000_000


@pytest.fixture
def renamed(tmp_path: Path) -> Path:
    """A node whose key was made as pole-17, as shipped, and that was called pole-42 afterwards."""
    path = tmp_path / "config.toml"
    path.write_text('[node]\nid = "pole-17"\nstate_dir = "state"\n[camera]\ndriver = "synthetic"\n')
    own_key(load(path))
    path.write_text(path.read_text().replace("pole-17", "pole-42"))
    return path


def identity(config: Path) -> IdentityDirectory:
    """Its key and certificates."""
    return IdentityDirectory(load(config).identity_dir)


def test_the_doctor_fails_with_the_command_that_mends_it(renamed: Path) -> None:
    """Both names, and one command; behind it the identity is no failure."""
    (line,) = judge_identity(load(renamed), identity(renamed), NOW)
    assert line.grade is Grade.FAIL
    assert "'pole-42' and signs as 'pole-17'" in line.measured
    assert "sudo vigie identity rename" in line.remedy
    assert run(["identity", "rename", "--config", str(renamed)]) == 0
    (line,) = judge_identity(load(renamed), identity(renamed), NOW)
    assert line.grade is not Grade.FAIL


def test_the_daemon_says_so_at_its_start(renamed: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And signs on: a film under an old name is better than none."""
    with caplog.at_level(logging.WARNING):
        signer, _ = own_key(load(renamed))
    assert "signs as 'pole-17'" in caplog.text
    assert "identity rename" in caplog.text
    assert common_name(signer.chain.leaf) == "pole-17"


def test_old_films_stay_verifiable_and_the_key_stays(renamed: Path) -> None:
    """What was signed before leads to the CA file of afterwards, and what is signed afterwards to the same file."""
    before = identity(renamed).load()
    identity(renamed).rename("pole-42")
    after = identity(renamed).load()
    assert common_name(after.chain.leaf) == "pole-42"
    assert after.key_id == before.key_id
    handed_out = read_chain(identity(renamed).ca_path)
    before.chain.check(handed_out, NOW_NS)
    after.chain.check(handed_out, NOW_NS)
    identity(renamed).rename("pole-43")  # and once more: the first name is not forgotten
    before.chain.check(read_chain(identity(renamed).ca_path), NOW_NS)


def test_a_name_that_a_town_vouches_for_is_the_towns_to_give(renamed: Path, tmp_path: Path) -> None:
    """Refused with the way over the CA, nothing changed; the doctor names the same way."""
    directory = identity(renamed)
    town = TownCa()
    directory.install(town.sign(directory.certificate_request("pole-17")), town.chain, "pole-17", ManualClock())
    before = directory.chain_path.read_bytes()
    with pytest.raises(EvidenceError, match="identity csr"):
        directory.rename("pole-42")
    assert directory.chain_path.read_bytes() == before
    (line,) = judge_identity(load(renamed), directory, NOW)
    assert line.grade is Grade.FAIL
    assert "identity csr" in line.remedy


def test_an_export_says_that_its_sheet_will_show_two_names(
    renamed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, before anything is written, with the remedy."""
    run([
        "export", "--config", str(renamed), "--from", "2026-11-23T10:00:00Z", "--to", "2026-11-23T10:01:00Z",
        "--out", str(tmp_path / "film.mp4"), "--operator", "A. Martin", "--reference", "PV 1",
    ])  # fmt: skip
    assert "the sheet will show two names: this node is 'pole-42' and signs as 'pole-17'" in capsys.readouterr().err
