"""What the sensors of a nomadic unit cost: memory and processor of a node that asks all four, each second or every ten.

Options: --seconds 60. A receiver is played behind gpsd's socket, a Victron gauge on a pseudo-terminal, an accelerometer as files,
and a modem on a bus of our own where dbus-daemon and dbusmock are installed; without them the bus refuses each question.
"""

from __future__ import annotations

import json
import os
import pty
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
MOCK = ROOT / "tests" / "lanes" / "sensors" / "mock_bus.py"
_SKY = {"class": "SKY", "satellites": [{"PRN": n, "el": 40.0, "az": 10.0 * n, "ss": 38.0, "used": True} for n in range(1, 25)]}
_TPV = {"class": "TPV", "mode": 3, "time": "2026-06-01T12:00:00.000Z", "lat": 46.78, "lon": 4.85, "altMSL": 178.0, "eph": 4.1}
_MODEM = {
    "org.freedesktop.ModemManager1.Modem": {
        "State": ["i", 11],
        "UnlockRequired": ["u", 1],
        "SignalQuality": ["(ub)", [72, True]],
    },
    "org.freedesktop.ModemManager1.Modem.Signal": {"Lte": ["a{sv}", {"rsrp": -95.0, "rsrq": -11.0}]},
}


def run(options: Mapping[str, object]) -> dict[str, float]:
    """Measure; prints two lines and returns megabytes and percent of a core."""
    seconds = float(str(options.get("seconds", 60)))
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vigie-bench-")))
        over = threading.Event()
        stack.callback(over.set)
        port, gauge = _receiver(stack, over), _gauge(stack, over)
        address = stack.enter_context(_bus(directory))
        iio = directory / "iio" / "iio:device0"
        iio.mkdir(parents=True)
        for name, value in (("x_raw", 0), ("y_raw", 0), ("z_raw", 16399), ("scale", 0.000598)):
            (iio / f"in_accel_{name}").write_text(f"{value}\n")
        asked = {"port": port, "gauge": gauge, "iio": str(iio.parent), "state": str(directory), "seconds": seconds}
        command = [sys.executable, "-m", "bench.sensors_asked", json.dumps(asked)]
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the sensors could not be asked:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    told = f"RSS {found['rss_mb']:+.2f} MB, CPU {found['cpu_percent']:.3f} % of a core over {seconds:.0f} s"
    Console().print(f"four sensors: {told}; {found['answered']:.0f} of 4 answered")
    return found


def _receiver(stack: ExitStack, over: threading.Event) -> int:
    """Speaks as gpsd does, once a second; its port."""
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    def speak() -> None:
        caller, _ = server.accept()
        with caller, suppress(OSError):
            caller.sendall(b'{"class":"VERSION","release":"3.22"}\n')
            said = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in (_SKY, _TPV, _TPV)).encode()
            while not over.wait(1.0):
                caller.sendall(said)

    threading.Thread(target=speak, daemon=True).start()
    return int(server.getsockname()[1])


def _gauge(stack: ExitStack, over: threading.Event) -> str:
    """A block a second on a pseudo-terminal; its name."""
    far, near = pty.openpty()
    stack.callback(os.close, near)
    text = b"\r\nPID\t0xA389\r\nV\t12800\r\nI\t-1500\r\nP\t-19\r\nSOC\t870\r\nTTG\t600\r\nChecksum\t"

    def speak() -> None:
        with suppress(OSError):
            while not over.wait(1.0):
                os.write(far, text + bytes([-sum(text) % 256]))
        os.close(far)

    threading.Thread(target=speak, daemon=True).start()
    return os.ttyname(near)


@contextmanager
def _bus(directory: Path) -> Iterator[str]:
    """A bus with a modem on it, as far as there are the parts; its address."""
    daemon = shutil.which("dbus-daemon")
    if daemon is None:
        yield f"unix:path={directory}/none"
        return
    bus = subprocess.Popen([daemon, "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True)
    address = bus.stdout.readline().strip() if bus.stdout is not None else ""
    command = ["/usr/bin/python3", str(MOCK), "org.freedesktop.ModemManager1", "/org/freedesktop/ModemManager1", "manager"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    modem = subprocess.Popen(command, env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address}, text=True, **pipes)  # type: ignore[call-overload]
    try:
        with suppress(BrokenPipeError):
            modem.stdin.write(json.dumps(["add", "/org/freedesktop/ModemManager1/Modem/0", _MODEM]) + "\n")
            modem.stdin.flush()
        yield address
    finally:
        for process in (modem, bus):
            process.kill()
            process.wait()
