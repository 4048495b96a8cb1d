"""The scanner: every key tomllib finds is found again in the text, where it stands."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config.locate import KeyPath, locate

TEXT = """\
# café
title = "x"  # not = this
[node]
id = 'pole'
a.b . "c d" = [1, 2,
  # between
  3]
'quo.ted' = 5
"\\u00e9" = 6
[[privacy.mask]]
name = \"\"\"
long # "" ]
\"\"\"
polygon = [[0.1, 0.2], [0.3,
   0.4]]
[[privacy.mask]]
on = 1979-05-27 07:32:00
inline = { x = 1, y.z = "}" , w = [ { v = ']' } ] }
[privacy.mask.more]
deep = '''it''s # "'''
"""


def test_each_kind_of_key_stands_where_a_reader_finds_it() -> None:
    """Line, column and length of dotted, quoted and inline keys, of elements, and of values over several lines."""
    places = locate(TEXT)
    lines = TEXT.split("\n")

    def words(path: KeyPath) -> tuple[int, str, str]:
        key, value = places[path].key, places[path].value
        cut = [lines[s.line - 1][s.column - 1 : s.column - 1 + s.length] for s in (key, value)]
        return key.line, cut[0], cut[1]

    assert words(("title",)) == (2, "title", '"x"')
    assert words(("node",)) == (3, "node", "node")
    assert words(("node", "a", "b", "c d")) == (5, '"c d"', "[1, 2,")
    assert words(("node", "a", "b", "c d", 2)) == (7, "3", "3")
    assert words(("node", "quo.ted")) == (8, "'quo.ted'", "5")
    assert words(("node", "é")) == (9, '"\\u00e9"', "6")
    assert words(("privacy", "mask", 0, "name"))[:2] == (11, "name")
    assert words(("privacy", "mask", 0, "polygon", 1, 1)) == (15, "0.4", "0.4")
    assert words(("privacy", "mask", 1)) == (16, "mask", "mask")
    assert words(("privacy", "mask", 1, "on")) == (17, "on", "1979-05-27 07:32:00")
    assert words(("privacy", "mask", 1, "inline", "y", "z")) == (18, "z", '"}"')
    assert words(("privacy", "mask", 1, "inline", "w", 0, "v")) == (18, "v", "']'")
    assert words(("privacy", "mask", 1, "more", "deep")) == (20, "deep", "'''it''s # \"'''")


def paths_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Every key path and array element tomllib found."""
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    return {(*path, step) for step, _ in pairs} | {deep for step, inner in pairs for deep in paths_of(inner, (*path, step))}


bare_key = st.sampled_from(["a", "b", "c1", "mask", "polygon", "-", "_x", "3"])
quoted_key = st.sampled_from(["'a.b'", '"a\\"]"', "'#'", '"="', '""', '"\\u00e9["', "'{'"])
any_key = st.lists(st.tuples(bare_key | quoted_key, st.sampled_from(["", " ", "\t"])), min_size=1, max_size=3).map(
    lambda parts: ".".join(space + key + space for key, space in parts)
)
scalar = st.sampled_from(
    ["1", "-0.5", "1e9", "inf", "true", '"#"', "'[' ", '"\\\\"', '"\\""', "''", "1979-05-27", "1979-05-27 07:32:00", "07:32:00.5",
     "1979-05-27T00:32:00-07:00", '"""a\n"]" """', '"""""x"""""', "'''\n}\n'''", "''''''", "0xff", "1_000",
     '"""\\\n  x"""', '"é"']
)  # fmt: skip
gap = st.sampled_from(["", " ", "\n", " # c ] \n", "\n\n\t"])
value = st.recursive(
    scalar,
    lambda inner: st.builds(
        lambda items, space, last: "[" + space + ("," + space).join(items) + (("," if last and items else "") + space) + "]",
        st.lists(inner, max_size=4), gap, st.booleans(),
    )
    | st.lists(st.tuples(any_key, inner), max_size=3).map(lambda pairs: "{" + ", ".join(f"{k} = {v}" for k, v in pairs) + "}"),
    max_leaves=8,
)  # fmt: skip
statement = (
    st.builds(lambda k, v, tail: f"{k}={v}{tail}", any_key, value, st.sampled_from(["", " # = [", "  "]))
    | any_key.map(lambda k: f"[{k}]")
    | any_key.map(lambda k: f"[[ {k} ]] # x")
    | st.sampled_from(["", "# [x]", "   "])
)


@settings(max_examples=400, deadline=None)
@given(st.lists(statement, max_size=12))
def test_the_scanner_finds_what_tomllib_finds(statements: list[str]) -> None:
    """On any TOML that tomllib accepts: the same keys, no others, each at the text that made it."""
    kept: list[str] = []
    for one in statements:  # statements that clash are left out, so that most drawn files are valid
        try:
            tomllib.loads("\n".join([*kept, one]))
        except tomllib.TOMLDecodeError:
            continue
        kept.append(one)
    text = "\n".join(kept)
    places = locate(text)
    assert set(places) == paths_of(tomllib.loads(text))
    lines = text.split("\n")
    for path, place in places.items():
        written = lines[place.key.line - 1][place.key.column - 1 : place.key.column - 1 + place.key.length]
        if isinstance(path[-1], str):
            assert tomllib.loads(f"{written} = 0") == {path[-1]: 0}
    for path, place in places.items():
        line = lines[place.value.line - 1][place.value.column - 1 :][: place.value.length]
        found: Any = tomllib.loads(text)
        for step in path:
            found = found[step]
        if not isinstance(found, dict | list) and '"""' not in line and "'''" not in line:
            assert str(tomllib.loads(f"k = {line}")["k"]) == str(found)
