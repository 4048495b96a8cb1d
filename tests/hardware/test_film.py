"""A film played over and over: each pass is what a fresh opening gives, however it was begun."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.base.errors import CameraError
from hardware import film
from hardware.film import FilmDecoder
from tests.support.films import make_film, run_ffmpeg

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
SEEKING = {
    "plain.avi": ("-c:v", "mpeg4", "-g", "6"),
    "b.avi": ("-c:v", "mpeg4", "-bf", "2", "-g", "12"),
    "plain.mp4": ("-c:v", "mpeg4", "-bf", "0", "-g", "50"),
    "b.mp4": (*H264, "-bf", "3", "-refs", "4", "-g", "10"),
    "open-gop.mp4": (*H264, "-bf", "3", "-g", "8", "-x264-params", "open-gop=1:bframes=3:b-pyramid=normal"),
    "interlaced.mp4": (*H264, "-bf", "2", "-flags", "+ildct+ilme"),
    "b.mkv": (*H264, "-bf", "2", "-g", "5"),
    "plain.mkv": ("-c:v", "mpeg4", "-flags", "+qpel"),
    "every.avi": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
    "every.mov": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
    "pieces.mp4": (*H264, "-movflags", "frag_keyframe+empty_moov", "-g", "7"),
    "late.mp4": (*H264, "-bf", "2", "-output_ts_offset", "7.5"),
}
"""Films that are wound back; by name, with ffmpeg's output options."""
ANEW = {
    "guessed-times.mkv": ("-c:v", "mpeg4", "-bf", "1"),
    "b.ts": (*H264, "-bf", "2", "-g", "10"),
    "mpeg2.ts": ("-c:v", "mpeg2video", "-bf", "2"),
    "bare.h264": (*H264, "-bf", "2", "-g", "10"),
    "bare.m4v": ("-c:v", "mpeg4", "-bf", "1", "-f", "m4v"),
    "lossless.avi": ("-c:v", "ffv1", "-pix_fmt", "yuv420p"),
}
"""Films that are opened anew for each pass."""

Pass = list[tuple[int, bytes, bool]]


def passed(played: FilmDecoder, base_ns: int = 0) -> Pass:
    """One pass: each picture's time since the first one, in ns, its samples as the decoder laid them out, whether damaged."""
    found = []
    for picture, media_ns, corrupt in played.frames(base_ns):
        found.append((media_ns - base_ns, picture.to_ndarray().tobytes(), corrupt))
    return found


def afresh(path: Path) -> Pass:
    """What a film opened for this pass alone gives."""
    played = FilmDecoder(path)
    try:
        return passed(played)
    finally:
        played.close()


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every film opened, in order."""
    opened: list[Path] = []
    real = film._open

    def counted(path: Path) -> object:
        opened.append(path)
        return real(path)

    monkeypatch.setattr(film, "_open", counted)
    return opened


@pytest.mark.parametrize(("name", "options"), [*SEEKING.items(), *ANEW.items()])
def test_every_pass_gives_what_a_fresh_opening_gives(
    tmp_path: Path, openings: list[Path], name: str, options: tuple[str, ...]
) -> None:
    """Four passes, byte for byte and at the same times; containers with an index are not even opened again for it."""
    path = make_film(tmp_path / name, *options, pictures=33)
    expected = afresh(path)
    openings.clear()
    played = FilmDecoder(path)
    for number in range(4):
        assert passed(played, base_ns=number * 10**10) == expected
        played.rewind()
    played.close()
    assert len(expected) == 33
    assert len(openings) == (1 if name in SEEKING else 5)


def test_sound_beside_the_pictures_changes_nothing(tmp_path: Path, openings: list[Path]) -> None:
    """The other streams of a film are wound back with it."""
    path = tmp_path / "sound.mp4"
    inputs = ("-f", "lavfi", "-i", "sine=duration=3", "-f", "lavfi", "-i", "testsrc=size=128x96:rate=10")
    run_ffmpeg(*inputs, "-t", "3", *H264, "-bf", "2", "-g", "8", "-c:a", "aac", str(path))
    played = FilmDecoder(path)
    first = passed(played)
    for _ in range(3):
        played.rewind()
        assert passed(played) == first
    assert openings == [path]


def test_a_film_in_two_sizes_changes_size_at_the_same_picture_in_every_pass(tmp_path: Path, openings: list[Path]) -> None:
    """Two recordings in one file, the second of another size: its header does not leak into the next pass."""
    small, large = (make_film(tmp_path / f"{size}.h264", *H264, "-bf", "1", size=size) for size in ("128x96", "192x144"))
    joined = tmp_path / "joined.h264"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    path = tmp_path / "joined.mp4"
    run_ffmpeg("-i", str(joined), "-c", "copy", str(path))
    expected = afresh(path)
    assert len({len(samples) for _, samples, _ in expected}) == 2
    openings.clear()
    played = FilmDecoder(path)
    for _ in range(3):
        assert passed(played) == expected
        played.rewind()
    assert len(openings) == 4


def test_a_film_replaced_while_it_plays_is_played_from_the_next_pass_on(tmp_path: Path) -> None:
    """The pass under way goes on with what was there when it began."""
    path = make_film(tmp_path / "a.mp4", *H264, pictures=20)
    other = make_film(tmp_path / "b.mp4", *H264, "-vf", "hflip", pictures=12)
    before, after = afresh(path), afresh(other)
    played = FilmDecoder(path)
    other.rename(path)
    assert passed(played) == before
    played.rewind()
    assert passed(played) == after


def test_a_film_removed_while_it_plays_is_missed_at_the_next_pass(tmp_path: Path) -> None:
    """The film is named, and letting go of what is left of it works."""
    path = make_film(tmp_path / "a.mp4", *H264)
    played = FilmDecoder(path)
    assert len(passed(played)) == 20
    path.unlink()
    with pytest.raises(CameraError, match="does not exist"):
        played.rewind()
    played.close()


@pytest.fixture(scope="module")
def whole_films(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Small films in three containers and codecs, all of which are wound back while they are whole."""
    folder = tmp_path_factory.mktemp("whole")
    return [make_film(folder / name, *SEEKING[name], pictures=12).read_bytes() for name in ("b.mp4", "b.avi", "plain.mkv")]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_does_not_spread_from_one_pass_to_the_next(whole_films: list[bytes], tmp_path: Path, data: st.DataObject) -> None:
    """Bytes overwritten behind the first packets: each pass tells as many pictures, and counts as much broken, as the first."""
    whole = bytearray(data.draw(st.sampled_from(whole_films)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(len(whole) // 3, len(whole) - 1))
        noise = data.draw(st.binary(min_size=1, max_size=20))
        whole[at : at + len(noise)] = noise
    path = tmp_path / "broken.film"
    path.write_bytes(whole)
    try:
        played = FilmDecoder(path)
        first = [at_ns for at_ns, _, _ in passed(played)]
        broken = played.broken
        played.rewind()
        second = [at_ns for at_ns, _, _ in passed(played)]
    except CameraError:
        return
    assert second == first
    assert played.broken == 2 * broken
