"""`vigie verify` as a court's expert meets it: whom to trust, when, and what the exit code says."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.base.clock import NS
from agent.cli import run
from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import IdentityDirectory
from agent.picture.access_unit import AccessUnit
from bench.town_ca import Department, TownCa
from tests.support.manual_clock import ManualClock
from tests.support.recordings import Recordings
from tests.support.signed_film import encode, retimed, sign, write
from tests.support.signed_recordings import SignedRecordings


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[AccessUnit]:
    """Three GOPs of five pictures."""
    return encode(tmp_path_factory.mktemp("film") / "plain.mp4", gop=5, pictures=15, size="64x48", crf=40)


@pytest.fixture
def town() -> TownCa:
    """Its certificates hold from 2026 to the end of 2029."""
    return TownCa()


@pytest.fixture
def film(tmp_path: Path, plain: list[AccessUnit], town: TownCa) -> Path:
    """Signed in June 2026 by a node of the town."""
    return signed_in(tmp_path, plain, town, 2026)


def signed_in(tmp_path: Path, plain: list[AccessUnit], town: TownCa, year: int) -> Path:
    """The film of a node whose clock shows June of `year`."""
    node = IdentityDirectory(tmp_path / "identity")
    node.init("cam-1")
    node.install(town.sign(node.certificate_request("cam-1")), town.chain, "cam-1", ManualClock())
    begun_ns = int(dt.datetime(year, 6, 1, tzinfo=dt.UTC).timestamp()) * NS
    units = [replace(unit, wall_ns=begun_ns + unit.pts_ns) for unit in plain]
    (tmp_path / "town.pem").write_bytes(town.chain.pem)
    return write(sign(units, node.load()), tmp_path / "film.mp4")


def judged(film: Path, capsys: pytest.CaptureFixture[str], ca: Path | None = None) -> tuple[int, dict[str, object]]:
    """Exit code and JSON document."""
    code = run(["verify", str(film), "--ca", str(ca or film.parent / "town.pem"), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_film_of_the_towns_node_is_authentic(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The leaf comes with the film, the town's CA from outside."""
    code, document = judged(film, capsys)
    assert (code, document["verdict"]) == (0, "authentic")
    assert document["signer"]["name"] == "cam-1"  # type: ignore[index]


