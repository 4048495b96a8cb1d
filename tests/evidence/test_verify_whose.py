"""Whose film it is: which certificates pass, which node is meant, and what a missing seal leaves open."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from agent.cli import run
from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import IdentityDirectory
from agent.identity.usage import FILM_SIGNING
from agent.signing import media_signing
from bench.town_ca import TownCa
from tests.support.manual_clock import START, ManualClock
from tests.support.recordings import Recordings
from tests.support.signed_film import encode, sign, write
from tests.support.signed_recordings import SignedRecordings


def extended(*usages: x509.ObjectIdentifier) -> x509.Extension[x509.ExtensionType]:
    """Extended key usage of these."""
    return x509.Extension(ExtensionOID.EXTENDED_KEY_USAGE, critical=False, value=x509.ExtendedKeyUsage(usages))


SERVER = extended(ExtendedKeyUsageOID.SERVER_AUTH)
NO_SIGNATURES = x509.Extension(
    ExtensionOID.KEY_USAGE,
    critical=True,
    value=x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    ),
)


_ISSUER = ExtensionOID.AUTHORITY_INFORMATION_ACCESS
UNREADABLE = x509.Extension(_ISSUER, critical=False, value=x509.UnrecognizedExtension(_ISSUER, b"\x30\x03\x02\x01\x05"))
"""OpenSSL passes over it, other readers give up."""


@pytest.fixture(scope="module")
def town() -> TownCa:
    """It issues certificates for more than cameras."""
    return TownCa()


def film_under(directory: Path, town: TownCa, usages: list[x509.Extension[x509.ExtensionType]], name: str = "cam-1") -> Path:
    """A film signed with a key whose certificate has these extensions."""
    identity = IdentityDirectory(directory / "identity")
    identity.init(name)
    request = x509.load_pem_x509_csr(identity.certificate_request(name))
    issued = CertificateChain((town.issue(request.subject, request.public_key(), ca=False, asked=usages),))
    identity.chain_path.write_bytes(issued.pem)
    (directory / "town.pem").write_bytes(town.chain.pem)
    return write(
        sign(encode(directory / "plain.mp4", gop=5, pictures=10, size="64x48", crf=40), identity.load()), directory / "film.mp4"
    )


def judged(film: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, object]]:
    """Exit code and JSON document."""
    code = run(["verify", str(film), "--ca", str(film.parent / "town.pem"), "--json", *more])
    return code, json.loads(capsys.readouterr().out)


def test_a_certificate_for_a_server_is_none_for_films(tmp_path: Path, town: TownCa, capsys: pytest.CaptureFixture[str]) -> None:
    """A web server's, a broker's without any usage: the town issued both, and neither passes for a camera's."""
    (tmp_path / "web").mkdir()
    (tmp_path / "broker").mkdir()
    for film in (film_under(tmp_path / "web", town, [SERVER]), film_under(tmp_path / "broker", town, [])):
        code, document = judged(film, capsys)
        assert (code, document["verdict"]) == (3, "chain not trusted")
        assert "vigie-film-signing" in str(document["reason"])


@pytest.mark.parametrize(
    "usages",
    [
        [extended(ExtendedKeyUsageOID.SERVER_AUTH)],
        [extended(ExtendedKeyUsageOID.CLIENT_AUTH)],
        [extended(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)],
        [extended(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)],
        [extended(FILM_SIGNING), NO_SIGNATURES],
        [NO_SIGNATURES],
        [UNREADABLE],
    ],
)
def test_what_a_certificate_says_it_is_for_counts_in_older_films_too(
    tmp_path: Path,
    town: TownCa,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    usages: list[x509.Extension[x509.ExtensionType]],
) -> None:
    """Whoever forges a film may leave out what newer signatures state: a server's or client's certificate passes neither way."""
    monkeypatch.setattr(media_signing, "with_digest", lambda firmware, _: firmware)
    code, document = judged(film_under(tmp_path, town, usages), capsys)
    assert (code, document["verdict"]) == (3, "chain not trusted")
    assert "not one for signing films" in str(document["reason"])


def test_a_certificate_that_cannot_be_read_to_its_end_is_none_for_films(
    tmp_path: Path, town: TownCa, capsys: pytest.CaptureFixture[str]
) -> None:
    """Damaged or made so: a verdict in words, and no traceback."""
    code, document = judged(film_under(tmp_path, town, [extended(FILM_SIGNING), UNREADABLE]), capsys)
    assert (code, document["verdict"]) == (3, "chain not trusted")


