"""A configuration as a technician has it, and sixty ways in which it is written wrongly on a first day."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

RIGHT = """\
[node]
id = "pole-42"
site = "place du marché"
role = "fixed"
state_dir = "/var/lib/vigie"
latitude = 48.85
longitude = 2.35

[camera]
driver = "rtsp"
source = "rtsp://10.0.0.9/stream"
transport = "tcp"
width = 1280
height = 720
fps = 25.0
rotation = 0
purpose = "overview"
distance_m = 25.0
hdr = false
autofocus = "off"
day_night = "auto"

[privacy]
fill = "solid"
margin = 0.01

[[privacy.mask]]
name = "bakery"
polygon = [[0.12, 0.08], [0.31, 0.08], [0.31, 0.27], [0.12, 0.27]]

[[privacy.mask]]
name = "school"
polygon = [
  [0.5, 0.5],
  [0.7, 0.5],
  [0.7, 0.7],
]

[[privacy.overlay]]
name = "clock"
polygon = [[0.7, 0.0], [1.0, 0.0], [1.0, 0.07], [0.7, 0.07]]

[encoding]
bitrate_kbps = 3000
keyframe_seconds = 2.0
preset = "superfast"
caption = "bottom"
time_zone = "Europe/Paris"

[recording]
directory = "/media/ssd/recordings"
segment_seconds = 60.0
retention_days = 14.0
min_free_mb = 512

[evidence]
sign = true

[motion]
enabled = true
sensitivity = 0.5
hold_seconds = 4.5

[mqtt]
url = "mqtts://hub.town.fr:8883"
fallback_urls = ["mqtts://a.town.fr", "mqtts://b.town.fr"]
username = "pole-42"
password_file = "/etc/vigie/mqtt-password"
health_seconds = 10.0
event_stills = false