def test_an_unknown_authority_is_chain_not_trusted(tmp_path: Path, film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever name it bears."""
    (tmp_path / "other.pem").write_bytes(TownCa().chain.pem)
    code, document = judged(film, capsys, tmp_path / "other.pem")
    assert (code, document["verdict"]) == (3, "chain not trusted")
    assert document["frames"]["authentic"] == 15  # type: ignore[index]


def test_a_certificate_that_has_expired_since_is_good(
    tmp_path: Path, plain: list[AccessUnit], capsys: pytest.CaptureFixture[str]
) -> None:
    """Judged at the time of the recording: a film of June 2026 under certificates that ended in July 2026."""
    town = TownCa(until=dt.datetime(2026, 7, 1, tzinfo=dt.UTC))
    film = signed_in(tmp_path, plain, town, 2026)
    assert judged(film, capsys)[0] == 0


def test_a_certificate_that_had_expired_then_is_not(
    tmp_path: Path, plain: list[AccessUnit], town: TownCa, capsys: pytest.CaptureFixture[str]
) -> None:
    """A film that claims to be of 2031, under certificates that ended in 2030."""
    code, document = judged(signed_in(tmp_path, plain, town, 2031), capsys)
    assert (code, document["verdict"]) == (3, "chain not trusted")
    assert "expired" in str(document["reason"])


def test_a_film_without_a_date_is_judged_and_says_so(
    tmp_path: Path, plain: list[AccessUnit], town: TownCa, capsys: pytest.CaptureFixture[str]
) -> None:
    """The node's clock stood at 1970: the pictures are authentic, the dates are nothing to rely on."""
    code, document = judged(signed_in(tmp_path, plain, town, 1970), capsys)
    assert code == 0
    assert "clock was set" in str(document["notes"])


def test_the_spans_name_what_is_wrong(
    tmp_path: Path, plain: list[AccessUnit], town: TownCa, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture cut out: exit code 3, where, and between which instants."""
    whole = signed_in(tmp_path, plain, town, 2026)
    node = IdentityDirectory(tmp_path / "identity").load()
    begun_ns = int(dt.datetime(2026, 6, 1, tzinfo=dt.UTC).timestamp()) * NS
    units = sign([replace(unit, wall_ns=begun_ns + unit.pts_ns) for unit in plain], node)
    write(retimed([*units[:7], *units[8:]]), whole)
    code, document = judged(whole, capsys)
    assert (code, document["verdict"]) == (3, "authentic with missing units")
    (missing,) = (span for span in document["spans"] if span["state"] == "missing")  # type: ignore[attr-defined]
    assert missing["first_frame"] == 7
    assert missing["from"] == "2026-06-01T00:00:00.500Z"


def test_the_words_name_verdict_and_node(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json: for people, on standard output."""
    assert run(["verify", str(film), "--ca", str(film.parent / "town.pem")]) == 0
    text = capsys.readouterr().out
    assert "authentic" in text
    assert "cam-1" in text


def test_without_an_authority_the_command_does_not_guess(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage: somebody must say whom to trust."""
    assert run(["verify", str(film)]) == 2
    assert "--ca" in capsys.readouterr().err


def test_the_certificate_itself_or_any_authority_of_its_name_may_be_trusted(tmp_path: Path, film: Path, town: TownCa) -> None:
    """After a renewal two authorities bear one name: the right one is found."""
    node = IdentityDirectory(tmp_path / "identity").load()
    at_ns = int(dt.datetime(2026, 6, 1, tzinfo=dt.UTC).timestamp()) * NS
    node.chain.check(CertificateChain((*TownCa().chain.certificates, *town.chain.certificates)), at_ns)
    node.chain.check(CertificateChain(node.chain.certificates), at_ns)


def test_an_authority_between_node_and_town_comes_with_the_film(tmp_path: Path, town: TownCa) -> None:
    """Recording and export of a node whose certificate a department issued verify under the town's CA alone."""
    department = Department(town)
    identity = IdentityDirectory(tmp_path / "identity")
    identity.init("cam-1")
    issued = CertificateChain((*department.sign(identity.certificate_request("cam-1")).certificates, department.certificate))
    identity.install(issued, town.chain, "cam-1", ManualClock())
    node = SignedRecordings(Recordings(tmp_path / "state"), identity.load(), town.chain, tmp_path / "export.mp4")
    node.record(3)
    report = verify(node.export(0, 3).film, town.chain)
    assert report.verdict is Verdict.AUTHENTIC
    assert report.seal is not None
    assert report.seal.intact


def test_a_film_across_the_change_to_the_towns_authority_needs_both(
    tmp_path: Path, plain: list[AccessUnit], town: TownCa, capsys: pytest.CaptureFixture[str]
) -> None:
    """One key, first self-signed, then under the town's CA: trusted by whoever trusts both, not by the town's CA alone."""
    identity = IdentityDirectory(tmp_path / "identity")
    before = identity.init("cam-1")
    own = identity.ca_path.read_bytes()
    begun_ns = int(dt.datetime(2025, 12, 1, tzinfo=dt.UTC).timestamp()) * NS
    first = sign([replace(unit, wall_ns=begun_ns + unit.pts_ns) for unit in plain], before)
    after = identity.install(town.sign(identity.certificate_request("cam-1")), town.chain, "cam-1", ManualClock())
    later_ns = int(dt.datetime(2026, 6, 1, tzinfo=dt.UTC).timestamp()) * NS
    second = sign([replace(unit, wall_ns=later_ns + unit.pts_ns) for unit in plain], after)
    film = write(retimed([*first, *second]), tmp_path / "film.mp4")
    (tmp_path / "town.pem").write_bytes(town.chain.pem)
    (tmp_path / "both.pem").write_bytes(own + town.chain.pem)
    assert judged(film, capsys, tmp_path / "both.pem")[0] == 0
    assert judged(film, capsys, tmp_path / "town.pem")[1]["verdict"] == "chain not trusted"
