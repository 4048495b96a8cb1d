"""The node's key: made once, kept close, vouched for by whom it fits."""

from __future__ import annotations

import datetime as dt
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent.base.errors import EvidenceError
from agent.cli import run
from agent.identity.certificates import CertificateChain, key_digest, read_chain, verify_signature
from agent.identity.node_key import CREDENTIAL, IdentityDirectory
from agent.identity.usage import lacking
from bench.town_ca import TownCa
from tests.support.manual_clock import ManualClock


@pytest.fixture
def fresh(tmp_path: Path) -> IdentityDirectory:
    """An identity just made."""
    directory = IdentityDirectory(tmp_path / "identity")
    directory.init("cam-1")
    return directory


def test_the_key_is_readable_by_the_node_alone(fresh: IdentityDirectory) -> None:
    """0600 from the first instant on, in a directory that shows its certificates to the group and nothing to others."""
    assert stat.S_IMODE(fresh.key_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(fresh.path.stat().st_mode) & 0o027 == 0


def test_a_key_that_others_may_read_is_refused(fresh: IdentityDirectory) -> None:
    """A key that may have been copied proves nothing; the line says what to do."""
    fresh.key_path.chmod(0o644)
    with pytest.raises(EvidenceError, match="chmod 600"):
        fresh.load()


def test_init_never_replaces_a_key(fresh: IdentityDirectory) -> None:
    """A second init is refused and changes nothing."""
    before = fresh.key_path.read_bytes(), fresh.chain_path.read_bytes()
    with pytest.raises(EvidenceError, match="already"):
        fresh.init("cam-1")
    assert (fresh.key_path.read_bytes(), fresh.chain_path.read_bytes()) == before


def test_every_node_has_a_key_of_its_own(tmp_path: Path) -> None:
    """There is no default key."""
    keys = {IdentityDirectory(tmp_path / name).init("cam-1").chain.key_digest for name in "abc"}
    assert len(keys) == 3


def test_init_goes_on_where_an_earlier_one_was_stopped(fresh: IdentityDirectory) -> None:
    """A key without certificates keeps its key and gets them."""
    key = fresh.key_path.read_bytes()
    fresh.chain_path.unlink()
    fresh.init("cam-1")
    assert fresh.key_path.read_bytes() == key


def test_what_the_signer_signs_its_certificate_verifies(fresh: IdentityDirectory) -> None:
    """And nothing else."""
    signer = fresh.load()
    signature = signer.sign(b"picture")
    assert signer.verify(b"picture", signature)
    assert verify_signature(signer.chain.leaf, b"picture", signature)
    assert not signer.verify(b"pictures", signature)
    assert not signer.verify(b"picture", signature[:-1])


def test_a_self_signed_node_is_its_own_authority(fresh: IdentityDirectory) -> None:
    """ca.pem is what `verify --ca` takes, at any date: a node without a set clock records too."""
    for at_ns in (0, 1_800_000_000_000_000_000):
        fresh.load().chain.check(read_chain(fresh.ca_path), at_ns)


def test_the_towns_chain_is_installed_when_it_fits(fresh: IdentityDirectory) -> None:
    """Key, name and CA agree: chain and ca are replaced, the key stays."""
    town = TownCa()
    issued = town.sign(fresh.certificate_request("cam-1"))
    before, own = fresh.load().chain.key_digest, read_chain(fresh.ca_path)
    signer = fresh.install(CertificateChain(issued.certificates + town.chain.certificates), town.chain, "cam-1", ManualClock())
    assert signer.chain.certificates == issued.certificates
    assert read_chain(fresh.ca_path) == town.chain
    assert signer.chain.key_digest == before
    assert fresh.anchors().certificates == (*town.chain.certificates, *own.certificates)


@pytest.mark.parametrize(
    ("without", "named"), [(x509.KeyUsage, "digitalSignature"), (x509.ExtendedKeyUsage, "vigie-film-signing")]
)
def test_a_certificate_that_does_not_serve_for_films_is_refused_by_name(
    fresh: IdentityDirectory, without: type[x509.ExtensionType], named: str
) -> None:
    """What the authority left out of what was asked for; the node keeps what it has, and signs."""
    town = TownCa()
    issued = town.sign(fresh.certificate_request("cam-1"), without=without)
    before = fresh.chain_path.read_bytes(), fresh.ca_path.read_bytes()
    with pytest.raises(EvidenceError, match=named):
        fresh.install(issued, town.chain, "cam-1", ManualClock())
    assert (fresh.chain_path.read_bytes(), fresh.ca_path.read_bytes()) == before
    assert fresh.load().sign(b"x")


def test_a_certificate_that_may_issue_others_is_refused(fresh: IdentityDirectory) -> None:
    """What `openssl req -x509` makes of a request, if it is not told otherwise: this camera's key could vouch for any camera."""
    town = TownCa()
    request = x509.load_pem_x509_csr(fresh.certificate_request("cam-1"))
    issued = town.issue(request.subject, request.public_key(), ca=True, asked=list(request.extensions))
    before = fresh.chain_path.read_bytes()
    with pytest.raises(EvidenceError, match="authority"):
        fresh.install(CertificateChain((issued,)), town.chain, "cam-1", ManualClock())
    assert fresh.chain_path.read_bytes() == before


def test_the_leaf_of_a_new_node_is_not_its_own_authority(fresh: IdentityDirectory) -> None:
    """The chain leaves out its CA, as Media Signing asks; the CA's key is nowhere, and the leaf may sign films."""
    leaf, authority = fresh.load().chain.leaf, read_chain(fresh.ca_path).leaf
    assert leaf.issuer == authority.subject != leaf.subject
    assert key_digest(leaf) != key_digest(authority)
    assert lacking(leaf) == ()
    assert [path.name for path in fresh.path.iterdir() if "PRIVATE" in path.read_text()] == ["key.pem"]


def test_a_node_of_before_gets_an_authority_and_keeps_its_key(fresh: IdentityDirectory) -> None:
    """Carried over once: films of before verify with its ca.pem, films of now too, and the second start changes nothing."""
    old = self_signed(fresh, "cam-1")
    signer = fresh.carry_over("cam-1")
    files = fresh.chain_path.read_bytes(), fresh.ca_path.read_bytes()
    anchors = read_chain(fresh.ca_path)
    assert signer.chain.leaf.issuer != signer.chain.leaf.subject
    for chain in (old, signer.chain):
        chain.check(anchors, 0)
        assert chain.key_digest == old.key_digest
    fresh.carry_over("cam-1")
    assert (fresh.chain_path.read_bytes(), fresh.ca_path.read_bytes()) == files


def self_signed(directory: IdentityDirectory, node_id: str) -> CertificateChain:
    """The identity as an earlier release made it: the leaf is its own CA."""
    key = serialization.load_pem_private_key(directory.key_path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, node_id)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).not_valid_after(
        dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
    )
    made = CertificateChain((builder.sign(key, hashes.SHA256()),))
    directory.ca_path.write_bytes(made.pem)
    directory.chain_path.write_bytes(made.pem)
    return made