[console]
host = "127.0.0.1"
port = 8080
"""


class Mistake(Struct, frozen=True):
    """`right` is a line of RIGHT, the first of `takes` lines that become `wrong`; it is told `below` lines under the first."""

    name: str
    right: str
    wrong: str
    words: str
    below: int = 0
    takes: int = 1


_BAKERY = "polygon = [[0.12, 0.08], [0.31, 0.08], [0.31, 0.27], [0.12, 0.27]]"
_CLOCK = "polygon = [[0.7, 0.0], [1.0, 0.0], [1.0, 0.07], [0.7, 0.07]]"

MISTAKES: Sequence[Mistake] = (
    Mistake("colon", 'id = "pole-42"', "id: pole-42", "a colon stands for ="),
    Mistake("colon and quotes", 'site = "place du marché"', 'site: "place du marché"', "a colon stands for ="),
    Mistake("no quotation marks", 'role = "fixed"', "role = fixed", "without quotation marks"),
    Mistake("path without quotation marks", 'state_dir = "/var/lib/vigie"', "state_dir = /var/lib/vigie", "without quotation"),
    Mistake("decimal comma", "latitude = 48.85", "latitude = 48,85", "decimals take a point"),
    Mistake("compass", "longitude = 2.35", "longitude = 2.35 E", "the unit is known"),
    Mistake("header not closed", "[camera]", "[camera", "a bracket is missing"),
    Mistake("misspelt choice", 'driver = "rtsp"', 'driver = "rtps"', "none of the choices"),
    Mistake("address without quotation marks", 'source = "rtsp://10.0.0.9/stream"', "source = rtsp://10.0.0.9/stream", "without"),
    Mistake("a machine's number", 'source = "rtsp://10.0.0.9/stream"', "source = 10.0.0.9", "begins with rtsp://"),
    Mistake("a key of another program", 'source = "rtsp://10.0.0.9/stream"', "url = 10.0.0.9", "the key is called source"),
    Mistake("a broker's number", 'url = "mqtts://hub.town.fr:8883"', "url = 192.168.1.10", "begins with mqtts://"),
    Mistake("typographic quotes", 'transport = "tcp"', "transport = “tcp”", "typographic"),
    Mistake("pixels with unit", "width = 1280", "width = 1280px", "the unit is known"),
    Mistake("misspelt key", "height = 720", "heigth = 720", "did you mean 'height'"),
    Mistake("rate with unit", "fps = 25.0", "fps = 25 fps", "the unit is known"),
    Mistake("quarter turn", "rotation = 0", "rotation = 90", "none of the choices"),
    Mistake("text does not end", 'purpose = "overview"', 'purpose = "overview', "a text does not end"),
    Mistake("metres", "distance_m = 25.0", "distance_m = 25 m", "the unit is known"),
    Mistake("capital False", "hdr = false", "hdr = False", "small letters"),
    Mistake("off without quotation marks", 'autofocus = "off"', "autofocus = off", "without quotation marks"),
    Mistake("equals forgotten", 'day_night = "auto"', 'day_night "auto"', "the = is missing"),
    Mistake("header with a colon", "[privacy]", "[privacy]:", "something behind"),
    Mistake("another tongue", 'fill = "solid"', 'fill = "noir"', "none of the choices"),
    Mistake("percent", "margin = 0.01", "margin = 1%", "a fraction"),
    Mistake("one bracket for two", '[[privacy.mask]]\nname = "bakery"', '[privacy.mask]\nname = "bakery"', "two brackets"),
    Mistake("comma between corners", _BAKERY, _BAKERY.replace("], [0.31, 0.27", "] [0.31, 0.27"), "between two corners"),
    Mistake("decimal commas in corners", _BAKERY, _BAKERY.replace("0.", "0,"), "decimals take a point"),
    Mistake("pixels", _BAKERY, "polygon = [[120, 80], [400, 80], [400, 270]]", "the corners are in pixels"),
    Mistake("round brackets", _BAKERY, "polygon = [(0.12, 0.08), (0.31, 0.08), (0.31, 0.27)]", "square brackets"),
    Mistake("list not closed", _BAKERY, _BAKERY[:-1], "never closed"),
    Mistake("list not opened", _BAKERY, _BAKERY.replace("[[", "[")[:-1], "enclose"),
    Mistake("bow tie", _BAKERY, "polygon = [[0.1, 0.1], [0.3, 0.3], [0.3, 0.1], [0.1, 0.3]]", "crosses"),
    Mistake("same name", 'name = "school"', 'name = "clock', "a text does not end"),
    Mistake("comma at a line's end", "  [0.5, 0.5],", "  [0.5, 0.5]", "a comma is missing between two corners"),
    Mistake("blank in a corner", "  [0.7, 0.5],", "  [0.7 0.5],", "a comma is missing between x and y"),
    Mistake("semicolon in a corner", "  [0.7, 0.7],", "  [0.7; 0.7],", "semicolon"),
    Mistake("overlay in pixels with unit", _CLOCK, "polygon = [[900px, 0px], [1280px, 0px], [1280px, 50px]]", "plain numbers"),
    Mistake("named corners", 'name = "clock"', "name = 'clock", "a text does not end"),
    Mistake("header misspelt", "[encoding]", "[encodding]", "did you mean [encoding]"),
    Mistake("other unit", "bitrate_kbps = 3000", "bitrate_kbps = 3 Mbit/s", "counts in kbit/s"),
    Mistake("milliseconds", "keyframe_seconds = 2.0", "keyframe_seconds = 2000 ms", "counts in"),
    Mistake("comma at the end", 'preset = "superfast"', 'preset = "superfast",', "something behind"),
    Mistake(
        "two settings on a line",
        'caption = "bottom"\ntime_zone = "Europe/Paris"',
        'caption = "bottom"  time_zone = "Europe/Paris"',
        "a line of its own",
        takes=2,
    ),
    Mistake("city misspelt", 'time_zone = "Europe/Paris"', 'time_zone = "Europe/Pari"', "no time zone"),
    Mistake("Windows path", 'directory = "/media/ssd/recordings"', 'directory = "D:\\videos"', "a backslash"),
    Mistake("Windows path that is TOML", 'directory = "/media/ssd/recordings"', 'directory = "D:\\films\\new"', "a backslash"),
    Mistake("minute", "segment_seconds = 60.0", "segment_seconds = 1 min", "counts in"),
    Mistake("too long", "retention_days = 14.0", "retention_days = 45", "write at most 30"),
    Mistake("days", "retention_days = 14.0", "retention_days = 14 jours", "the unit is known"),
    Mistake("thousands with a blank", "min_free_mb = 512", "min_free_mb = 1 024", "nothing stands between"),
    Mistake("yes", "sign = true", "sign = yes", "write true or false"),
    Mistake("switch as text", "enabled = true", 'enabled = "true"', "neither true nor false"),
    Mistake("number as text", "sensitivity = 0.5", 'sensitivity = "0.5"', "is a text"),
    Mistake("point before the digit", "hold_seconds = 4.5", "hold_seconds = .5", "not how a number is written"),
    Mistake("arrow", 'url = "mqtts://hub.town.fr:8883"', 'url => "mqtts://hub.town.fr:8883"', "stands for ="),
    Mistake("no scheme", 'url = "mqtts://hub.town.fr:8883"', 'url = "hub.town.fr:8883"', "no broker's address"),
    Mistake(
        "list without marks",
        'fallback_urls = ["mqtts://a.town.fr", "mqtts://b.town.fr"]',
        "fallback_urls = [mqtts://a.town.fr, mqtts://b.town.fr]",
        "quotation marks",
    ),
    Mistake("one quotation mark of two", 'username = "pole-42"', 'username = pole-42"', "a text does not begin"),
    Mistake(
        "blank in a key",
        'password_file = "/etc/vigie/mqtt-password"',
        'password file = "/etc/vigie/mqtt-password"',
        "the key is called password_file",
    ),
    Mistake("dash in a key", "health_seconds = 10.0", "health-seconds = 10.0", "did you mean 'health_seconds'"),
    Mistake("null", "event_stills = false", "event_stills = null", "is no value"),
    Mistake("comment of another language", "[console]", "// the page\n[console]", "an explanation begins with #"),
    Mistake("address as words", 'host = "127.0.0.1"', "host = 127.0.0.1", "without quotation marks"),
    Mistake("no value", "port = 8080", "port =", "a key without a value"),
    Mistake("key outside its table", "port = 8080", "port = 8080\nkeyframe_second = 2", "no such key", below=1),
    Mistake("table twice", "[console]", "[camera]\nseed = 2\n\n[console]", "[camera] is given twice"),
    Mistake("key twice", "port = 8080", "port = 8080\nport = 8081", "port is given twice", below=1),
    Mistake("non-breaking blank", "enabled = true", "\u00a0enabled = true", "cannot be seen"),
    Mistake("words between", "[evidence]", "the next one is for the court\n[evidence]", "this is no setting"),
    Mistake("wrapped text", 'site = "place du marché"', 'site = "place du\nmarché"', "a text does not end"),
    Mistake("one bracket for a zone", "[privacy]", "[motion.ignore]\npolygon = [[0, 0], [0.1, 0], [0.1, 0.1]]\n[privacy]", "two"),
)


def made(mistakes: Sequence[Mistake]) -> tuple[str, list[tuple[int, Mistake]]] | None:
    """RIGHT with these mistakes in it, and the line of each, from 1; None when two of them want the same lines."""
    taken: set[int] = set()
    places = []
    for mistake in mistakes:
        before, found, _ = ("\n" + RIGHT).partition("\n" + mistake.right + "\n")
        assert found, mistake.name
        row = before.count("\n")
        rows = set(range(row, row + mistake.right.count("\n") + 1))
        if rows & taken:
            return None
        taken |= rows
        places.append((row, mistake))
    lines = RIGHT.split("\n")
    for row, mistake in sorted(places, key=lambda place: place[0], reverse=True):
        lines[row : row + mistake.right.count("\n") + 1] = mistake.wrong.split("\n")
    told = []
    for row, mistake in places:
        grown = sum(other.wrong.count("\n") - other.right.count("\n") for at, other in places if at < row)
        told.append((row + 1 + grown + mistake.below, mistake))
    return "\n".join(lines), sorted(told, key=lambda place: place[0])
