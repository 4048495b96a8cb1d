"""Commands started without stdin, stdout or stderr, as `>&-` does: the exit code stays, and no file takes their numbers."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CLOSED = [" ".join(some) for n in (1, 2, 3) for some in itertools.combinations(["<&-", ">&-", "2>&-"], n)]


def without(closed: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python process, these streams of which the shell closed before it began."""
    line = f'exec "$0" "$@" {closed}'
    return subprocess.run(
        ["/bin/sh", "-c", line, sys.executable, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("closed", CLOSED)
def test_a_command_does_its_work_without_them(config: Path, closed: str) -> None:
    """What is asked by the exit code is answered, and nobody is shown a traceback."""
    done = without(closed, "-m", "agent", "check", "--config", str(config))
    assert (done.returncode, done.stderr) == (0, "")
    refused = without(closed, "-m", "agent", "status", "--config", str(config))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("closed", CLOSED)
def test_no_file_is_opened_in_their_place(tmp_path: Path, closed: str) -> None:
    """Neither here nor in what this process becomes: what is said on stderr must land in no file of ours."""
    opens = (
        "import os, json; n = [os.open('/dev/zero', os.O_RDONLY) for _ in range(4)]; open(sys.argv[1], 'a').write(json.dumps(n))"
    )
    becomes = f"os.execv(sys.executable, [sys.executable, '-c', 'import sys\\n' + {opens!r}, sys.argv[1]])"
    program = f"import sys\nfrom agent.base.standard_streams import fill_closed\nfill_closed()\n{opens}\nprint('said')\n{becomes}"
    told = tmp_path / "numbers"
    assert without(closed, "-c", program, str(told)).returncode == 0
    here, there = json.loads(told.read_text().replace("][", "],[").join("[]"))
    assert min(here + there) > 2


def test_a_full_place_for_stdout_is_named_as_that(config: Path) -> None:
    """Also by the command that reads a file while it writes: the register is not what is full."""
    with_entry = ["-m", "agent", "masks", "show", "--by", "A. Martin", "--out", "/dev/null", "--config", str(config)]
    assert (
        subprocess.run([sys.executable, *with_entry], cwd=REPOSITORY, capture_output=True, timeout=60, check=False).returncode
        == 0
    )
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-u", "-m", "agent", "register", "--config", str(config)]
        done = subprocess.run(command, cwd=REPOSITORY, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "the output cannot be written" in done.stderr
