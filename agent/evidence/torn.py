"""Where a fragmented film is torn: by a loss of power while it was recorded, or a copy that was not finished.

What stands before is a film; what stands behind is no evidence of anything, and players may show some of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import BinaryIO, Final

from agent.evidence.boxes import TopBox

_NEVER_WRITTEN: Final = 64
"""No coded frame holds three zeros in a row: so many at its end are blocks that the power cut kept from the disk."""


def whole_fragments(file: BinaryIO, boxes: Sequence[TopBox], *, cut: bool) -> tuple[TopBox, ...]:
    """The boxes up to the last fragment that is whole; all of them when the film is. `cut`: more bytes follow that are no box.

    Of a film without a whole fragment, all of them: there is nothing to judge before it is torn.
    """
    contents = [at for at, each in enumerate(boxes) if each.kind == b"mdat"]
    if not contents or not any(each.kind == b"moof" for each in boxes):
        return tuple(boxes)
    behind = boxes[contents[-1] + 1 :]
    torn = cut or any(each.kind == b"moof" for each in behind)
    if (torn or not behind) and _never_written(file, boxes[contents[-1]]):
        contents.pop()
        torn = True
    kept = tuple(boxes[: contents[-1] + 1] if contents else ()) if torn else tuple(boxes)
    return kept if any(each.kind == b"moof" for each in kept) else tuple(boxes)


def _never_written(file: BinaryIO, content: TopBox) -> bool:
    size = min(_NEVER_WRITTEN, content.end - content.body)
    return size == _NEVER_WRITTEN and not any(os.pread(file.fileno(), size, content.end - size))
