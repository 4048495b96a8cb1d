"""The health document: what it holds and when it is sent."""

from __future__ import annotations

import json
import threading
from typing import Any

import msgspec
import numpy as np
import pytest

from agent.base.clock import ClockQuality, SystemClock
from agent.base.component import ComponentState
from agent.base.errors import DeviceError
from agent.ports.health import (
    BoardHealth,
    CameraHealth,
    ClockHealth,
    DiskHealth,
    Health,
    OutboxHealth,
    PrivacyHealth,
    RecordingHealth,
    UplinkHealth,
    ViewHealth,
)
from agent.uplink.health import HealthPublisher
from tests.support.manual_clock import ManualClock


class Node:
    """A node whose state a test sets."""

    def __init__(self) -> None:
        self.uplink = UplinkHealth(state="online")
        self.privacy = PrivacyHealth(state="masked", masks=3, view=ViewHealth(state="verified"))
        self.fps = 25.0
        self.components = {"capture": ComponentState.RUNNING}

    def parts(self) -> dict[str, Any]:
        """All of them."""
        return {
            "config_digest": "abc",
            "clock": ClockHealth(quality=ClockQuality.SYNCHRONISED),
            "camera": CameraHealth(driver="file", fps=self.fps, state="delivering"),
            "privacy": self.privacy,
            "recording": RecordingHealth(state="recording"),
            "disk": DiskHealth(free_bytes=1, total_bytes=2),
            "outbox": OutboxHealth(),
            "board": BoardHealth(),
            "uplink": self.uplink,
            "components": self.components,
        }


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    """What was handed to the session."""
    return []


def publisher(node: Node, clock: ManualClock, sent: list[dict[str, Any]]) -> HealthPublisher:
    """Every ten seconds."""
    return HealthPublisher("pole-1", "1.0", clock, node.parts, lambda document: sent.append(json.loads(document)), 10.0)


def test_has_every_part_the_contract_names(sent: list[dict[str, Any]]) -> None:
    """The names hubs rely on are all there."""
    publisher(Node(), ManualClock(), sent).turn()
    (document,) = sent
    named = {
        "node",
        "at",
        "uptime_s",
        "version",
        "config_digest",
        "clock",
        "camera",
        "privacy",
        "recording",
        "disk",
        "outbox",
        "board",
    }
    assert named | {"components"} <= set(document)
    assert set(document["clock"]) >= {"quality", "offset_ms"}
    assert set(document["camera"]) >= {"driver", "fps", "captured", "dropped", "last_frame_age_s", "state"}
    assert set(document["privacy"]) >= {"state", "reason", "masks", "mask_digest", "view"}
    assert set(document["privacy"]["view"]) >= {"state", "shift_px", "uncertainty_px"}
    assert set(document["recording"]) >= {"state", "oldest", "newest", "bytes", "days", "shortfall", "holds"}
    assert set(document["disk"]) >= {"free_bytes", "total_bytes"}
    assert set(document["outbox"]) >= {"pending", "oldest_age_s", "dropped", "sequence"}
    assert set(document["board"]) >= {"temperature_c", "throttled", "load_1m", "rss_bytes"}
    assert document["components"] == {"capture": "running"}


def test_is_sent_every_interval_and_no_oftener(sent: list[dict[str, Any]]) -> None:
    """Figures that move send nothing; time does."""
    node, clock = Node(), ManualClock()
    health = publisher(node, clock, sent)
    for second in range(31):
        node.fps = 25.0 - second / 100
        health.turn()
        clock.advance(1)
    assert len(sent) == 4


def test_a_changed_state_is_sent_at_once(sent: list[dict[str, Any]]) -> None:
    """Masked to opaque, a failed component, deaf to commands: each is told in the second it happens, once."""
    node, clock = Node(), ManualClock()
    health = publisher(node, clock, sent)
    health.turn()
    clock.advance(1)
    node.privacy = PrivacyHealth(state="opaque", reason="view moved", view=ViewHealth(state="moved"))
    assert health.turn()
    assert not health.turn()
    node.components = {"capture": ComponentState.FAILED}
    assert health.turn()
    assert [document["privacy"]["state"] for document in sent] == ["masked", "opaque", "opaque"]
    assert sent[-1]["components"] == {"capture": "failed"}
    node.uplink = UplinkHealth(state="online", reason="commands cannot be received")
    assert health.turn()
    assert not health.turn()


