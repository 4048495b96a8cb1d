"""SIGHUP under a running node: what can change at once changes, the recording goes on, and a bad file changes nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agent.base.errors import DeviceError
from agent.cli import vigie
from agent.demo.broker import LocalBroker
from agent.operations.control_socket import ask
from tests.support.deadline import until
from tests.support.independent_hub import Subscriber
from tests.support.whole_node import WholeNode, decoded


class Running:
    """A node in the background with its broker."""

    def __init__(self, node: WholeNode) -> None:
        self.node = node
        self.process = node.start()

    def health(self) -> dict[str, Any]:
        """Empty while it does not answer."""
        try:
            return ask(self.node.directory / "state", "status")
        except DeviceError:
            return {}

    def part(self, name: str) -> dict[str, Any]:
        """One part of health."""
        part = self.health().get(name, {})
        assert isinstance(part, dict)
        return part

    def reload(self, change: str, to: str) -> None:
        """Change the file and send SIGHUP."""
        text = self.node.config.read_text()
        assert change in text
        self.node.config.write_text(text.replace(change, to))
        self.process.send_signal(signal.SIGHUP)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A node that films in real time and reports to a broker."""
    with LocalBroker(tmp_path / "broker") as broker:
        node = WholeNode(tmp_path, broker.url, tables={"motion": "hold_seconds = 1"})
        node.write(realtime=True, loop=True)
        node.validate()
        running = Running(node)
        until(lambda: running.part("uplink").get("state") == "online", "the node is online")
        until(lambda: running.part("privacy").get("state") == "masked", "the picture is masked")
        yield running
        running.process.terminate()
        assert running.process.wait(120) == 0
        assert "Traceback" not in node.log()


def test_motion_broker_and_masks_change_while_the_recording_goes_on(running: Running, tmp_path: Path) -> None:
    """Three reloads: motion, another broker, one mask less; the recording never stops and shows no gap."""
    running.reload("hold_seconds = 1", "hold_seconds = 2")
    until(lambda: "motion.hold_seconds" in running.node.log(), "the log names what changed")
    with LocalBroker(tmp_path / "other") as other:
        running.reload(running.node.broker_url, other.url)
        until(lambda: running.part("uplink").get("broker", "").endswith(str(other.port)), "the node moved to the other broker")
        until(lambda: running.part("uplink").get("state") == "online", "and is online there")
        text = running.node.config.read_text()
        last = text[text.rindex("[[privacy.mask]]") :]
        running.reload(last, "")
        until(lambda: running.part("privacy").get("state") == "opaque", "masks nobody has validated close the picture")
        running.node.vigie("masks", "validate", "--config", str(running.node.config), "--by", "test", "--lift")
        until(lambda: running.part("privacy").get("state") == "masked", "validated, they open it again")
        camera = running.part("camera")
        captured, dropped = camera["captured"], camera["dropped"]
        running.process.terminate()
        assert running.process.wait(120) == 0
    recorded = sum(1 for segment in running.node.recordings() for _ in decoded(segment))
    assert recorded >= captured - dropped


def test_a_detector_that_is_switched_off_takes_its_states_back(running: Running) -> None:
    """No motion is looked for any more: the centre's last word on it is deleted, at a reload and at a start; others stand."""
    topic = "vigie/pole-7/onvif-ej/VideoSource"
    motion, dark = f"{topic}/MotionAlarm/&pole-7", f"{topic}/ImageTooDark/ImagingService/&pole-7"
    hub = Subscriber(int(running.node.broker_url.rpartition(":")[2]))
    hub.wait_for(lambda heard: {motion, dark} <= {one.topic for one in heard}, 60)
    running.reload("hold_seconds = 1", "hold_seconds = 1\nenabled = false")
    hub.wait_for(lambda heard: any(one.topic == motion and not one.payload for one in heard), 60)
    running.process.terminate()
    assert running.process.wait(120) == 0
    text = running.node.config.read_text()
    running.node.config.write_text(text.replace("[motion]", "[tampering]\nenabled = false\n[motion]"))
    running.process = running.node.start()
    hub.wait_for(lambda heard: any(one.topic == dark and not one.payload for one in heard), 60)
    hub.close(forget=True)


def test_what_needs_a_restart_is_said_and_remembered(running: Running) -> None:
    """The segment length cannot change under a recording: health lists the key until the restart, the digest stays."""
    before = running.health()["config_digest"]
    running.reload("segment_seconds = 20", "segment_seconds = 30")
    until(lambda: running.health().get("restart_needed") == ["recording.segment_seconds"], "health lists the key")
    running.reload("hold_seconds = 1", "hold_seconds = 3")
    until(lambda: "motion.hold_seconds" in running.node.log(), "the second reload is through")
    assert running.health()["restart_needed"] == ["recording.segment_seconds"]
    assert running.health()["config_digest"] == before


def test_a_refused_file_changes_nothing(running: Running) -> None:
    """A bad file on SIGHUP: log and health say where and why, the node goes on with the former one until the file is mended."""
    before = running.health()["config_digest"]
    running.reload("hold_seconds = 1", "hold_secs = 1")
    until(lambda: "hold_secs" in running.node.log(), "the log places the error")
    until(lambda: "hold_secs" in running.health().get("config_trouble", ""), "and so does health")
    said = CliRunner().invoke(vigie, ["status", "--config", str(running.node.config)]).stdout.splitlines()
    assert said[1].startswith("Needs a hand: the new configuration is refused, and the former one is in force")
    assert running.health()["config_digest"] == before
    assert running.node.log().count("the configuration is refused") == 1
    assert running.part("recording")["state"] == "recording"
    running.reload("hold_secs = 1", "hold_seconds = 1")
    until(lambda: running.health().get("config_trouble") == "", "a mended file is no fault any more")


def test_a_register_that_cannot_be_written_keeps_the_former_configuration(running: Running) -> None:
    """The reload is refused in words, no statement opens the picture without its entry, and the next SIGHUP takes it over."""
    register = running.node.directory / "state" / "register.jsonl"
    aside = register.rename(register.with_suffix(".aside"))
    register.mkdir()
    masks = running.part("privacy")["masks"]
    assert masks > 0
    text = running.node.config.read_text()
    statement = '[privacy.none_needed]\nby = "A. Technician"\non = 2026-11-23\nwhy = "an empty yard, no window"\n'
    running.node.config.write_text(text[: text.index("[[privacy.mask]]")] + statement)
    running.process.send_signal(signal.SIGHUP)
    until(lambda: "is not taken over" in running.node.log(), "the log says that it is refused")
    camera = running.part("camera")["captured"]
    until(lambda: running.part("camera").get("captured", 0) > camera + 5, "the node films on")
    assert running.part("privacy")["masks"] == masks
    register.rmdir()
    aside.rename(register)
    running.process.send_signal(signal.SIGHUP)
    until(lambda: running.part("privacy").get("masks") == 0, "the statement holds once it is entered")
    assert "an empty yard" in register.read_text()
