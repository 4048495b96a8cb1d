"""The value that would serve in the place of one that does not."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from datetime import date, datetime
from typing import Any, Final, Literal, get_args, get_origin

from agent.config.annotation import bound, is_section, items_of, plain
from agent.config.locate import KeyPath
from agent.config.mending.value import mend
from agent.config.mending.wanted import example, kind_of
from agent.config.misfit import NOTHING
from agent.config.reading import ReadingFault
from agent.config.toml_value import written

_SYNONYMS: Final = {
    "usb": "v4l2", "webcam": "v4l2", "uvc": "v4l2", "ip": "rtsp", "onvif": "rtsp", "rtsps": "rtsp", "csi": "picamera2",
    "libcamera": "picamera2", "picamera": "picamera2", "video": "file", "test": "synthetic", "fixe": "fixed", "nomade": "nomadic",
    "mobile": "nomadic", "bas": "bottom", "haut": "top", "none": "off", "black": "solid", "noir": "solid", "pixelate": "mosaic",
    "flou": "blur", "jour": "day", "nuit": "night", "x264": "h264", "avc": "h264",
}  # fmt: skip


def value_meant(fault: ReadingFault, written_as: str) -> str | None:
    """A value in TOML that would serve at `fault.path`, where `written_as` stands now; None when nobody can tell."""
    if fault.misfit is not None:
        instead = fault.misfit.instead
        return None if instead is None or instead is NOTHING else written(instead)
    if fault.wanted is None or is_section(plain(fault.wanted)):
        return None
    kind, given = plain(fault.wanted), fault.given
    if get_origin(kind) is tuple:
        return None if items_of(kind) is None or isinstance(given, list | dict) else _listed(fault, written_as)
    if get_origin(kind) is Literal:
        return written(_choice(get_args(kind), given, fault.path))
    named = kind_of(fault.path)
    if named == "text":
        return _text(fault)
    if named == "path":
        return written(re.sub(r"[\\/]+", "/", _spelled(written_as))) if isinstance(given, str) else written(str(given))
    if named == "day" and isinstance(given, datetime | date):
        return given.isoformat()[:10]
    return _plain(fault, written_as)


def _plain(fault: ReadingFault, written_as: str) -> str | None:
    """A number within its bounds, a switch, a day."""
    kind = kind_of(fault.path)
    text = fault.given if isinstance(fault.given, str) else written_as
    if kind == "switch" and isinstance(fault.given, int | str):
        return mend(str(fault.given), fault.path, kind).toml
    if kind not in ("number", "whole"):
        return mend(text, fault.path, kind).toml if isinstance(fault.given, str) and kind == "day" else None
    meant = mend(text, fault.path, kind).toml if not isinstance(fault.given, bool) else example(fault.path)
    try:
        number = float(meant or "")
    except ValueError:
        return example(fault.path)
    return _within(number, fault) or example(fault.path)


def _within(number: float, fault: ReadingFault) -> str | None:
    """The nearest number that its bounds allow; None beside an open bound."""
    wanted = fault.wanted
    least, most, step = bound(wanted, "ge"), bound(wanted, "le"), bound(wanted, "multiple_of")
    above, below = bound(wanted, "gt"), bound(wanted, "lt")
    if math.isnan(number) or (above is not None and number <= above) or (below is not None and number >= below):
        return None
    number = max(number, least) if least is not None else number
    number = min(number, most) if most is not None else number
    if kind_of(fault.path) == "number":
        return f"{number:.10g}"
    whole = round(min(number, 1e15))
    return str(whole - whole % step if step else whole)


def _text(fault: ReadingFault) -> str | None:
    given = fault.given
    if not isinstance(given, str):
        given = written(given) if isinstance(given, bool | int | float | date) else ""
        return written(given) if given else None
    if not given and fault.path[-1] == "name":
        return written("mask 1")
    most = bound(fault.wanted, "max_length")
    if most is not None and len(given) > most and bound(fault.wanted, "pattern") is None:
        return written(given[:most])
    return written(_slug(given, fault.path)) if fault.path[-1] in ("id", "prefix", "home_assistant_prefix") else None


def _slug(text: str, path: KeyPath) -> str:
    """A name in a topic, of the same letters."""
    plain_text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    if path[-1] != "id":
        return (
            "/".join(re.sub(r"[^A-Za-z0-9_-]+", "-", level).strip("-") for level in plain_text.split("/") if level.strip())
            or "vigie"
        )
    return re.sub(r"[^a-z0-9_-]+", "-", plain_text.lower()).strip("-_")[:63] or "pole-1"


def _choice(choices: tuple[Any, ...], given: Any, path: KeyPath) -> Any:
    """The choice that was meant; else the default."""
    if isinstance(given, str):
        word = given.strip().lower()
        near = difflib.get_close_matches(word, [str(c) for c in choices], 1, 0.6)
        meant = _SYNONYMS.get(word, near[0] if near else "")
        found = [choice for choice in choices if str(choice) == meant]
        if found:
            return found[0]
    if isinstance(given, bool) and not given and "off" in choices:
        return "off"
    shown = example(path)
    return next((choice for choice in choices if written(choice) == shown), choices[0])


def _listed(fault: ReadingFault, written_as: str) -> str | None:
    return f"[{written_as}]" if isinstance(fault.given, str) and fault.path[-1] == "fallback_urls" else None


def _spelled(written_as: str) -> str:
    """A text as it stands between its quotation marks."""
    return "".join(c for c in written_as.strip("\"'").replace("\u00a0", " ") if c.isprintable())
