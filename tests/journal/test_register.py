"""The register: durable, chained, written by several at once; and every edit, loss or move of a line is found and placed."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.errors import RegisterError
from agent.identity.certificates import key_digest, verify_signature
from agent.identity.node_key import IdentityDirectory, NodeSigner
from agent.journal.chain import digest, parse
from agent.journal.entry import Act
from agent.journal.head import head_path, read_head
from agent.journal.parts import lines
from agent.journal.register import Register
from agent.journal.verdict import Flaw, RegisterVerdict, Trust, verify
from tests.support.failing_key import FailingKey
from tests.support.manual_clock import ManualClock
from tests.support.many_writers import write_at_once


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the register lies."""
    return tmp_path / "register.jsonl"


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> NodeSigner:
    """A node's real key."""
    return IdentityDirectory(tmp_path_factory.mktemp("identity")).init("mast-7")


def filled(path: Path, count: int = 12, signer: NodeSigner | None = None) -> Register:
    """A register with so many entries."""
    register = Register(path, ManualClock(), signer)
    for i in range(count):
        register.enter(Act.DESTROYED, "retention", {"segments": i, "note": f"é {i}", "none": None, "share": 0.5, "all": True})
    return register


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A register of six entries, to be copied."""
    path = tmp_path_factory.mktemp("sample") / "register.jsonl"
    filled(path, 6)
    return path


def copy_of(sample: Path, where: Path) -> Path:
    """The same register in another place."""
    shutil.copy(sample, where)
    shutil.copy(head_path(sample), where)
    return where / sample.name


def trusted(signer: NodeSigner) -> Trust:
    """What whoever has this node's certificate knows."""
    leaf = signer.chain.leaf

    def check(key_id: str, data: bytes, signature: bytes) -> bool | None:
        return verify_signature(leaf, data, signature) if key_id == key_digest(leaf) else None

    return Trust(check, "mast-7")


def test_entries_come_back_as_they_were_entered(path: Path) -> None:
    """Number, time, clock quality, act, by whom and every fact; in order; whole."""
    filled(path, 3)
    entries = [parse(raw) for raw in lines(path)]
    assert [entry.n for entry in entries] == [1, 2, 3]
    assert entries[2].facts == {"segments": 2, "note": "é 2", "none": None, "share": 0.5, "all": True}
    assert (entries[0].act, entries[0].by, entries[0].clock) == (Act.DESTROYED, "retention", "synchronised")
    assert entries[0].at == "2026-06-01T12:00:00.000Z"
    assert verify(path) == RegisterVerdict(3, (), 0, 0)


def test_a_register_that_was_never_written_is_whole(path: Path) -> None:
    """A node that did nothing yet has nothing to hide."""
    assert verify(path).whole


def changed(path: Path, raws: list[bytes]) -> RegisterVerdict:
    """The verdict over a register whose lines somebody rewrote."""
    path.write_bytes(b"".join(raw + b"\n" for raw in raws))
    return verify(path)


@pytest.mark.parametrize("at", range(12))
def test_an_edited_line_is_found_and_placed(path: Path, at: int) -> None:
    """One fact changed in any line, the last one as well: found, at that line."""
    filled(path)
    raws = list(lines(path))
    raws[at] = raws[at].replace(b'"segments":%d' % at, b'"segments":%d' % (at + 50))
    verdict = changed(path, raws)
    assert [(f.line, f.flaw) for f in verdict.findings] == [(at + 1, Flaw.EDITED)]


@pytest.mark.parametrize("at", range(12))
def test_a_dropped_line_is_found_and_placed(path: Path, at: int) -> None:
    """Any line taken out, first and last as well: found, where it is missing."""
    filled(path)
    raws = list(lines(path))
    del raws[at]
    verdict = changed(path, raws)
    expected = Flaw.CUT_OFF if at == 11 else Flaw.MISSING
    assert [(f.line, f.flaw) for f in verdict.findings] == [(at + 1, expected)]
    assert "1 line " in verdict.findings[0].what


