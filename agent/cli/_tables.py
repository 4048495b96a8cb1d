"""Tables as wide as the place they go to: a terminal's width, and in a pipe or a file that of their longest cells."""

from __future__ import annotations

import io
from typing import IO

from rich.console import Console, RenderableType

from agent.base.paragraph import UNBROKEN, columns


def console(stream: IO[str]) -> Console:
    """What prints to `stream`, by words and tables alike: in a pipe no cell is broken, so that it can be copied and searched."""
    return Console(file=stream, markup=False, highlight=False, width=columns(stream) or UNBROKEN)


def text(drawn: RenderableType, width: int | None) -> str:
    """`drawn` for a pipe or a file: no line ends in blanks, the last one is ended. `width` None: as wide as it is."""
    page = io.StringIO()
    Console(file=page, width=width or UNBROKEN, color_system=None, force_terminal=False).print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())
