"""The daemon under a real, booted systemd: ready, watched, restarted, refused, stopped, and swept when it is dead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lanes.systemd.conftest import CONFIG, Boot, configure, install, listen, show
from tests.support.nspawn import Machine

pytestmark = pytest.mark.lane("systemd")

PYTHON = "/opt/vigie/current/bin/python -P"


@pytest.fixture(scope="module")
def machine(boot: Boot, package: Path) -> Machine:
    """A board with Vigie installed."""
    board = boot("service")
    install(board, package)
    listen(board)
    return board


@pytest.fixture
def node(machine: Machine) -> Iterator[Machine]:
    """The board with its node at work; whatever a test did to it is undone."""
    configure(machine)
    machine.run("systemctl reset-failed; systemctl restart vigie.service")
    yield machine
    machine.run("rm -rf /etc/systemd/system/vigie.service.d; systemctl daemon-reload; systemctl stop vigie.service", check=False)


def drop_in(machine: Machine, text: str) -> None:
    """A technician's `systemctl edit vigie`."""
    machine.run("mkdir -p /etc/systemd/system/vigie.service.d")
    machine.write("/etc/systemd/system/vigie.service.d/test.conf", f"[Service]\n{text}\n")
    machine.run("systemctl daemon-reload")


def journal(machine: Machine, matches: str) -> list[dict[str, str]]:
    """Entries of the journal since boot, oldest first."""
    output = machine.run(f"journalctl --output=json --no-pager {matches}").output
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_units_verify_in_silence_where_they_run(machine: Machine) -> None:
    """On the system they are made for, systemd has nothing to say against any unit."""
    assert machine.run("systemd-analyze verify vigie.service vigie.target vigie-retention.timer vigie-trial.service").output == ""


def test_ready_only_when_the_first_masked_frame_is_encoded(machine: Machine) -> None:
    """Without a picture the service is activating, and says so to whoever asks; with the first one it is active."""
    configure(machine, CONFIG.replace('driver = "synthetic"', 'driver = "file"\nsource = "/var/lib/vigie/film.mp4"\nloop = true'))
    machine.run("systemctl reset-failed; rm -f /var/lib/vigie/film.mp4; systemctl restart --no-block vigie.service")
    machine.wait_for("vigie status --json", '"state": "silent"')
    assert show(machine, "ActiveState")["ActiveState"] == "activating"
    machine.run(f"{PYTHON} -c '{_FILM}' && chown vigie: /var/lib/vigie/film.mp4")
    machine.wait_for("systemctl is-active vigie.service", "^active", 60)
    machine.wait_for("journalctl --no-pager _SYSTEMD_UNIT=vigie.service", "first masked picture is encoded")
    machine.run("systemctl stop vigie.service")


# Two seconds of moving grey, written by the node's own encoder library.
_FILM = """
import av, numpy
with av.open("/var/lib/vigie/film.mp4", "w") as film:
    stream = film.add_stream("libx264", rate=10)
    stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
    for n in range(20):
        picture = av.VideoFrame.from_ndarray(numpy.full((360, 320), 10 * n, numpy.uint8), format="yuv420p")
        film.mux(stream.encode(picture))
    film.mux(stream.encode())
"""


def test_frozen_pipeline_is_restarted_by_the_watchdog(node: Machine) -> None:
    """Every thread but the supervisor's stands still: the watchdog is fed no more, systemd kills and starts again."""
    drop_in(node, "WatchdogSec=4")
    node.run("systemctl restart vigie.service")
    before = show(node, "MainPID")["MainPID"]
    node.write("/root/freeze.py", _FREEZE)
    node.run(f"systemd-run --quiet python3 /root/freeze.py {before}")
    node.wait_for("systemctl show -p NRestarts --value vigie.service", "^[1-9]", 60)
    node.wait_for("systemctl is-active vigie.service", "^active", 60)
    assert show(node, "MainPID")["MainPID"] != before
    assert any("Watchdog timeout" in entry["MESSAGE"] for entry in journal(node, "UNIT=vigie.service"))


