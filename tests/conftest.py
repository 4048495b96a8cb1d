"""What every test shares: the lanes, counted and named at the end of the run."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Generator
from importlib.util import find_spec

import pytest

LANE = "lane"

# A developer's own language is no part of a test: commands that it runs speak English unless it says otherwise.
os.environ.pop("LC_ALL", None)
os.environ["LC_MESSAGES"] = "C"
# A worker of xdist is told how wide the terminal is that it has not.
os.environ.pop("COLUMNS", None)
os.unsetenv("COLUMNS")  # readline, which pytest loads, sets it behind os.environ: child processes would see it

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell without job control starts what runs in the background deaf to Ctrl-C, and every child inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # So does nohup with a line that hangs up.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

if find_spec("hypothesis") is not None:  # the rootfs of the picamera2 lane does without
    from hypothesis import HealthCheck, settings

    # A slow machine is no wrong answer: hypothesis bounds the number of examples, never their time.
    settings.register_profile("vigie", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("vigie")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """A command that a test runs in this process narrows its umask for good: what later tests make is not theirs to close."""
    before = os.umask(0o022)
    os.umask(before)
    try:
        return (yield)
    finally:
        os.umask(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write each test's lane into its report, where it also survives the way from an xdist worker."""
    for item in items:
        for marker in item.iter_markers(LANE):
            item.user_properties.append((LANE, marker.args[0]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which lanes ran, and which did not and why."""
    outcomes: dict[str, Counter[str]] = {}
    reasons: dict[str, str] = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, lane in getattr(report, "user_properties", []):
                if name == LANE:
                    outcomes.setdefault(lane, Counter())[outcome] += 1
                    if outcome == "skipped" and isinstance(report.longrepr, tuple):
                        reasons[lane] = report.longrepr[2]
    if not outcomes:
        return
    terminalreporter.section("lanes", "-")
    for lane, counted in sorted(outcomes.items()):
        metrics = ", ".join(f"{n} {outcome}" for outcome, n in counted.items())
        verdict = "did not run" if set(counted) == {"skipped"} else "ran"
        terminalreporter.write_line(f"{lane}: {verdict} ({metrics}){': ' + reasons[lane] if lane in reasons else ''}")
