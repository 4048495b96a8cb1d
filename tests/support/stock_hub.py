"""Debian's mosquitto as its package leaves it, in namespaces of its own: docs/hub is carried out there, line by line."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.support import parts
from tests.support.footage import REPOSITORY

PAGE = REPOSITORY / "docs" / "hub" / "README.md"
# /etc/mosquitto/mosquitto.conf of Debian 11, 12 and 13, without its comments.
STOCK = """\
pid_file /run/mosquitto/mosquitto.pid
persistence true
persistence_location /var/lib/mosquitto/
log_dest file /var/log/mosquitto/mosquitto.log
include_dir /etc/mosquitto/conf.d
"""
# Directories of the package, a user `vigie`, the broker's name: seen in here alone.
_ENTRY = """
set -e
for directory in /etc/mosquitto /var/lib/mosquitto /var/log/mosquitto /run /mnt; do
    mount -t tmpfs none "$directory"
done
mkdir /etc/mosquitto/conf.d /run/mosquitto /mnt/bin /mnt/authority /mnt/etc
chown mosquitto: /var/lib/mosquitto /var/log/mosquitto /run/mosquitto
mkdir -p /mnt/vigie /etc/vigie
mount --bind /mnt/vigie /etc/vigie
for name in passwd group hosts; do cp "/etc/$name" "/mnt/etc/$name"; done
echo 'vigie:x:64990:64990::/:/usr/sbin/nologin' >>/mnt/etc/passwd
echo 'vigie:x:64990:' >>/mnt/etc/group
echo '127.0.0.1 localhost hub.ville.example' >/mnt/etc/hosts
for name in passwd group hosts; do mount --bind "/mnt/etc/$name" "/etc/$name"; done
cp docs/hub/* /mnt/authority/
ip link set lo up
echo ready
exec cat
"""
_APT = "#!/bin/sh\nexit 0\n"
_VIGIE = f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec {sys.executable} -m agent "$@"\n'
_SYSTEMCTL = """#!/bin/sh
pid=$(cat /run/mosquitto/mosquitto.pid 2>/dev/null)
case $1 in
reload) exec kill -HUP "$pid" ;;
stop | restart)
    [ -z "$pid" ] || kill "$pid"
    while [ -n "$pid" ] && [ -d "/proc/$pid" ]; do sleep 0.05; done
    ;;
esac
case $1 in
start | restart) exec /usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf -d ;;
esac
"""


class StockHub:
    """One machine in small; everything on it runs by its namespaces. `close` ends what it started."""

    def __init__(self) -> None:
        parts.root()
        for name, package in (("mosquitto", "mosquitto"), ("openssl", "openssl"), ("unshare", "util-linux"), ("ip", "iproute2")):
            parts.program(name, package)
        self._first = subprocess.Popen(
            ["unshare", "--mount", "--net", "--propagation", "private", "sh", "-c", _ENTRY],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._first.stdout is not None
        assert self._first.stdout.readline() == "ready\n"
        self.write("/etc/mosquitto/mosquitto.conf", STOCK)
        for name, text in (("apt", _APT), ("vigie", _VIGIE), ("systemctl", _SYSTEMCTL)):
            self.write(f"/mnt/bin/{name}", text)
            self.run(f"chmod +x /mnt/bin/{name}")

    def run(self, command: str, *, code: int = 0, directory: str = "/mnt/authority") -> str:
        """A shell command; what it printed. `code` is what it must leave with."""
        done = subprocess.run(
            self._inside(directory, command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, f"`{command}` left with {done.returncode}:\n{done.stdout}\n{self.log()}"
        return done.stdout

    def start(self, command: str) -> subprocess.Popen[str]:
        """A command in the background; the caller ends it."""
        return subprocess.Popen(
            self._inside("/mnt/authority", f"exec {command}"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def carry_out(self, first_words: str) -> str:
        """The block of commands on the page that begins so, as it stands there."""
        return self.run(f"set -e\n{block_of_the_page(first_words)}")

    def write(self, path: str, text: str) -> None:
        """Make a file inside."""
        subprocess.run(self._inside("/", f"cat >'{path}'"), input=text, text=True, check=True)

    def log(self) -> str:
        """What the broker wrote down."""
        command = self._inside("/", "cat /var/log/mosquitto/mosquitto.log 2>/dev/null || true")
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def close(self) -> None:
        """End the broker and the namespaces."""
        self.run("systemctl stop mosquitto")
        self._first.communicate(timeout=60)

    def _inside(self, directory: str, command: str) -> list[str]:
        entered = ["nsenter", f"--target={self._first.pid}", "--mount", "--net", f"--wdns={directory}"]
        path = f"PATH=/mnt/bin:{os.environ.get('PATH', '')}:/usr/sbin"
        return [*entered, "env", path, "PYTHONUNBUFFERED=1", "sh", "-c", command]


def block_of_the_page(first_words: str) -> str:
    """The one block of commands on the page that begins so, line by line."""
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found = [block for block in blocks if block.startswith(first_words)]
    assert len(found) == 1, f"{len(found)} blocks of {PAGE.name} begin with {first_words!r}"
    return found[0]


def toml_of_the_page() -> str:
    """What the page has a node's configuration say."""
    found = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]
