"""Certificates that expire and are renewed while the node runs on."""

from __future__ import annotations

import os
from pathlib import Path

from agent.demo.broker import LocalBroker
from bench.fault_process import FaultProcess
from bench.fault_scene import SETTINGS, settled, wait_until
from bench.independent_hub import Subscriber, judge
from tests.support.broker import Authority, TlsBroker


def credentials(authority: Authority, name: str = "pole-1") -> dict[str, str]:
    """The node's files."""
    directory = authority.directory
    return {"ca_file": str(authority.ca), "cert_file": str(directory / f"{name}.pem"), "key_file": str(directory / f"{name}.key")}


def test_an_expired_certificate_holds_events_back_until_it_is_renewed(tmp_path: Path) -> None:
    """With an expired certificate everything waits and health says why; renewed on disk, everything arrives, no restart."""
    authority = Authority(tmp_path / "pki")
    authority.issue("pole-1", expired=True)
    server = authority.issue("broker", server="127.0.0.1")
    with TlsBroker(tmp_path / "broker", authority, server, SETTINGS) as broker:
        hub = Subscriber(broker.port)
        settings = {"directory": str(tmp_path / "node"), "urls": [broker.tls_url], "files": credentials(authority)}
        with FaultProcess(settings) as node:
            node.ask("raise 40", "raised")
            wait_until(lambda: "not connected yet" not in node.ask("health", "health")["reason"])
            health = node.ask("health", "health")
            assert health["state"] != "online"
            assert health["pending"] >= 80
            authority.issue("pole-1")
            settled(hub, node)
            node.stop()
        hub.close()
        verdict = judge(hub.heard, node.alarms)
    assert verdict.sound, verdict
    assert verdict.alarms >= 41


def test_a_broker_whose_certificate_expires_is_left_until_it_is_renewed(tmp_path: Path) -> None:
    """The other side's certificate: refused with the reason in words, and taken again once it is good."""
    authority = Authority(tmp_path / "pki")
    authority.issue("pole-1")
    server = authority.issue("broker", server="127.0.0.1")
    with TlsBroker(tmp_path / "broker", authority, server, SETTINGS) as broker:
        hub = Subscriber(broker.port)
        settings = {"directory": str(tmp_path / "node"), "urls": [broker.tls_url], "files": credentials(authority)}
        with FaultProcess(settings) as node:
            node.ask("raise 20", "raised")
            settled(hub, node)
            broker.stop()
            authority.issue("broker", server="127.0.0.1", expired=True)
            broker.start()
            node.ask("raise 20", "raised")
            wait_until(lambda: "expired" in node.ask("health", "health")["reason"])
            broker.stop()
            authority.issue("broker", server="127.0.0.1")
            broker.start()
            settled(hub, node)
            node.stop()
        hub.close()
        verdict = judge(hub.heard, node.alarms)
    assert verdict.sound, verdict


def test_a_certificate_renewed_in_time_is_shown_without_a_gap(tmp_path: Path) -> None:
    """Renewed while online: the node shakes hands anew by itself, nobody sees it go offline."""
    authority = Authority(tmp_path / "pki")
    authority.issue("pole-1")
    server = authority.issue("broker", server="127.0.0.1")
    with TlsBroker(tmp_path / "broker", authority, server, SETTINGS) as broker:
        hub = Subscriber(broker.port)
        settings = {
            "directory": str(tmp_path / "node"),
            "urls": [broker.tls_url],
            "files": credentials(authority),
            "stamp_every_s": 0.2,
        }
        with FaultProcess(settings) as node:
            node.ask("raise 20", "raised")
            settled(hub, node)
            since = node.ask("health", "health")["since"]
            authority.issue("pole-1")
            wait_until(lambda: node.ask("health", "health")["since"] != since)
            wait_until(lambda: node.ask("health", "health")["state"] == "online")
            settled(hub, node)
            states = [h.payload for h in hub.on("/status")]
            node.stop()
        hub.close()
    assert states
    assert all(b'"online"' in payload for payload in states)
    assert judge(hub.heard, node.alarms).sound


def test_fail_over_and_back(tmp_path: Path) -> None:
    """The preferred broker dies: the second takes over. It comes back: the node returns. Nothing is lost on the way."""
    with LocalBroker(tmp_path / "a", settings=SETTINGS) as first, LocalBroker(tmp_path / "b", settings=SETTINGS) as second:
        hub_a, hub_b = Subscriber(first.port), Subscriber(second.port)
        settings = {
            "directory": str(tmp_path / "node"),
            "urls": [first.url, second.url],
            "pace": {"fail_back_s": 1.0},
        }
        with FaultProcess(settings) as node:
            node.ask("raise 20", "raised")
            settled(hub_a, node)
            first.kill()
            node.ask("raise 20", "raised")
            wait_until(lambda: node.ask("health", "health")["broker"] == second.url)
            settled(hub_b, node)
            first.start()
            wait_until(lambda: node.ask("health", "health")["broker"] == first.url)
            wait_until(lambda: node.ask("health", "health")["state"] == "online")
            settled(hub_a, node)
            node.stop()
        goodbye = [h.payload for h in hub_b.on("/status")][-1]
        for hub in (hub_a, hub_b):
            hub.close()
    heard = sorted([*hub_a.heard, *hub_b.heard], key=lambda one: one.at_ns)
    assert judge(heard, node.alarms).sound, os.linesep.join(map(str, heard[-5:]))
    assert b'"offline"' in goodbye
