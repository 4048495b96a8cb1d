"""Certificates that expire and are renewed, a node's and a broker's, while events wait or flow."""

from __future__ import annotations

from typing import Any

from agent.base.errors import DeviceError
from tests.support.authority import Authority
from tests.support.fault_process import FaultProcess
from tests.support.fault_scene import Scene, let_sessions_be_written, settled, wait_until
from tests.support.independent_hub import Verdict, judge


def node_certificate(scene: Scene) -> Verdict:
    """The node's certificate has expired: everything waits and health says why; renewed on disk, everything arrives."""
    with scene.broker() as broker, scene.hub(broker) as hub:
        broker.authority.issue(scene.node_id, expired=True)
        with scene.node(*broker.tls_urls, files=_files(broker.authority, scene)) as node:
            node.ask("raise 60", "raised")
            wait_until(lambda: "not connected yet" not in _health(node)["reason"])
            health = _health(node)
            if health["state"] == "online" or health["pending"] < 120:
                raise DeviceError(f"a node with an expired certificate was let in: {health}")
            broker.authority.issue(scene.node_id)
            settled(hub, node)
            node.stop()
        return judge(hub.heard, node.alarms)


def broker_certificate(scene: Scene) -> Verdict:
    """The broker's certificate has expired: refused with the reason in words, and taken again once it is good."""
    with scene.broker() as broker, scene.hub(broker) as hub:
        broker.authority.issue(scene.node_id)
        try:
            with scene.node(*broker.tls_urls, files=_files(broker.authority, scene)) as node:
                node.ask("raise 30", "raised")
                settled(hub, node)
                let_sessions_be_written()
                broker.kill()
                broker.authority.issue("broker", server="127.0.0.1", expired=True)
                broker.start()
                node.ask("raise 30", "raised")
                wait_until(lambda: "expired" in _health(node)["reason"])
                broker.kill()
                broker.authority.issue("broker", server="127.0.0.1")
                broker.start()
                settled(hub, node)
                node.stop()
        finally:
            broker.authority.issue("broker", server="127.0.0.1")
        return judge(hub.heard, node.alarms)


def renewed_certificate(scene: Scene) -> Verdict:
    """The node's certificate is renewed while it is online: it shakes hands anew by itself, nobody sees it go offline."""
    with scene.broker() as broker, scene.hub(broker) as hub:
        broker.authority.issue(scene.node_id)
        with scene.node(*broker.tls_urls, files=_files(broker.authority, scene), stamp_every_s=0.2) as node:
            node.ask("raise 60", "raised")
            settled(hub, node)
            since = _health(node)["since"]
            broker.authority.issue(scene.node_id)
            wait_until(lambda: _health(node)["since"] != since)
            wait_until(lambda: bool(_health(node)["state"] == "online"))
            settled(hub, node)
            states = [heard.payload for heard in hub.on("/status")]
            node.stop()
        if not states or not all(b'"online"' in payload for payload in states):
            raise DeviceError(f"a renewed certificate was seen as an outage: {states}")
        return judge(hub.heard, node.alarms)


def _files(authority: Authority, scene: Scene) -> dict[str, str]:
    place = authority.directory
    return {
        "ca_file": str(authority.ca),
        "cert_file": str(place / f"{scene.node_id}.pem"),
        "key_file": str(place / f"{scene.node_id}.key"),
    }


def _health(node: FaultProcess) -> dict[str, Any]:
    health: dict[str, Any] = node.ask("health", "health")
    return health