def test_the_interval_can_be_set_from_afar(sent: list[dict[str, Any]]) -> None:
    """A shorter interval holds from now on."""
    clock = ManualClock()
    health = publisher(Node(), clock, sent)
    health.turn()
    clock.advance(3)
    assert not health.turn()
    health.set_interval(2)
    assert health.turn()


def test_a_document_with_a_stranger_in_it_is_refused(sent: list[dict[str, Any]]) -> None:
    """What leaves has exactly the published names."""
    publisher(Node(), ManualClock(), sent).turn()
    assert msgspec.convert(sent[0], Health).node == "pole-1"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**sent[0], "surprise": 1}, Health)


def test_a_figure_has_the_form_it_is_published_in(sent: list[dict[str, Any]]) -> None:
    """Whole numbers of a driver, numpy's numbers and enumerations are written as what the schema says of them."""
    node, documents = Node(), list[bytes]()
    numbers: dict[str, Any] = {"dropped": np.int64(3), "lux": np.float32(0.5)}  # as a careless driver hands them over
    odd = {
        "camera": CameraHealth(
            driver="file", fps=25, dropped=numbers["dropped"], state="delivering", metrics={"lux": numbers["lux"], "reopened": 2}
        ),
        "board": BoardHealth(temperature_c=np.float64(50), more={"model": np.str_("Pi")}),
    }
    HealthPublisher("pole-1", "1.0", ManualClock(), lambda: node.parts() | odd, documents.append).turn()
    document = json.loads(documents[0], parse_float=str, parse_int=lambda digits: f"int {digits}")
    assert document["camera"]["fps"] == "25.0"
    assert document["camera"]["dropped"] == "int 3"
    assert document["camera"]["figures"] == {"lux": "0.5", "reopened": "2.0"}
    assert document["board"]["temperature_c"] == "50.0"
    assert document["board"]["more"] == {"model": "Pi"}
    assert document["board"]["throttled"] is None
    assert document["clock"] == {"quality": "synchronised", "offset_ms": None}


def test_a_figure_of_the_wrong_type_is_not_sent() -> None:
    """A tuple that a driver calls a figure is an error here, never a document that its schema refuses."""
    camera = CameraHealth(driver="file", state="delivering", metrics={"gains": (1.0, 2.0)})  # type: ignore[dict-item]
    with pytest.raises(DeviceError, match="figures"):
        HealthPublisher("pole-1", "1.0", ManualClock(), lambda: Node().parts() | {"camera": camera}, lambda _: None).turn()


def test_a_part_that_cannot_be_told_once_silences_nobody_for_good() -> None:
    """Raised while it is told, or of a kind that no document holds: one document is missing, and the next is sent."""
    node, sent, told = Node(), threading.Event(), iter(["raises", "odd"])

    def parts() -> dict[str, Any]:
        match next(told, ""):
            case "raises":
                raise RuntimeError("dictionary changed size during iteration")
            case "odd":
                return {**node.parts(), "camera": "none"}
        return node.parts()

    publisher = HealthPublisher("pole-17", "1", SystemClock(), parts, lambda _document: sent.set())
    publisher.retry_s = 0.0
    publisher.start()
    assert sent.wait(60)
    publisher.stop()
    assert publisher.join(60)
    assert publisher.state is ComponentState.STOPPED


def test_what_cannot_be_told_is_said_to_who_asks() -> None:
    """`status` and `ping` get a sentence that names the cause."""

    def parts() -> dict[str, Any]:
        raise RuntimeError("no fan")

    with pytest.raises(DeviceError, match="RuntimeError: no fan"):
        HealthPublisher("pole-17", "1", ManualClock(), parts, lambda _document: None).document()
