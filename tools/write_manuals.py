"""Writes manual pages and completions of `vigie`, made from its commands, below a directory laid out as /usr/share.

Usage: tools/write_manuals.py DIRECTORY
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from click.shell_completion import get_completion_class

from agent.cli import vigie
from agent.cli._manual import manuals

COMPLETIONS = {
    "bash": "bash-completion/completions/vigie",
    "zsh": "zsh/vendor-completions/_vigie",
    "fish": "fish/vendor_completions.d/vigie.fish",
}
"""Where Debian's shells look for those of packages."""


def write(directory: Path) -> None:
    """Every page and every completion."""
    files = {f"man/man1/{name}": text for name, text in manuals(vigie, "vigie").items()}
    for shell, place in COMPLETIONS.items():
        made = get_completion_class(shell)
        assert made is not None
        completion = made(vigie, {}, "vigie", "_VIGIE_COMPLETE")
        # Not `source()`: for bash it asks the building machine's bash for its version.
        files[place] = completion.source_template % completion.source_vars()
    for place, text in files.items():
        path = directory / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tools/write_manuals.py DIRECTORY")
    write(Path(sys.argv[1]))
