"""A page that shows commands and what they print, so that a test can type them: `    $ command`, then lines of its output.

`    > ` goes on with the command, as a shell shows it behind a backslash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass
class Step:
    """One command of the guide, and the lines it shows of its output."""

    command: str
    shown: list[str] = field(default_factory=list)


def steps(text: str) -> list[Step]:
    """Of the indented lines of a text."""
    found: list[Step] = []
    for line in text.splitlines():
        if line.startswith("    $ "):
            found.append(Step(line.removeprefix("    $ ")))
        elif line.startswith("    > "):
            found[-1].command += "\n" + line.removeprefix("    > ")
        elif line.startswith("    "):
            found[-1].shown.append(line.strip())
    return found


def without_metrics(line: str) -> str:
    """A line as it is compared: what is measured differs from run to run."""
    return " ".join(re.sub(r"\d[\d.]*", "#", line).split())
