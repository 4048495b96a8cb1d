"""The register grows within bounds: full parts are set aside on one chain, the oldest goes, and the verdict sees all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.identity.certificates import key_digest, verify_signature
from agent.identity.node_key import IdentityDirectory, NodeSigner
from agent.journal.chain import parse
from agent.journal.entry import Act
from agent.journal.parts import lines, parts, register_bytes
from agent.journal.register import Register
from agent.journal.verdict import Flaw, Trust, verify
from agent.recording.catalog import Catalog
from agent.recording.hold import Holds, active_holds, restore
from tests.support.manual_clock import ManualClock
from tests.support.many_writers import write_at_once

PART_BYTES = 4_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the register lies."""
    return tmp_path / "register.jsonl"


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> NodeSigner:
    """A node's real key."""
    return IdentityDirectory(tmp_path_factory.mktemp("identity")).init("mast-7")


def small(path: Path, signer: NodeSigner | None = None, most_parts: int = 3) -> Register:
    """A register whose parts are full after some lines."""
    return Register(path, ManualClock(), signer, node="mast-7", part_bytes=PART_BYTES, most_parts=most_parts)


def fill(path: Path, count: int, signer: NodeSigner | None = None, most_parts: int = 3) -> None:
    """So many entries."""
    register = small(path, signer, most_parts)
    for i in range(count):
        register.enter(Act.COMMAND, "operator", {"i": i})


def trusted(signer: NodeSigner) -> Trust:
    """What whoever has this node's certificate knows."""
    leaf = signer.chain.leaf
    return Trust(lambda key, data, sig: verify_signature(leaf, data, sig) if key == key_digest(leaf) else None, "mast-7")


def test_one_chain_runs_through_all_parts(path: Path, signer: NodeSigner) -> None:
    """Numbers without a gap, every entry there once, whole and signed to the end; each part bears its first and last number."""
    fill(path, 60, signer, most_parts=100)
    numbers = [parse(raw).n for raw in lines(path)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [parse(raw).facts["i"] for raw in lines(path) if parse(raw).act == Act.COMMAND] == list(range(60))
    assert len(parts(path)) > 5
    verdict = verify(path, trusted(signer))
    assert (verdict.whole, verdict.signed_through) == (True, len(numbers))


def test_it_takes_no_more_than_its_bound(path: Path, signer: NodeSigner) -> None:
    """However much is entered; what is kept is whole, and says up to where the rest went."""
    fill(path, 200, signer)
    assert len(parts(path)) == 3
    assert register_bytes(path) < 5 * PART_BYTES
    verdict = verify(path, trusted(signer))
    assert verdict.whole
    assert verdict.first > 100
    assert Register(path, ManualClock(), signer).fault() == ""


def test_a_part_that_somebody_took_is_found(path: Path, signer: NodeSigner) -> None:
    """The oldest, one in the middle, or the newest: missing, however well the rest fits."""
    fill(path, 60, signer, most_parts=100)
    found = parts(path)
    for part in (found[0], found[2], found[-1]):
        kept = part.read_bytes()
        part.unlink()
        assert Flaw.MISSING in {finding.flaw for finding in verify(path, trusted(signer)).findings}
        part.write_bytes(kept)
    assert verify(path, trusted(signer)).whole


def test_a_forged_word_on_what_went_is_no_excuse(path: Path, signer: NodeSigner) -> None:
    """Who cuts the beginning off and writes a line that claims it went, without the key, is found all the same."""
    fill(path, 40, signer, most_parts=100)
    parts(path)[0].unlink()
    first = parse(next(lines(path)))
    small(path).enter(Act.ROTATED, "register", {"gone": first.n - 1, "gone digest": first.prev})
    assert Flaw.UNSIGNED in {finding.flaw for finding in verify(path, trusted(signer)).findings}


def test_a_hold_in_force_is_never_rotated_away(path: Path, tmp_path: Path) -> None:
    """From the register holds are set again when the catalog is lost: its part stays until the hold is released."""
    catalog = Catalog(tmp_path / "catalog.sqlite3", tmp_path)
    hold = Holds(catalog, small(path), ManualClock()).add(1, 2, "PV 1", "OPJ")
    fill(path, 150)
    again = Catalog(tmp_path / "again.sqlite3", tmp_path)
    assert restore(again, path) == 1
    assert [each.id for each in active_holds(again)] == [hold.id]
    Holds(catalog, small(path), ManualClock()).release(hold.id, "Parquet")
    fill(path, 150)
    assert len(parts(path)) == 3
    assert restore(Catalog(tmp_path / "third.sqlite3", tmp_path), path) == 0


def test_a_power_cut_between_two_parts_costs_nothing(path: Path, signer: NodeSigner) -> None:
    """The full file was set aside and no new one begun: the chain goes on where it was."""
    fill(path, 10, signer)
    last = list(lines(path))[-1]
    path.rename(path.with_name(f"register-{1:012d}-{parse(last).n:012d}.jsonl"))
    assert small(path, signer).fault() == ""
    assert verify(path, trusted(signer)).whole
    fill(path, 3, signer)
    assert verify(path, trusted(signer)).whole


def test_several_processes_rotate_one_chain(path: Path) -> None:
    """Whoever finds the file full sets it aside, while others wait for it: no line is lost, doubled or written into a part."""
    write_at_once(path, 60, part_bytes=2_000, most_parts=1000)
    assert verify(path).whole