def test_a_certificate_that_names_no_use_passes_for_an_older_film_and_is_noted(
    tmp_path: Path, town: TownCa, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Towns issued such for cameras; a broker's is told by its name, which `--node` asks for."""
    monkeypatch.setattr(media_signing, "with_digest", lambda firmware, _: firmware)
    film = film_under(tmp_path, town, [], "broker-1")
    code, document = judged(film, capsys)
    assert (code, document["verdict"]) == (0, "authentic")
    assert "unless `--node` asks for one" in str(document["notes"])
    assert judged(film, capsys, "--node", "broker-1")[0] == 0
    assert judged(film, capsys, "--node", "cam-1")[0] == 3


def test_one_node_may_be_insisted_on(tmp_path: Path, town: TownCa, capsys: pytest.CaptureFixture[str]) -> None:
    """Under the town's authority every camera of the town is trusted: `--node` takes only one."""
    identity = IdentityDirectory(tmp_path / "other")
    identity.init("cam-1")
    request = identity.certificate_request("cam-1")
    film = film_under(tmp_path, town, list(x509.load_pem_x509_csr(request).extensions))
    assert judged(film, capsys, "--node", "cam-1")[0] == 0
    code, document = judged(film, capsys, "--node", "cam-2")
    assert (code, document["verdict"]) == (3, "chain not trusted")
    assert "'cam-1'" in str(document["reason"])
    assert "'cam-2'" in str(document["reason"])


def test_a_name_in_a_certificate_moves_no_cursor(tmp_path: Path, town: TownCa, capsys: pytest.CaptureFixture[str]) -> None:
    """Erase-line, C1 and right-to-left controls are spelled out, in words and in JSON."""
    name = "cam\x1b[2K\x9b2K\u202e"
    film = film_under(tmp_path, town, [], name)
    for more in ([], ["--json"]):
        run(["verify", str(film), "--ca", str(tmp_path / "town.pem"), *more])
        said = capsys.readouterr()
        assert not {"\x1b", "\x9b", "\u202e"} & set(said.out + said.err)
        assert "2K" in said.out


@pytest.mark.parametrize(
    ("old", "new", "code"), [(b"", b"", 0), (b"suep", b"sueq", 3), (b"ipro", b"free", 0), (b"meta", b"free", 0)]
)
def test_a_film_without_a_seal_says_so(
    tmp_path: Path,
    export: bytes,
    node_ca: CertificateChain,
    capsys: pytest.CaptureFixture[str],
    old: bytes,
    new: bytes,
    code: int,
) -> None:
    """Taken away or merely renamed: in words and in JSON, with what is then not covered."""
    film = tmp_path / "export.mp4"
    film.write_bytes(export.replace(old, new, 1) if old else export)
    (tmp_path / "town.pem").write_bytes(node_ca.pem)
    left, document = judged(film, capsys)
    assert left == code
    assert document["seal"] == ("none" if old else "intact")
    assert run(["verify", str(film), "--ca", str(tmp_path / "town.pem")]) == code
    assert ("no signature covers the times, the gaps and the track" in capsys.readouterr().out) is bool(old)


def test_an_export_after_a_change_of_authority_is_never_accused(tmp_path: Path) -> None:
    """Recorded under one authority, exported under the next: either alone trusts it or does not, and none calls it changed."""
    identity = IdentityDirectory(tmp_path / "identity")
    identity.init("cam-1")
    before = TownCa("before", until=START + dt.timedelta(days=2))
    after = TownCa("after")
    clock = ManualClock()
    identity.install(before.sign(identity.certificate_request("cam-1")), before.chain, "cam-1", clock)
    recordings = Recordings(tmp_path / "state", clock=clock)
    SignedRecordings(recordings, identity.load(), identity.anchors(), tmp_path / "none.mp4").record(2)

    identity.install(after.sign(identity.certificate_request("cam-1")), after.chain, "cam-1", clock)
    while_both_hold = SignedRecordings(recordings, identity.load(), identity.anchors(), tmp_path / "soon.mp4").export(0, 2).film
    assert verify(while_both_hold, before.chain).verdict is Verdict.AUTHENTIC
    clock.advance(3 * 86_400)
    film = SignedRecordings(recordings, identity.load(), identity.anchors(), tmp_path / "late.mp4").export(0, 2).film
    expired = verify(film, before.chain)
    assert (expired.verdict, expired.changed) == (Verdict.NOT_TRUSTED, 0), expired.reason
    assert "the seal fits the film" in expired.reason
    assert expired.as_dict()["seal"] == "not trusted"
    assert verify(film, CertificateChain((*after.chain.certificates, *before.chain.certificates))).verdict is Verdict.AUTHENTIC
    stranger = verify(film, TownCa("a stranger").chain)
    assert stranger.verdict is Verdict.NOT_TRUSTED
    assert "'before' issued it, and no certificate of that authority's key is given" in stranger.reason
