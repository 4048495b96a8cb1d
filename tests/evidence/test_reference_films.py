"""The verifier against ONVIF's reference: the same film, the same judgement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli import run
from agent.evidence.report import State, Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain


def test_the_signed_film_is_judged_as_the_reference_does(samples: Path, reference_ca: CertificateChain) -> None:
    """Public key valid, video valid, 100 of 119 pictures validated, 19 pending."""
    report = verify(samples / "signed.mp4", reference_ca)
    assert report.chain_trusted
    assert report.verdict is Verdict.AUTHENTIC
    assert (report.authentic, report.pictures, report.pending) == (100, 119, 19)
    assert [(span.state, span.first, span.last) for span in report.spans] == [
        (State.AUTHENTIC, 0, 99),
        (State.PENDING, 100, 118),
    ]
    assert report.vendor is not None
    assert report.vendor.firmware == "r25.12.3"


def test_the_unsigned_film_is_not_signed(samples: Path, reference_ca: CertificateChain) -> None:
    """Neither authentic nor the contrary, and every picture is counted as one without signature."""
    report = verify(samples / "unsigned.mp4", reference_ca)
    assert report.verdict is Verdict.NOT_SIGNED
    assert report.pending == report.pictures > 0


def test_an_unknown_authority_is_not_trusted(samples: Path, node_ca: CertificateChain) -> None:
    """The film is whole, but nobody known vouches for the key."""
    report = verify(samples / "signed.mp4", node_ca)
    assert report.verdict is Verdict.NOT_TRUSTED
    assert not report.chain_trusted


@pytest.mark.parametrize(("film", "code", "verdict"), [("signed", 0, "authentic"), ("unsigned", 4, "not signed")])
def test_the_command_says_it_by_its_exit_code(
    samples: Path, capsys: pytest.CaptureFixture[str], film: str, code: int, verdict: str
) -> None:
    """`vigie verify --json` prints one document and leaves with the code of the verdict."""
    assert run(["verify", str(samples / f"{film}.mp4"), "--ca", str(samples / "ca.pem"), "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == verdict
    assert document["exit_code"] == code
