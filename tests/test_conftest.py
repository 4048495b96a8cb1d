"""The closing summary tells the truth about lanes."""

from __future__ import annotations

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
    result.stdout.fnmatch_lines(["broker: ran (1 passed)", "browser: did not run (1 skipped)*chromium is missing*"])
