"""Real parts a test needs: found, or a failure that says how to get them."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

# Servers and administration programs lie here, where an ordinary user's PATH often does not look.
SEARCHED = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


def missing(what: str, remedy: str) -> NoReturn:
    """A real part is not here: a failure under CI=true, a skip with its remedy on a developer's machine."""
    text = f"{what} is missing: {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


def program(name: str, package: str) -> str:
    """The path of a program; `package` is the Debian package that brings it."""
    found = shutil.which(name, path=SEARCHED)
    return found or missing(name, f"`make setup`, or apt-get install {package}")


def root() -> None:
    """Namespaces, mounts and packages need root."""
    if os.geteuid() != 0:
        missing("root", "run this lane with sudo (`sudo -E make test`)")
