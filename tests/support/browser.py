"""A real browser: Debian's Chromium, driven by Playwright, with nothing of its own on the network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Headless Chromium; missing, the test fails with the remedy. One at a time in a process: Playwright allows no second."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("chromium is not installed: `make setup`, or `apt install chromium`")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield launched
        launched.close()


def visit(page: Page, url: str) -> None:
    """Go there; again when an interface of this machine came or went meanwhile, which Chromium takes for another network."""
    for _ in range(4):
        try:
            page.goto(url)
            return
        except Error as error:
            if "ERR_NETWORK_CHANGED" not in error.message:
                raise
    page.goto(url)
