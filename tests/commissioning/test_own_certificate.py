"""The doctor on the certificate that a node shows its broker."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent.commissioning.line import Grade, Line
from agent.commissioning.own_certificate import judge_own_certificate

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def judged(path: Path, name: str = "pole-1", unit: str = "vigie-node", days: int = 100) -> Line:
    """What is said of such a certificate on the node pole-1."""
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, unit), x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]
    subject = x509.Name(parts)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(NOW - dt.timedelta(days=900)).not_valid_after(NOW + dt.timedelta(days=days))
    )
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (line,) = judge_own_certificate(path, "pole-1", NOW)
    return line


@pytest.mark.parametrize(
    ("name", "unit", "days", "grade", "words"),
    [
        ("pole-1", "vigie-node", 100, Grade.OK, "100 days"),
        ("pole-1", "Voirie", 100, Grade.OK, "100 days"),
        ("pole-1", "vigie-node", 29, Grade.WARN, "29 days"),
        ("pole-1", "vigie-node", -3, Grade.FAIL, "expired 3 days ago"),
        ("pole-2", "vigie-node", 100, Grade.WARN, "'pole-2'"),
        ("hub", "vigie-centre", 100, Grade.FAIL, "vigie-centre"),
        ("pole-1", "vigie-broker", 100, Grade.FAIL, "vigie-broker"),
    ],
)
def test_a_certificate_is_its_nodes_and_good_for_long(
    tmp_path: Path, name: str, unit: str, days: int, grade: Grade, words: str
) -> None:
    """Whose it is, of which unit, and until when: the worst of it is said, with what to do."""
    line = judged(tmp_path / "node.pem", name, unit, days)
    assert (line.grade, words in line.measured) == (grade, True), line
    assert bool(line.remedy) is (grade is not Grade.OK)


def test_no_certificate_is_no_line(tmp_path: Path) -> None:
    """A node that logs in by password; a file that the login complains of."""
    (tmp_path / "bad.pem").write_text("no certificate")
    for path in (None, tmp_path / "bad.pem", tmp_path / "missing.pem"):
        assert list(judge_own_certificate(path, "pole-1", NOW)) == []
