"""The page's seal by itself: never broken by an honest stream, and never verified over frames that no signature speaks for."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from msgspec.structs import replace

from agent.base.clock import NS
from agent.identity.node_key import IdentityDirectory, NodeSigner
from agent.live.web_server import STATIC
from agent.picture.access_unit import AccessUnit
from agent.signing import nal
from agent.signing.media_signing import MediaSigner
from tests.support import parts
from tests.support.failing_key import FailingKey
from tests.support.signed_film import VENDOR, encode, sign

GOP = 5
RUN = Path(__file__).parent / "seal" / "run.mjs"


@dataclass
class Sent:
    """One frame as the page gets it."""

    unit: AccessUnit
    lost: bool = False
    shown: bool = True
    wall_ns: int | None = None

    @property
    def line(self) -> dict[str, Any]:
        wall_ns = self.unit.wall_ns if self.wall_ns is None else self.wall_ns
        return {"data": b64encode(self.unit.data).decode(), "lost": self.lost, "shown": self.shown, "wall": wall_ns / 1e6}


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> IdentityDirectory:
    """A node's."""
    directory = IdentityDirectory(tmp_path_factory.mktemp("identity") / "identity")
    directory.init("cam-1")
    return directory


@pytest.fixture(scope="module")
def signer(identity: IdentityDirectory) -> NodeSigner:
    """Its key."""
    return identity.load()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[AccessUnit]:
    """Eight GOPs, as the encoder hands them over."""
    return encode(tmp_path_factory.mktemp("film") / "plain.mp4", gop=GOP, pictures=8 * GOP)


@pytest.fixture(scope="module")
def signed(plain: list[AccessUnit], signer: NodeSigner) -> list[AccessUnit]:
    """The same, as they leave the node."""
    return sign(plain, signer)


def said(identity: IdentityDirectory, sent: Sequence[Sent | float]) -> list[dict[str, Any]]:
    """What the seal says after each frame, or after so many seconds in which nothing came."""
    lines: list[dict[str, Any]] = [{"authority": identity.ca_path.read_text()}]
    lines += [{"waited": each} if isinstance(each, float) else each.line for each in sent]
    with TemporaryDirectory() as name:
        script = Path(shutil.copy(STATIC / "seal.js", name))
        script.with_name("package.json").write_text('{"type": "module"}')
        script.with_name("words.js").write_text("export const say = (sentence) => sentence;")
        done = subprocess.run(
            [parts.program("node", "nodejs"), str(RUN), str(script)],
            input="".join(json.dumps(line) + "\n" for line in lines),
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()][1:]


def states(told: Sequence[dict[str, Any]]) -> list[str]:
    """Of these answers."""
    return [each["state"] for each in told]


def test_an_honest_stream_is_verified_and_nothing_is_owed(identity: IdentityDirectory, signed: list[AccessUnit]) -> None:
    """From the second keyframe on."""
    told = said(identity, [Sent(unit) for unit in signed])
    assert states(told) == ["not yet"] * GOP + ["verified"] * 7 * GOP
    assert told[-1]["unproved"] == 0


def test_a_part_whose_certificate_comes_behind_its_signature_is_owed_nothing(
    identity: IdentityDirectory, signed: list[AccessUnit]
) -> None:
    """As for whoever joins at a keyframe that comes early: certificates are a second apart."""
    told = said(identity, [Sent(unit) for unit in signed[GOP:]])
    assert states(told) == ["not yet"] * GOP + ["verified"] * 6 * GOP
    assert told[-1]["unproved"] == 0


def test_a_key_that_fails_for_a_while_breaks_no_seal(
    identity: IdentityDirectory, signer: NodeSigner, plain: list[AccessUnit]
) -> None:
    """The frames of that part are told as without a signature; what follows is verified again."""
    key = FailingKey(signer, fails=False)
    media_signer = MediaSigner(key, VENDOR)
    made = []
    for number, unit in enumerate(plain):
        key.fails = number == 3 * GOP
        made.append(media_signer.process(unit))
    told = said(identity, [Sent(unit) for unit in made])
    assert "broken" not in states(told), told[-1]
    assert states(told)[3 * GOP : 4 * GOP] == ["not yet"] * GOP
    assert (told[-1]["state"], told[-1]["unproved"]) == ("verified", GOP)


def without_signatures(unit: AccessUnit) -> AccessUnit:
    """As a forger sends it on: other pictures, and nothing that speaks of them."""
    units = [unit.data[start:end] for start, end in nal.spans(unit.data)]
    data = b"".join(b"\0\0\0\1" + each[:-1] + b"\x55" for each in units if each[0] & 0x1F != 6)
    return replace(unit, data=data)


def test_a_seal_does_not_stay_verified_when_signatures_cease(identity: IdentityDirectory, signed: list[AccessUnit]) -> None:
    """At the keyframe at which one should have come; each frame without one is counted."""
    forged = [Sent(without_signatures(unit)) for unit in signed[3 * GOP :]]
    told = said(identity, [*(Sent(unit) for unit in signed[: 3 * GOP]), *forged])
    assert set(states(told)[3 * GOP :]) == {"not yet"}
    assert told[-1]["unproved"] >= 4 * GOP


def test_a_seal_does_not_stay_verified_when_no_keyframe_comes_either(
    identity: IdentityDirectory, signed: list[AccessUnit]
) -> None:
    """A signature that is long overdue; it is verified again when it comes after all."""
    honest = [Sent(unit) for unit in signed]
    told = said(identity, [*honest[: 2 * GOP + 1], 9.0, honest[2 * GOP + 1], 2.0, *honest[2 * GOP + 2 :]])
    assert states(told)[2 * GOP : 2 * GOP + 4] == ["verified", "verified", "verified", "not yet"]
    assert told[-1]["state"] == "verified"
    assert told[-1]["unproved"] == 0


def test_a_pretended_loss_does_not_wash_a_forged_frame(identity: IdentityDirectory, signed: list[AccessUnit]) -> None:
    """What was shown before a gap without a signature stays told, however often the seal is earned anew."""
    forged = Sent(without_signatures(signed[0]), lost=True)
    sent = []
    for begin in range(0, 6 * GOP, 2 * GOP):
        sent += [forged, Sent(signed[begin], lost=True), *(Sent(unit) for unit in signed[begin + 1 : begin + GOP + 1])]
    told = said(identity, sent)
    assert told[-1]["state"] == "verified"
    assert told[-1]["unproved"] >= 3


def test_frames_that_are_not_shown_earn_no_seal(identity: IdentityDirectory, signed: list[AccessUnit]) -> None:
    """An honest part behind the picture of another."""
    told = said(identity, [Sent(unit, shown=False) for unit in signed])
    assert states(told) == ["broken"] * len(signed)


def test_another_time_than_the_signed_one_breaks_the_seal(identity: IdentityDirectory, signed: list[AccessUnit]) -> None:
    """Yesterday's stream with today's time beside it."""
    told = said(identity, [Sent(unit, wall_ns=unit.wall_ns + 86_400 * NS) for unit in signed])
    assert (told[-1]["state"], "time" in told[-1]["why"]) == ("broken", True)