@pytest.mark.parametrize("fault", ["another key", "another name", "another CA", "expired"])
def test_a_chain_that_does_not_fit_is_refused_and_changes_nothing(tmp_path: Path, fresh: IdentityDirectory, fault: str) -> None:
    """A node never ends up with a certificate that does not vouch for it."""
    town = TownCa(until=dt.datetime(2026, 2, 1, tzinfo=dt.UTC)) if fault == "expired" else TownCa()
    other = IdentityDirectory(tmp_path / "other")
    other.init("cam-2")
    request = other.certificate_request("cam-1") if fault == "another key" else fresh.certificate_request("cam-1")
    issued = town.sign(request)
    ca = TownCa().chain if fault == "another CA" else town.chain
    before = fresh.chain_path.read_bytes()
    with pytest.raises(EvidenceError):
        fresh.install(issued, ca, "cam-9" if fault == "another name" else "cam-1", ManualClock())
    assert fresh.chain_path.read_bytes() == before


def test_a_systemd_credential_goes_before_the_file(tmp_path: Path, fresh: IdentityDirectory) -> None:
    """The key may live where only the service sees it."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / CREDENTIAL).write_bytes(fresh.key_path.read_bytes())
    (credentials / CREDENTIAL).chmod(0o400)
    fresh.key_path.unlink()
    with pytest.raises(EvidenceError, match="no signing key"):
        fresh.load()
    assert IdentityDirectory(fresh.path, credentials).load().sign(b"x")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_key_is_one_clear_line(fresh: IdentityDirectory, content: bytes) -> None:
    """No traceback of a library."""
    fresh.key_path.write_bytes(content)
    with pytest.raises(EvidenceError, match=r"private key|is empty"):
        fresh.load()


def test_a_key_of_another_kind_is_refused(fresh: IdentityDirectory) -> None:
    """Signatures have room for P-256 only."""
    key = ec.generate_private_key(ec.SECP384R1())
    fresh.key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    with pytest.raises(EvidenceError, match="P-256"):
        fresh.load()


def test_the_commands_make_show_and_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`vigie identity init`, `csr` and `show` on a configuration."""
    config = tmp_path / "config.toml"
    config.write_text(
        '[node]\nid = "cam-7"\nstate_dir = "state"\n[camera]\ndriver = "synthetic"\n'
        '[privacy.none_needed]\nby = "A. Martin"\non = 2026-01-05\nwhy = "a wall without windows"\n'
    )
    assert run(["identity", "init", "--config", str(config)]) == 0
    assert run(["identity", "init", "--config", str(config), "--if-missing"]) == 0
    assert run(["identity", "init", "--config", str(config)]) == 1
    assert (tmp_path / "state" / "identity" / "key.pem").exists()
    capsys.readouterr()
    assert run(["identity", "show", "--config", str(config), "--json"]) == 0
    assert '"node": "cam-7"' in capsys.readouterr().out
    assert run(["identity", "csr", "--config", str(config)]) == 0
    assert x509.load_pem_x509_csr(capsys.readouterr().out.encode()).subject.rfc4514_string() == "CN=cam-7"