# ptrace stops single threads, which no signal can.
_FREEZE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
main = int(sys.argv[1])
for thread in sorted(map(int, os.listdir(f"/proc/{main}/task"))):
    if thread != main:
        libc.ptrace(16, thread, 0, 0)  # PTRACE_ATTACH
while True:  # a thread that is killed stays until its tracer has waited for it; without threads this ends with ECHILD
    os.waitpid(-1, 0x40000000)
"""


def test_restarts_back_off_and_a_start_by_hand_does_not_wait(node: Machine) -> None:
    """A daemon that dies again and again is started after 0, 1, 2, ... s more; a person is served at once."""
    for restarts in (1, 2, 3):
        node.run("systemctl kill --signal=KILL --kill-whom=main vigie.service")
        at_least = f"NRestarts=([{restarts}-9]|..)\nActiveState=active"
        node.wait_for("systemctl show -p NRestarts -p ActiveState vigie.service", at_least)
    node.run("systemctl restart vigie.service")
    said = [entry["MESSAGE"] for entry in journal(node, "SYSLOG_IDENTIFIER=back-off")]
    waits = {int(n): int(s) for message in said for n, s in re.findall(r"restart (\d+) .* waiting (\d+) s", message)}
    assert {2, 3} <= set(waits)
    assert all(seconds == min(60, 2 ** (n - 2)) for n, seconds in waits.items())
    assert node.run("cat /run/vigie.restarts").output == "0"


def test_journal_can_be_asked_by_node_component_and_event(node: Machine) -> None:
    """Every line of the daemon carries its node and component; an event's line carries the event's id."""
    node.wait_for("journalctl --no-pager COMPONENT=pipeline NODE_ID=pole-7", "event VideoSource/")
    said = journal(node, "_SYSTEMD_UNIT=vigie.service _TRANSPORT=journal")
    assert said
    assert all(entry["NODE_ID"] == "pole-7" and entry["COMPONENT"] for entry in said)
    events = [entry for entry in said if "EVENT_ID" in entry]
    assert events
    found = journal(node, f"EVENT_ID={events[0]['EVENT_ID']}")
    assert [entry["MESSAGE"] for entry in found] == [events[0]["MESSAGE"]]


def test_no_line_of_the_daemon_is_a_traceback(node: Machine) -> None:
    """A whole start and a clean stop leave nothing in the journal that a technician could not read."""
    node.run("systemctl stop vigie.service")
    said = [entry["MESSAGE"] for entry in journal(node, "_SYSTEMD_UNIT=vigie.service")]
    assert not [message for message in said if "Traceback" in message or "Logging error" in message]


def test_clean_stop(node: Machine) -> None:
    """SIGTERM ends the daemon in order: code 0, the last segment whole, no watchdog, no kill."""
    node.wait_for("find /var/lib/vigie/recordings -name '*.mp4' -size +1k", "mp4")
    node.run("systemctl stop vigie.service")
    assert show(node, "Result", "ExecMainStatus", "ActiveState") == {
        "Result": "success",
        "ExecMainStatus": "0",
        "ActiveState": "inactive",
    }
    states = f"import sqlite3; print(sqlite3.connect('/var/lib/vigie/catalog.sqlite3').execute('{_STATES}').fetchall())"
    assert node.run(f'{PYTHON} -c "{states}"').output == "[('whole',)]"


_STATES = "SELECT DISTINCT state FROM segment"


def test_refused_configuration_is_not_tried_again(node: Machine) -> None:
    """78: the service is failed and stays so, until a person mends the file and starts it."""
    configure(node, CONFIG.replace("fps = 10", 'fps = "ten"'))
    refused = node.run("systemctl restart vigie.service", check=False)
    assert refused.code != 0
    node.run("sleep 2")  # RestartSec would be over
    assert show(node, "ActiveState", "ExecMainStatus", "NRestarts") == {
        "ActiveState": "failed",
        "ExecMainStatus": "78",
        "NRestarts": "0",
    }
    configure(node)
    node.run("systemctl start vigie.service")


def test_reload_keeps_the_daemon(node: Machine) -> None:
    """`systemctl reload` takes the file again in the same process; a bad file changes nothing, and who asked is told."""
    before = show(node, "MainPID")
    configure(node, CONFIG + "[motion]\nsensitivity = 0.3\n")
    node.run("systemctl reload vigie.service")
    configure(node, CONFIG + "[motion]\nsensitive = 0.3\n")
    assert node.run("systemctl reload vigie.service", check=False).code != 0
    node.wait_for("systemctl is-active vigie.service", "^active")
    told = " ".join(entry["MESSAGE"] for entry in journal(node, "_SYSTEMD_UNIT=vigie.service"))
    assert "there is no key 'sensitive' in [motion]" in told
    node.wait_for("vigie status", "the new configuration is refused")
    node.wait_for("systemctl status vigie.service", "the new configuration is refused")
    configure(node)
    node.run("systemctl reload vigie.service")
    assert show(node, "MainPID") == before


def test_key_comes_as_a_credential(node: Machine) -> None:
    """A key in the credential store signs, and none is written into the state directory."""
    node.run("systemctl stop vigie.service; rm -rf /var/lib/vigie/identity; mkdir -p /etc/credstore")
    node.run(f"umask 077; {PYTHON} -c '{_NEW_KEY}' >/etc/credstore/vigie.identity-key")
    node.run("systemctl start vigie.service")
    assert node.run("ls /var/lib/vigie/identity").output.split() == ["ca.pem", "chain.pem"]
    same = node.run(f"{PYTHON} -c '{_SAME_KEY}'").output
    node.run("systemctl stop vigie.service; rm -rf /etc/credstore/vigie.* /var/lib/vigie/identity")
    assert same == "True"


_NEW_KEY = """
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec
print(ec.generate_private_key(ec.SECP256R1()).private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode())
"""
_SAME_KEY = """
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
key = load_pem_private_key(open("/etc/credstore/vigie.identity-key", "rb").read(), None)
print(x509.load_pem_x509_certificate(open("/var/lib/vigie/identity/chain.pem", "rb").read()).public_key() == key.public_key())
"""


def test_destruction_goes_on_while_the_daemon_is_dead_and_refused(node: Machine) -> None:
    """The timer destroys a recording past its day with the service failed on a broken configuration."""
    node.run("systemctl stop vigie.service")
    old = node.run(f"setpriv --reuid=vigie --regid=vigie --clear-groups {PYTHON} -c '{_OLD_RECORDING}'").output
    configure(node, "nonsense")
    assert node.run("systemctl start vigie.service", check=False).code != 0
    node.run(f"test -f {old}; systemctl restart vigie-retention.timer")
    node.wait_for(f"test -f {old} || echo gone", "^gone$", 60)
    assert show(node, "ActiveState")["ActiveState"] == "failed"
    node.wait_for("grep destroyed /var/lib/vigie/register.jsonl", '"destroyed"')  # entered once it is gone


_OLD_RECORDING = """
import time
from pathlib import Path
from agent.base.clock import ClockQuality
from agent.recording.catalog import Catalog
from agent.recording.row import Extent, NewSegment
root = Path("/var/lib/vigie/recordings")
path = root / "2026/01/01/000000.000.mp4"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_bytes(b"x" * 4096)
day = 86400 * 10**9
born = time.time_ns() - 20 * day
catalog = Catalog(Path("/var/lib/vigie/catalog.sqlite3"), root)
segment = catalog.begin(NewSegment(path, "boot", 0, born, ClockQuality.SYNCHRONISED, born))
catalog.finish(segment, Extent(10**9, 4096, 10), "")
print(path)
"""


def test_only_a_node_nobody_can_reach_reboots(node: Machine) -> None:
    """A fixed node never gives up; a nomadic one, and one that opted in, reboots after ten failed starts in an hour."""
    never = {"StartLimitAction": "none", "StartLimitIntervalUSec": "0"}
    reboots = {"StartLimitAction": "reboot", "StartLimitIntervalUSec": "1h"}
    assert show(node, *never) == never
    configure(node, CONFIG.replace("[node]", '[node]\nrole = "nomadic"'))
    node.run("systemctl daemon-reload")
    assert show(node, *reboots) == reboots
    configure(node)
    node.run("install -D -m 644 /usr/share/vigie/reboot-when-stuck.conf -t /etc/systemd/system/vigie.service.d")
    node.run("systemctl daemon-reload")
    assert show(node, *reboots) == reboots


def test_sandbox_holds(node: Machine) -> None:
    """Inside the service: no capability, no way to gain one, no writing outside its state, no core dump."""
    pid = show(node, "MainPID")["MainPID"]
    status = node.run(f"cat /proc/{pid}/status").output
    assert re.search(r"^CapEff:\s+0+$", status, re.M)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)
    assert re.search(r"^Seccomp:\s+2$", status, re.M)
    assert re.search(r"Max core file size +0 +0", node.run(f"cat /proc/{pid}/limits").output)
    inside = f"nsenter --target={pid} --mount -- sh -c"
    for forbidden in ("/etc/vigie", "/usr", "/opt/vigie", "/home", "/boot"):
        assert "ead-only" in node.run(f"{inside} 'touch {forbidden}/x'", check=False).output, forbidden
    node.run(f"{inside} 'touch /var/lib/vigie/x && rm /var/lib/vigie/x'")


def test_the_sandbox_leaves_a_way_to_the_sensors(node: Machine) -> None:
    """Under the unit's own confinement: the system's bus answers, loopback is open, /sys and serial lines can be read."""
    node.write(
        "/usr/local/bin/ask-sensors",
        "import os, pathlib, socket\n"
        "from hardware.system_bus import SystemBus\n"
        "bus = SystemBus('org.freedesktop.DBus', 'dbus')\n"
        "assert 'org.freedesktop.systemd1' in bus.ask('/org/freedesktop/DBus', 'org.freedesktop.DBus', 'ListNames')\n"
        "with socket.create_server(('127.0.0.1', 0)) as door, socket.create_connection(door.getsockname()):\n"
        "    pass\n"
        "list(pathlib.Path('/sys/class/net').iterdir())\n"
        "assert 20 in os.getgroups(), os.getgroups()\n",
    )
    drop_in(node, "ExecStartPre=/opt/vigie/current/bin/python -I /usr/local/bin/ask-sensors")
    node.run("systemctl restart vigie.service")
    assert show(node, "ActiveState") == {"ActiveState": "active"}


def test_group_reaches_the_socket_and_no_recording(node: Machine) -> None:
    """A technician in group vigie may ask the daemon without sudo, and can open no film."""
    node.run("useradd --groups vigie technician || true")
    node.wait_for("find /var/lib/vigie/recordings -name '*.mp4' -size +1k", "mp4")
    as_technician = "setpriv --reuid=technician --regid=technician --init-groups --"
    assert '"node": "pole-7"' in node.run(f"{as_technician} vigie status --json").output
    assert node.run(f"{as_technician} ls /var/lib/vigie/recordings", check=False).code != 0


def test_machine_leaves_nothing_running(boot: Boot) -> None:
    """The lane cleans up behind itself: a machine that is switched off has no process left."""
    board = boot("switched-off")
    board.run("systemd-run --quiet --unit=stays sleep infinity")
    inside = board.processes()
    assert len(inside) > 3
    board.power_off()
    assert not [pid for pid in inside if Path(f"/proc/{pid}").exists()]
