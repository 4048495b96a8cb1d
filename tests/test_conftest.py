"""The closing summary tells the truth about lanes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
CONFTEST = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")


@pytest.fixture
def lanes(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project of its own with two lanes: one runs, one lacks its part."""
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nmarkers = lane(name): a lane\n")
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.lane("broker")
        def test_runs(): assert True
        @pytest.mark.lane("browser")
        def test_lacks(): pytest.skip("chromium is missing")
        """
    )
    return pytester


@pytest.mark.parametrize("workers", ["0", "2"])
def test_summary_names_what_ran_and_what_did_not(lanes: pytest.Pytester, workers: str) -> None:
    """A lane that was skipped is said not to have run, with the reason; on one process and on workers."""
    result = lanes.runpytest_subprocess("-n", workers)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["broker: ran (1 passed)", "browser: did not run (1 skipped)*chromium is missing*"])


def test_a_narrowed_umask_ends_with_its_test(pytester: pytest.Pytester) -> None:
    """What later tests make is as open as without the test that ran a command in this process."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        """
        import os
        def test_narrows(): os.umask(0o077)
        def test_is_not_narrowed(): assert os.umask(0o022) == 0o022
        """
    )
    before = os.umask(0o022)
    try:
        pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=2)
    finally:
        os.umask(before)


DEAF = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def test_a_run_in_the_background_can_be_interrupted(pytester: pytest.Pytester) -> None:
    """Started with `&` by a script, a process is deaf to Ctrl-C, and so is every child: the tests undo that for theirs."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        """
        import signal, subprocess, sys
        def test_a_child_hears_ctrl_c():
            waits = "print(flush=True); import time; time.sleep(60)"
            child = subprocess.Popen([sys.executable, "-c", waits], stdout=subprocess.PIPE)
            child.stdout.readline()
            child.send_signal(signal.SIGINT)
            assert child.wait(50) != 0
        """
    )
    result = pytester.run(sys.executable, "-c", DEAF, "-m", "pytest", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
