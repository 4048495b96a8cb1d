"""Settings as people write them: a colon for the equals sign, or none; blanks in a key; a list that does not close."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Final

from agent.base.phrase import joined, say
from agent.config.finding import without_secrets
from agent.config.locate import KeyPath
from agent.config.mending.corners import corner_rows
from agent.config.mending.repair import Repair
from agent.config.mending.statement import Statement, seen
from agent.config.mending.value import Mended, is_toml, mend
from agent.config.mending.wanted import example, header_of, keys_of, kind_of
from agent.config.toml_value import written

_SIGN = re.compile(r"^(?P<key>[^=:\"'\[\]{}#]+?)\s*(?P<sign>:=|==+|=>|->|=|:(?!//))\s*(?P<value>.*)$", re.DOTALL)
_APART = re.compile(r"^(?P<key>[\w.-]+)\s+(?P<value>\S.*)$", re.DOTALL)
_BARE_KEY = re.compile(r"^[A-Za-z0-9_-]+(\s*\.\s*[A-Za-z0-9_-]+)*$")
_VALUE_BEGINS = re.compile(r"^[\"'\[\d+.“«-]|^(true|false|yes|no|True|False)\b")


def mend_setting(statement: Statement, table: KeyPath) -> list[Repair]:
    """The repairs of a statement in `table` that is no TOML."""
    head, rest = seen(statement.lines[0]), statement.lines[1:]
    found = _parts(head, table)
    if found is None:
        return [_no_setting(statement)]
    key, value, what = found
    if (name := otherwise_called(key, table)) is not None:
        what = (*what, say("the key is called {near}", near=name))
        key = name
    indent = head[: len(head) - len(head.lstrip())]
    path = (*table, *key.split("."))
    kind = kind_of(path)
    if kind == "polygon":
        rows = corner_rows([f"{indent}polygon = {value}", *rest])
        if rows is not None:
            return _of_rows(statement, [row.line for row in rows], [row.what for row in rows], what)
    text, comment = _without_comment("\n".join([value, *rest]))
    if kind in ("list", "polygon") or (kind is None and text.startswith("[")):
        made = _list(text, path)
    elif is_toml(text):
        made = Mended(text, "")
    elif not text:
        made = Mended(example(path) or '""', say("a key without a value"), say("write key = value, one on each line"), sure=False)
    else:
        made = mend(" ".join(part.strip() for part in text.split("\n")), path, kind)
        if "\n" in text:
            made = Mended(made.toml, say("a text does not end"), say("keep it on one line"), made.sure, made.behind)
    lines = [f"{indent}{key} = {made.toml}{comment}"]
    if made.behind:
        lines += _further(made.behind, statement.row, table)
    words = joined(say(", and "), [word for word in (*what, made.what) if word]) or say("a character in this line cannot be seen")
    count, remedy = len(statement.lines), made.remedy or say("write {key} = ...", key=key)
    return [
        Repair(statement.row, count, tuple(map(seen, lines)), words, remedy if made.what else say("write key = value"), made.sure)
    ]


def _further(text: str, row: int, table: KeyPath) -> list[str]:
    """A second setting that stood behind the first, on a line of its own."""
    if is_setting(text):
        return [text]
    return [line for repair in mend_setting(Statement(row, (text,)), table) for line in repair.lines]


def is_setting(text: str) -> bool:
    """True for one setting that is TOML."""
    key, sign, value = text.partition("=")
    return bool(sign and _BARE_KEY.match(key.strip())) and is_toml(value)


def _of_rows(statement: Statement, lines: Sequence[str], told: Sequence[tuple[str, ...]], what: Sequence[str]) -> list[Repair]:
    repairs = []
    for n, (before, line, words) in enumerate(zip(statement.lines, lines, told, strict=True)):
        said = (*what, *words) if n == 0 else words
        if line != before and said:
            repairs.append(
                Repair(statement.row + n, 1, (line,), joined(say(", and "), said), say("corners are [[x, y], [x, y], [x, y]]"))
            )
    return repairs


def _parts(line: str, table: KeyPath) -> tuple[str, str, tuple[str, ...]] | None:
    """Key, value and what is wrong between them; None for a line that is no setting at all."""
    bare = line.strip()
    known = keys_of(table)
    what: list[str] = []
    if bare[:2] in ("- ", "* "):
        bare = bare[2:].strip()
        what.append(say("no dash stands before a setting"))
    match = _SIGN.match(bare)
    if match is not None and (found := _key(match["key"], known)) is not None:
        key, odd = found
        what += [odd] if odd else []
        what += [say("{sign} stands for =", sign=_SIGN_NAMES.get(match["sign"], match["sign"]))] if match["sign"] != "=" else []
        return key, match["value"], tuple(what)
    match = _APART.match(bare)
    if match is not None and match["key"].lower() in known and not match["value"].startswith("="):
        return match["key"].lower(), match["value"], (*what, say("the = is missing"))
    if match is not None and _VALUE_BEGINS.match(match["value"]) and len(match["value"].split()) == 1:
        return (match["key"], match["value"], (*what, say("the = is missing"))) if _BARE_KEY.match(match["key"]) else None
    return (bare.lower(), "", tuple(what)) if bare.lower() in known else None


_SIGN_NAMES = {":": say("a colon"), "==": "=="}


def _key(text: str, known: Sequence[str]) -> tuple[str, str] | None:
    """The key that was meant, and what is wrong with it as written; None when it cannot be one."""
    key = text.strip()
    if _BARE_KEY.match(key):
        return re.sub(r"\s", "", key), ""
    plain = "".join(c for c in unicodedata.normalize("NFKD", key) if not unicodedata.combining(c))
    joined = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_").lower()
    near = difflib.get_close_matches(joined, known, 1, 0.8) or [k for k in known if k == plain.split()[-1].lower()]
    if near:
        return near[0], say("the key is called {near}", near=near[0])
    return (joined, say("no key is called {key!r}", key=key)) if joined and len(key.split()) <= 2 else None


def misspelt(statement: Statement, table: KeyPath, key: KeyPath, taken: Collection[KeyPath]) -> Repair | None:
    """The repair of a setting that is TOML, and whose key is nearly one that the table knows and does not have yet."""
    known = keys_of(table)
    if len(key) != 1 or not known or key[0] in known or not isinstance(key[0], str):
        return None
    if without_secrets(statement.lines[0]) != statement.lines[0]:  # a secret is never taken for the name of its file
        return None
    written_as = re.match(r"\s*(?P<key>[\w-]+)(?=\s*=)", statement.lines[0])
    word = key[0].lower().replace("-", "_")
    open_yet = [name for name in known if (*table, name) not in taken]
    called = otherwise_called(word, table) or _IN_FRENCH.get(word, "")
    near = [called] if called in open_yet else difflib.get_close_matches(word, open_yet, 1, 0.6)
    if written_as is None or not near:
        return None
    line = statement.lines[0][: written_as.start("key")] + near[0] + statement.lines[0][written_as.end("key") :]
    return Repair(
        statement.row,
        1,
        (line,),
        say("there is no key {key!r} in {header}", key=key[0], header=header_of(table)),
        say("did you mean {near!r}?", near=near[0]),
    )


def otherwise_called(key: str, table: KeyPath) -> str | None:
    """What a key of another program is called in this table; None for one that is known here, or nowhere."""
    return _ELSEWHERE.get((".".join(map(str, table)), key.lower().replace("-", "_")))


_ELSEWHERE: Final = {
    **{("camera", word): "source" for word in ("url", "uri", "address", "adresse", "ip", "rtsp", "rtsp_url", "flux", "stream")},
    **{("mqtt", word): "url" for word in ("broker", "host", "address", "adresse", "server", "serveur", "ip")},
}
"""By table: what a camera's or a broker's address is called in other programs."""

_IN_FRENCH: Final = {
    "largeur": "width", "hauteur": "height", "nom": "name", "polygone": "polygon", "marge": "margin", "utilisateur": "username",
    "mot_de_passe_fichier": "password_file", "pilote": "driver", "lieu": "site", "par": "by", "le": "on", "pourquoi": "why",
}  # fmt: skip


def _no_setting(statement: Statement) -> Repair:
    line = statement.lines[0]
    bare = line.strip()
    if not bare.strip("[](){},;."):
        return Repair(statement.row, 1, ("",), say("a bracket is closed that none opens"), say("remove this line"))
    text = re.sub(r"^(//+|;+|--+|/\*+|REM\b|%+)\s*|\s*\*/$", "", seen(bare), flags=re.IGNORECASE)
    count = len(statement.lines)
    lines = tuple(f"# {seen(more).strip()}".rstrip() for more in (text, *statement.lines[1:]))
    return Repair(statement.row, count, lines, say("this is no setting"), say("write key = value; an explanation begins with #"))


def _list(text: str, path: KeyPath) -> Mended:
    """A list of texts that is no TOML."""
    if is_toml(text):
        return Mended(text, "")
    opened, closed = text.count("["), text.count("]")
    items = [item for item in (part.strip(" \t\n\"'“”«»") for part in re.split(r"[,;\n]", text.strip("[] \n\t"))) if item]
    if not items or kind_of(path) == "polygon" or any(c in "".join(items) for c in "[]{}"):
        return Mended(
            example(path) or "[]", say("a list that cannot be read"), say("compare it with config.example.toml"), sure=False
        )
    if opened > closed:
        return Mended(written(items), say("a list is opened and never closed"), say("close it with ]"))
    what = (
        say("a list is closed that none opens")
        if closed > opened
        else say("a list holds texts in quotation marks, parted by commas")
    )
    return Mended(written(items), what, say('write ["...", "..."]'))


def _without_comment(text: str) -> tuple[str, str]:
    """The value, and the comment behind its last line with two blanks before it."""
    found = re.match(
        r"^(?P<value>(?:[^\"'#]|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|(?<=\S)#)*)(?P<comment>\s#.*|\s+//.*)?$", text, re.DOTALL
    )
    if found is None:  # a quotation mark is open
        found = re.match(r"^(?P<value>.*?)(?P<comment>\s#[^\n\"']*)?$", text, re.DOTALL)
    assert found is not None
    comment = (found["comment"] or "").strip()
    comment = f"# {comment[2:].strip()}" if comment.startswith("//") else comment
    if "\n" in comment:
        return text.strip(), ""
    return found["value"].strip(), f"  {comment}" if comment else ""