@settings(max_examples=80, deadline=None)
@given(order=st.permutations(range(6)))
def test_reordered_lines_are_found(sample: Path, tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    """Any other order is found, from the first line that stands wrong."""
    path = copy_of(sample, tmp_path_factory.mktemp("register"))
    raws = list(lines(path))
    verdict = changed(path, [raws[i] for i in order])
    first_wrong = next((i for i, j in enumerate(order) if i != j), None)
    assert verdict.whole == (first_wrong is None)
    if first_wrong is not None:
        assert verdict.findings[0].line == first_wrong + 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_flipped_bit_is_found(sample: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any bit of the file, flipped: the register is not whole any more, and nothing crashes."""
    path = copy_of(sample, tmp_path_factory.mktemp("register"))
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(bytes(raw))
    verdict = verify(path)
    assert not verdict.whole
    assert abs(verdict.findings[0].line - (bytes(raw[:at]).count(b"\n") + 1)) <= 1


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_whatever_the_file_holds_is_judged(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    """Made-up bytes are findings, never an error; entries can still be made after them."""
    path = tmp_path_factory.mktemp("register") / "register.jsonl"
    path.write_bytes(noise)
    before = verify(path)
    assert before.whole == (noise == b"")
    Register(path, ManualClock()).enter(Act.COMMAND, "operator", {})
    assert parse(list(lines(path))[-1]).act == Act.COMMAND


def test_a_cut_end_is_found_and_not_healed_by_the_next_entry(path: Path) -> None:
    """Three lines cut off: found; a later entry keeps its own number, so that the gap stays to be seen."""
    register = filled(path)
    raws = list(lines(path))
    verdict = changed(path, raws[:9])
    assert [(f.line, f.flaw) for f in verdict.findings] == [(10, Flaw.CUT_OFF)]
    register.enter(Act.COMMAND, "operator", {})
    verdict = verify(path)
    assert [(f.line, f.flaw) for f in verdict.findings] == [(10, Flaw.MISSING)]
    assert "3 lines missing" in verdict.findings[0].what


def test_a_missing_head_is_said(path: Path) -> None:
    """Without register.head nobody can tell whether the end is missing: that is a finding."""
    filled(path)
    head_path(path).unlink()
    assert [f.flaw for f in verify(path).findings] == [Flaw.HEAD_MISSING]


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_a_torn_line_is_kept_aside_and_the_chain_goes_on(path: Path, cut: int) -> None:
    """What a power cut left of a line is moved to register.torn and named by the next entry; every other line stands."""
    register = filled(path, 3)
    next_line = json.dumps({"n": 4, "torn": "x" * 200}).encode()
    with path.open("ab") as file:
        file.write(next_line[:cut])
    assert [f.flaw for f in verify(path).findings] == [Flaw.TORN]
    register.enter(Act.HELD, "OPJ", {"hold": 1})
    assert verify(path).whole
    assert path.with_suffix(".torn").read_bytes() == next_line[:cut] + b"\n"
    entries = [parse(raw) for raw in lines(path)]
    assert [entry.n for entry in entries] == [1, 2, 3, 4]
    assert entries[3].facts == {"hold": 1, "torn": digest(next_line[:cut])}


def test_a_power_cut_anywhere_in_an_entry_costs_that_entry_at_most(tmp_path: Path) -> None:
    """Cut at every byte of the last line, with the head before or after it: the others stand, the next entry is whole."""
    path = tmp_path / "a" / "register.jsonl"
    register = filled(path, 2)
    before, old_head = path.read_bytes(), head_path(path).read_bytes()
    register.enter(Act.HELD, "OPJ", {"hold": 1})
    after = path.read_bytes()
    for length in range(len(before), len(after) + 1, 7):
        copy = tmp_path / "b"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(path.parent, copy)
        (copy / path.name).write_bytes(after[:length])
        head_path(copy / path.name).write_bytes(old_head)
        Register(copy / path.name, ManualClock()).enter(Act.COMMAND, "operator", {})
        assert verify(copy / path.name).whole, length
        assert [parse(raw).act for raw in lines(copy / path.name)][:2] == [Act.DESTROYED] * 2


def test_several_processes_write_one_chain(path: Path) -> None:
    """Daemon, timer and command line at once: no line is lost or doubled, the chain holds, each one's order is kept."""
    write_at_once(path, 25)
    assert verify(path) == RegisterVerdict(75, (), 0, 0)


def test_signed_lines_are_vouched_for(path: Path, signer: NodeSigner) -> None:
    """Every entry bears the node's signature; who edits one and forges the chain behind it is found by the key."""
    register = filled(path, 4, signer)
    verdict = verify(path, trusted(signer))
    assert (verdict.whole, verdict.signed_through, verdict.signatures) == (True, 4, 4)
    forged = path.with_name("forged.jsonl")
    forger = Register(forged, ManualClock(), None)
    for raw in lines(path):
        forger.enter(Act.DESTROYED, "retention", {**parse(raw).facts, "segments": 99})
    assert verify(forged, trusted(signer)).signed_through == 0
    raws = list(lines(path))
    raws[1] = raws[1].replace(b'"segments":1', b'"segments":9')
    path.write_bytes(b"".join(raw + b"\n" for raw in raws))
    assert (2, Flaw.FORGED) in [(f.line, f.flaw) for f in verify(path, trusted(signer)).findings]
    assert register.head().n == 4


@pytest.mark.parametrize(
    "added", [b',"by":"nobody"', b',"facts":{}', b',"act":"live-begun"', b',"n":4', b" ", b',"sig":"00"', b',"more":1']
)
def test_nothing_can_be_hung_behind_a_signature(path: Path, signer: NodeSigner, added: bytes) -> None:
    """The last line with a second name or facts behind its signature, and the head made to fit: not believed, and placed."""
    filled(path, 4, signer)
    raws = list(lines(path))
    raws[-1] = raws[-1][:-1] + added + b"}"
    path.write_bytes(b"".join(raw + b"\n" for raw in raws))
    head_path(path).write_text(json.dumps({"n": 4, "digest": digest(raws[-1])}))
    verdict = verify(path, trusted(signer))
    assert [(f.line, f.flaw) for f in verdict.findings] == [(4, Flaw.UNREADABLE)]
    assert verdict.signed_through == 3


def test_a_strangers_key_is_named_not_trusted(path: Path, signer: NodeSigner, tmp_path: Path) -> None:
    """Lines signed with a key that the verifier does not know vouch for nothing."""
    stranger = IdentityDirectory(tmp_path / "other").init("other")
    filled(path, 3, stranger)
    verdict = verify(path, trusted(signer))
    assert (verdict.signed_through, verdict.unknown_keys) == (0, (stranger.chain.key_digest,))
    assert [(f.line, f.flaw) for f in verdict.findings] == [(1, Flaw.STRANGER)]
    assert verify(path).whole


def test_unsigned_lines_are_covered_by_the_next_signed_one(path: Path, signer: NodeSigner) -> None:
    """A command that cannot read the key enters two; the daemon's next signature vouches for them, and they are told."""
    filled(path, 2, signer)
    Register(path, ManualClock()).enter(Act.HELD, "OPJ", {"hold": 1})
    register = Register(path, ManualClock(), signer)
    assert register.sign_head()
    assert not register.sign_head()
    verdict = verify(path, trusted(signer))
    assert (verdict.whole, verdict.signed_through, verdict.covered) == (True, 4, 1)
    assert verdict.covered_runs == ((3, 3),)
    assert not Register(path, ManualClock()).sign_head()


def test_an_entry_that_cannot_be_signed_is_made_and_an_alarm_raised(path: Path, signer: NodeSigner) -> None:
    """The key is gone: no silent gap, the entry stands unsigned, and somebody is told."""
    alarms: list[str] = []
    Register(path, ManualClock(), FailingKey(signer), alarms.append).enter(Act.COMMAND, "operator", {})
    assert verify(path).lines == 1
    assert alarms == ["a register entry could not be signed: the secure element does not answer"]


def test_an_entry_that_cannot_be_written_is_an_alarm_and_leaves_nothing_half_done(path: Path) -> None:
    """No space or no permission: RegisterError in words, an alarm, and the register as it was."""
    register = filled(path, 3)
    before = path.read_bytes()
    alarms: list[str] = []
    failing = Register(path, ManualClock(), None, alarms.append)
    real, calls = os.write, 0

    def full(fd: int, data: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            return real(fd, bytes(data)[:10])
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(RegisterError, match=r"no space left on device\. Free space"):
            failing.enter(Act.COMMAND, "operator", {})
    assert path.read_bytes() == before
    assert len(alarms) == 1
    register.enter(Act.COMMAND, "operator", {})
    assert verify(path).whole


def test_a_line_whose_head_cannot_be_written_is_withdrawn(path: Path) -> None:
    """Whoever asked was told that nothing is entered: nothing is, and the next entry takes its number."""
    register = filled(path, 3)
    before, head = path.read_bytes(), head_path(path).read_bytes()
    head_path(path).unlink()
    head_path(path).mkdir()
    with pytest.raises(RegisterError):
        register.enter(Act.LIVE_BEGUN, "operator", {})
    assert path.read_bytes() == before
    head_path(path).rmdir()
    head_path(path).write_bytes(head)
    register.enter(Act.EXPORTED, "operator", {})
    assert (verify(path).whole, verify(path).lines) == (True, 4)


def test_the_head_follows_each_entry(path: Path) -> None:
    """register.head names the number and digest of the last line."""
    filled(path, 5)
    head = read_head(path)
    assert head is not None
    assert (head.n, head.digest) == (5, digest(list(lines(path))[-1]))


def test_damage_in_random_places_never_stops_the_next_entry(path: Path) -> None:
    """Whatever somebody did to the file and its head, acts go on being entered and verify goes on finding the damage."""
    chance = random.Random(5)
    for _ in range(20):
        shutil.rmtree(path.parent)
        path.parent.mkdir()
        register = filled(path, 4)
        raw = bytearray(path.read_bytes())
        for _ in range(3):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        path.write_bytes(bytes(raw))
        if chance.random() < 0.3:
            head_path(path).write_bytes(b"{nonsense")
        register.enter(Act.HELD, "OPJ", {"hold": 9})
        assert parse(list(lines(path))[-1]).facts["hold"] == 9
        assert not verify(path).whole


def flaws(verdict: RegisterVerdict) -> list[tuple[int, Flaw]]:
    """Where something is wrong, and what."""
    return [(finding.line, finding.flaw) for finding in verdict.findings]


def entered(path: Path, count: int, signer: NodeSigner | None, node: str = "mast-7", **more: Any) -> None:
    """So many entries by a writer of its own."""
    register = Register(path, ManualClock(), signer, node=node, **more)
    for i in range(count):
        register.enter(Act.COMMAND, "operator", {"i": i})


def test_every_line_names_its_node(path: Path, signer: NodeSigner) -> None:
    """Whoever reads one line alone knows whose it is; older lines, without a name, are read as before."""
    filled(path, 2, signer)
    entered(path, 2, signer)
    assert [parse(raw).node for raw in lines(path)] == ["", "", "mast-7", "mast-7"]
    assert verify(path, trusted(signer)) == RegisterVerdict(4, (), 4, 4, nodes=("mast-7",))


def test_a_history_written_anew_without_signatures_is_found(path: Path, signer: NodeSigner) -> None:
    """The whole chain computed anew without the key: also once the node has signed behind it, and said at its start."""
    entered(path, 10, None)
    assert verify(path).whole
    assert flaws(verify(path, trusted(signer))) == [(1, Flaw.UNSIGNED)]
    assert "none of its 10 lines is signed" in Register(path, ManualClock(), signer).fault()
    entered(path, 3, signer)
    assert flaws(verify(path, trusted(signer))) == [(1, Flaw.UNSIGNED)]


def test_unsigned_lines_behind_true_ones_are_found(path: Path, signer: NodeSigner) -> None:
    """19 lines without signature behind 10 true ones: found, from the first of them on."""
    entered(path, 10, signer)
    entered(path, 19, None)
    verdict = verify(path, trusted(signer))
    assert flaws(verdict) == [(11, Flaw.UNSIGNED)]
    assert "lines 11 to 29" in verdict.findings[0].what


def test_another_nodes_register_is_found(path: Path, signer: NodeSigner, tmp_path: Path) -> None:
    """Signed by its key, or not at all and under its name: neither passes for this node's, alone or behind true lines."""
    other = IdentityDirectory(tmp_path / "other").init("mast-8")
    for number, (true, theirs, key) in enumerate([(0, 5, other), (0, 5, None), (3, 2, other), (3, 2, None)]):
        place = path.with_name(f"{number}.jsonl")
        entered(place, true, signer)
        entered(place, theirs, key, "mast-8")
        found = {flaw for _, flaw in flaws(verify(place, trusted(signer)))}
        assert found == {Flaw.OTHER_NODE, Flaw.STRANGER if key else Flaw.UNSIGNED}, number


def test_a_node_that_was_renamed_is_not_accused(path: Path, signer: NodeSigner) -> None:
    """Its key signs under both names: the lines are its own, and the names are told."""
    entered(path, 2, signer)
    entered(path, 2, signer, "place-du-marche")
    assert verify(path, trusted(signer)).nodes == ("mast-7", "place-du-marche")
    assert verify(path, trusted(signer)).whole


def test_what_was_entered_before_the_first_key_is_vouched_for_by_it(path: Path, signer: NodeSigner) -> None:
    """Commissioning enters a still, then the key is made: the node says so in its first signed line, and is not accused."""
    entered(path, 2, None)
    entered(path, 2, signer, key_is_new=True)
    verdict = verify(path, trusted(signer))
    assert (verdict.whole, verdict.lines, verdict.signed_through, verdict.covered) == (True, 5, 5, 2)


def test_a_register_of_an_older_version_is_not_accused(path: Path, signer: NodeSigner) -> None:
    """Without names, its first lines without signature and covered by a later one: as it was judged when it was written."""
    filled(path, 3)
    filled(path, 2, signer)
    entered(path, 2, signer)
    verdict = verify(path, trusted(signer))
    assert (verdict.whole, verdict.signed_through, verdict.covered) == (True, 7, 3)


def test_a_lost_end_is_said_at_the_start(path: Path, signer: NodeSigner) -> None:
    """Emptied, removed, cut, or without its head: one sentence with the remedy; a register in order is silence."""
    register = Register(path, ManualClock(), signer)
    assert register.fault() == ""
    entered(path, 7, signer)
    assert register.fault() == ""
    whole = path.read_bytes()
    path.write_bytes(b"")
    assert "is empty, and 7 lines that had been written are gone. `vigie register --verify`" in register.fault()
    path.unlink()
    assert "7 lines" in register.fault()
    path.write_bytes(b"".join(line + b"\n" for line in whole.splitlines()[:6]))
    assert "ends at line 6, and 1 line that" in register.fault()
    head_path(path).unlink()
    assert "register.head is missing" in register.fault()


@pytest.mark.parametrize("name", ["register.jsonl", "register.head", "register.torn"])
@pytest.mark.parametrize("old_draft", [False, True])
def test_no_planted_link_is_followed(tmp_path: Path, name: str, old_draft: bool) -> None:
    """A link in the place of any of the register's files, or of a draft beside it: the precious file keeps its bytes."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    path = tmp_path / "state" / "register.jsonl"
    entered(path, 2, None)
    path.write_bytes(path.read_bytes() + b"torn")
    planted = path.with_name(name + (".new" if old_draft else ""))
    planted.unlink(missing_ok=True)
    planted.symlink_to(precious)
    try:
        entered(path, 1, None)
    except RegisterError as error:
        assert "symbolic link" in str(error)  # noqa: PT017 - either it is refused, or the link is left alone
    assert precious.read_bytes() == b"precious"
