"""Identities, and where the reference's films lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.identity.certificates import CertificateChain, read_chain
from agent.identity.node_key import IdentityDirectory, NodeSigner
from tests.support.recordings import Recordings
from tests.support.signed_recordings import SignedRecordings

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def samples() -> Path:
    """ONVIF's films: $VIGIE_ONVIF_SAMPLES, else the copies beside the tests."""
    return Path(os.environ.get("VIGIE_ONVIF_SAMPLES", HERE / "samples"))


@pytest.fixture(scope="session")
def reference_ca(samples: Path) -> CertificateChain:
    """The root of the reference's film."""
    return read_chain(samples / "ca.pem")


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> IdentityDirectory:
    """A node's identity, self-signed."""
    directory = IdentityDirectory(tmp_path_factory.mktemp("identity") / "identity")
    directory.init("cam-1")
    return directory


@pytest.fixture(scope="session")
def signer(identity: IdentityDirectory) -> NodeSigner:
    """The node's signer."""
    return identity.load()


@pytest.fixture(scope="session")
def node_ca(identity: IdentityDirectory) -> CertificateChain:
    """The node's ca.pem."""
    return read_chain(identity.ca_path)


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory, signer: NodeSigner, node_ca: CertificateChain) -> bytes:
    """A sealed export of two seconds."""
    directory = tmp_path_factory.mktemp("export")
    node = SignedRecordings(Recordings(directory / "state"), signer, node_ca, directory / "export.mp4")
    node.record(2)
    return node.export(0, 2).film.read_bytes()
