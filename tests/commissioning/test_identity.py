"""Identity and register: what makes films count, and what a doctor must not pass over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from agent.commissioning.identity import judge_identity, judge_register
from agent.commissioning.line import Grade, Line
from agent.config.model import Config, Evidence
from agent.identity.node_key import IdentityDirectory
from agent.journal.entry import Act
from agent.journal.register import Register
from tests.support.manual_clock import ManualClock

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def judged(config: Config, identity: IdentityDirectory, now: datetime = NOW) -> Line:
    """The identity's line."""
    return next(line for line in judge_identity(config, identity, now) if line.check == "identity")


def issued(identity: IdentityDirectory, name: str = "pole-17", days: int = 365) -> None:
    """A chain of the town's CA in the place of the self-signed certificate."""
    authority = ec.generate_private_key(ec.SECP256R1())
    key = serialization.load_pem_private_key(identity.key_path.read_bytes(), None)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Town CA")]))
        .public_key(key.public_key())  # type: ignore[arg-type]
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(authority, hashes.SHA256())
    )
    identity.chain_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def test_a_node_that_lost_its_key_fails(config: Config) -> None:
    """And is told the command that makes one; where nothing was ever signed it waits for the first validation."""
    assert judged(config, IdentityDirectory(config.identity_dir)).grade is Grade.OPEN
    config.node.state_dir.mkdir(parents=True, exist_ok=True)
    (config.node.state_dir / "register.jsonl").touch()
    line = judged(config, IdentityDirectory(config.identity_dir))
    assert (line.grade, "vigie identity init" in line.remedy) == (Grade.FAIL, True)


def test_a_self_signed_identity_is_a_warning(config: Config, identity: IdentityDirectory) -> None:
    """It proves films to whoever holds its certificate, and to nobody else."""
    assert judged(config, identity).grade is Grade.WARN


@pytest.mark.parametrize(
    ("name", "days", "grade", "words"),
    [("pole-17", 365, Grade.OK, "Town CA"), ("pole-17", 20, Grade.WARN, "20 days"),
     ("pole-17", -3, Grade.FAIL, "expired 3 days ago"), ("pole-18", 365, Grade.FAIL, "pole-18")],
)  # fmt: skip
def test_an_issued_certificate_by_its_dates_and_name(
    config: Config, identity: IdentityDirectory, name: str, days: int, grade: Grade, words: str
) -> None:
    """In order, about to expire, expired, and another node's."""
    issued(identity, name, days)
    line = judged(config, identity)
    assert (line.grade, words in line.measured) == (grade, True), line.measured


def test_a_clock_in_the_past_is_suspected(config: Config, identity: IdentityDirectory) -> None:
    """A certificate that is not valid yet is more often a clock that is wrong."""
    issued(identity)
    assert "clock" in judged(config, identity, NOW - timedelta(days=500)).remedy


def test_a_key_that_others_may_read_fails(config: Config, identity: IdentityDirectory) -> None:
    """Mode 0644 on the key: whoever has copied it signs as this node."""
    identity.key_path.chmod(0o644)
    line = judged(config, identity)
    assert (line.grade, "others may read" in line.measured) == (Grade.FAIL, True)


def test_signing_switched_off_is_told(config: Config, identity: IdentityDirectory) -> None:
    """It may be wanted on trial; it must not be forgotten."""
    off = replace(config, evidence=Evidence(sign=False))
    assert next(line.grade for line in judge_identity(off, identity, NOW)) is Grade.WARN


@pytest.fixture
def register(tmp_path: Path, identity: IdentityDirectory) -> Path:
    """Three signed entries."""
    path = tmp_path / "register.jsonl"
    register = Register(path, ManualClock(), identity.load())
    for number in range(3):
        register.enter(Act.STILL_TAKEN, "A. Martin", {"number": number})
    return path


def test_a_whole_register_is_in_order_and_an_edited_one_fails(register: Path, identity: IdentityDirectory) -> None:
    """One changed name in one line is found, and the line is told."""
    chain = identity.load().chain
    assert judge_register(register, chain).grade is Grade.OK
    register.write_text(register.read_text().replace("A. Martin", "B. Martin", 1))
    line = judge_register(register, chain)
    assert (line.grade, line.measured.startswith("line 1")) == (Grade.FAIL, True)


def test_a_register_that_lost_its_end_fails_and_none_at_all_is_no_fault(register: Path, identity: IdentityDirectory) -> None:
    """Cut off, and deleted whole beside its head; before the first entry there is simply none."""
    chain = identity.load().chain
    whole = register.read_text()
    register.write_text("".join(whole.splitlines(keepends=True)[:2]))
    assert judge_register(register, chain).grade is Grade.FAIL
    register.unlink()
    assert judge_register(register, chain).grade is Grade.FAIL
    assert judge_register(register.with_name("other.jsonl"), chain).grade is Grade.OPEN
