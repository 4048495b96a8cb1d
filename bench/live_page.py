"""The live page in Chromium: from drawn to decoded by WebCodecs, and what a node's process grows by with the page on."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from agent.identity.node_key import IdentityDirectory
from tests.support.browser import chromium, visit
from tests.support.deadline import until

ROOT: Final = Path(__file__).resolve().parents[1]
_NOTE_DECODED: Final = """
window.decoded = []
const Real = window.VideoDecoder
window.VideoDecoder = class extends Real {
  constructor(init) {
    super({...init, output: (frame) => {
      window.decoded.push([frame.timestamp, performance.timeOrigin + performance.now()])
      init.output(frame)
    }})
  }
}
"""
"""Of each frame its media time in µs, and the wall time in ms at which the decoder gave it: the page itself is untouched."""
_MEMORY: Final = """
import socket, ssl, sys
from pathlib import Path
import agent.node.daemon, agent.node.wiring
from agent.base.clock import SystemClock
from agent.node.drivers import open_transport
from agent.ports.mqtt import BrokerCredentials
from agent.stream.broadcast import Broadcast
from hardware.encoder_libav import LibavEncoder
open_transport(BrokerCredentials())
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
before = rss()
from agent.live.web_door import WebDoor
chain, key, ca = map(Path, sys.argv[1:4])
door = WebDoor(None, "bench", ("127.0.0.1", int(sys.argv[4])), chain, key, ca, SystemClock())
door.start()
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
for name in ("", "live.js", "seal.js"):
    while True:
        try:
            with context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[4])))) as line:
                line.sendall(f"GET /{name} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n".encode())
                while line.recv(65536):
                    pass
            break
        except ConnectionRefusedError:
            door.stopping.wait(0.05)
door.stopping.wait(1)
print(rss() - before)
"""
"""A visitor has been there: the web server is imported when the first one comes."""


def page_delays_ms(url: str, seconds: float) -> list[float]:
    """Of each frame that Chromium decoded, by the clock of this machine, once it is under way."""
    wall_less_monotonic_ms = (time.time_ns() - time.monotonic_ns()) / 1e6
    with chromium() as browser, browser.new_context(ignore_https_errors=True, locale="en-GB") as context:
        page = context.new_page()
        page.add_init_script(_NOTE_DECODED)
        visit(page, url)
        until(lambda: page.evaluate("window.decoded.length") > 50, "Chromium decodes")
        page.evaluate("window.decoded.length = 0")
        page.wait_for_timeout(seconds * 1000)
        decoded = page.evaluate("window.decoded")
    return [at_ms - wall_less_monotonic_ms - drawn_us / 1000 for drawn_us, at_ms in decoded]


def page_memory_mb(identity: IdentityDirectory, port: int) -> float:
    """What a node's process grows by when the page is on and has been asked for."""
    command = [sys.executable, "-c", _MEMORY, *map(str, (identity.chain_path, identity.key_path, identity.ca_path, port))]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout)
