"""Films as cameras: real files made by ffmpeg, seen through the camera port."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.base.clock import NS
from agent.base.errors import CameraEnded, CameraError
from agent.config.model import CameraSettings
from agent.picture.frame import RawFrame
from agent.picture.planes import Planes
from hardware.camera_file import FRAMES, LATE_NS, FileCamera
from tests.support.films import i420_of, make_film, run_ffmpeg
from tests.support.turned_clock import TurnedClock


def camera_of(path: Path, clock: TurnedClock, **more: Any) -> FileCamera:
    """A camera of 128x96 that plays as fast as it goes, unless told otherwise."""
    chosen: dict[str, Any] = {"width": 128, "height": 96, "realtime": False, **more}
    return FileCamera(CameraSettings(driver="file", source=str(path), **chosen), clock)


def frames_of(camera: FileCamera) -> Iterator[RawFrame]:
    """Every picture to the end of the film, given back when the next one is asked for."""
    camera.open()
    try:
        while True:
            frame = camera.read(1.0)
            assert frame is not None
            yield frame
            frame.release()
    except CameraEnded:
        camera.close()


def samples(planes: Planes) -> bytes:
    """Packed I420."""
    return planes.y.tobytes() + planes.u.tobytes() + planes.v.tobytes()


def refusal(path: Path, clock: TurnedClock) -> str:
    """What the camera says when it cannot open the film: names it and brings a remedy."""
    with pytest.raises(CameraError) as caught:
        camera_of(path, clock).open()
    assert path.name in str(caught.value)
    assert caught.value.remedy
    return str(caught.value)


def test_scribbling_on_every_picture_does_not_reach_the_next_one(tmp_path: Path, clock: TurnedClock) -> None:
    """The mask writes in place; an H.264 decoder's reference pictures must never see it."""
    path = make_film(tmp_path / "a.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "3", "-refs", "4", pictures=40)
    expected = i420_of(path)
    ours = b""
    for frame in frames_of(camera_of(path, clock)):
        ours += samples(frame.planes)
        for plane in (frame.planes.y, frame.planes.u, frame.planes.v):
            plane[:] = 255
    assert ours == expected


def test_film_of_another_size_is_scaled_to_the_configured_one(tmp_path: Path, clock: TurnedClock) -> None:
    """A film of odd size comes out as the planes the rest of the node was set up for, packed for the encoder."""
    path = make_film(tmp_path / "a.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv444p", size="333x187", pictures=3)
    frames = list(frames_of(camera_of(path, clock, width=640, height=360)))
    assert len(frames) == 3
    assert {(f.planes.width, f.planes.height, f.planes.u.shape) for f in frames} == {(640, 360, (180, 320))}
    assert all(f.planes.y.base is not None and f.planes.y.flags.c_contiguous and f.small is None for f in frames)


def test_a_film_of_another_shape_is_refused_with_the_size_that_fits(tmp_path: Path, clock: TurnedClock) -> None:
    """Nobody in it is made broader: 4:3 does not fill 16:9."""
    path = make_film(tmp_path / "a.mkv", "-c:v", "ffv1", size="320x240", pictures=3)
    with pytest.raises(CameraError, match=r"320x240 \(4:3\), and 640x360 \(16:9\)") as caught:
        camera_of(path, clock, width=640, height=360).open()
    assert "width = 320 and height = 240" in caught.value.remedy


def test_as_fast_as_it_goes_media_time_still_follows_the_film(tmp_path: Path, clock: TurnedClock) -> None:
    """Without `realtime` nobody waits, and an hour of film still makes an hour of timestamps, monotonic and wall."""
    times = [f.time for f in frames_of(camera_of(make_film(tmp_path / "a.avi", rate="10"), clock))]
    assert clock.waits_s == []
    assert [t.index for t in times] == list(range(20))
    assert {b.monotonic_ns - a.monotonic_ns for a, b in pairwise(times)} == {NS // 10}
    assert {t.wall_ns - t.monotonic_ns for t in times} == {clock.wall_offset_ns}


def test_realtime_delivers_each_picture_when_it_is_due(tmp_path: Path, clock: TurnedClock) -> None:
    """20 pictures at 10 a second take 1.9 s on the injected clock, and each carries the instant it was due."""
    began_ns = clock.now_ns
    for n, frame in enumerate(frames_of(camera_of(make_film(tmp_path / "a.avi", rate="10"), clock, realtime=True))):
        assert frame.time.monotonic_ns == began_ns + n * NS // 10
        assert clock.now_ns >= frame.time.monotonic_ns
        assert frame.time.wall_ns == frame.time.monotonic_ns + clock.wall_offset_ns
    assert clock.now_ns - began_ns == 19 * NS // 10


def test_realtime_read_returns_within_its_timeout(tmp_path: Path, clock: TurnedClock) -> None:
    """A film of one picture every two seconds: reads of half a second come back empty-handed, and lose nothing."""
    camera = camera_of(make_film(tmp_path / "a.avi", rate="1/2", pictures=2), clock, realtime=True)
    camera.open()
    got = []
    for _ in range(5):
        frame = camera.read(0.5)
        got.append(frame is not None)
        if frame is not None:
            frame.release()
    assert got == [True, False, False, False, True]


def test_a_reader_that_falls_behind_misses_nothing(tmp_path: Path, clock: TurnedClock) -> None:
    """Too slow for the film: its clock moves, every picture still comes, in order, and the delay is told."""
    camera = camera_of(make_film(tmp_path / "a.avi", rate="10"), clock, realtime=True)
    last_ns, count = 0, 0
    for frame in frames_of(camera):
        clock.now_ns += LATE_NS // 2
        assert frame.time.monotonic_ns > last_ns
        last_ns, count = frame.time.monotonic_ns, count + 1
    assert count == 20
    assert float(camera.metrics()["late_s"]) > 5


def test_variable_frame_rate_keeps_its_own_timing(tmp_path: Path, clock: TurnedClock) -> None:
    """Pictures at 0, 1, 4, 9 ... tenths of a second stay there."""
    path = make_film(tmp_path / "a.mkv", "-vf", "setpts=N*N/10/TB", "-fps_mode", "vfr", "-c:v", "ffv1", pictures=6)
    times = [f.time.monotonic_ns for f in frames_of(camera_of(path, clock))]
    assert [round((t - times[0]) / NS, 2) for t in times] == [0.0, 0.1, 0.4, 0.9, 1.6, 2.5]


@pytest.mark.parametrize(
    ("rate", "fps", "kept"), [("50", 25.0, 25), ("30", 25.0, 42), ("30000/1001", 30.0, 50), ("25", 25.0, 50), ("10", 25.0, 50)]
)
def test_film_is_thinned_to_the_wanted_rate_and_never_padded(
    tmp_path: Path, clock: TurnedClock, rate: str, fps: float, kept: int
) -> None:
    """Of 50 pictures a faster film loses what is above `fps`; others are left alone, for all Matroska rounds its times."""
    path = make_film(tmp_path / "a.mkv", "-c:v", "ffv1", rate=rate, pictures=50)
    times = [f.time.monotonic_ns for f in frames_of(camera_of(path, clock, fps=fps))]
    assert abs(len(times) - kept) <= 1
    assert len(times) / (times[-1] - times[0]) * NS <= fps * 1.1


def test_loop_begins_anew_and_time_goes_on(tmp_path: Path, clock: TurnedClock) -> None:
    """Three rounds of a film of 20: the pictures repeat, index and media time do not."""
    camera = camera_of(make_film(tmp_path / "a.avi", "-c:v", "ffv1", rate="10"), clock, loop=True)
    seen: list[tuple[int, int, bytes]] = []
    for frame in frames_of(camera):
        seen.append((frame.time.index, frame.time.monotonic_ns, samples(frame.planes)))
        if len(seen) == 60:
            break
    assert [index for index, _, _ in seen] == list(range(60))
    assert {b[1] - a[1] for a, b in pairwise(seen)} == {NS // 10}
    assert [picture for _, _, picture in seen[:20]] == [picture for _, _, picture in seen[40:]]
    assert camera.metrics()["film_loops"] == 2


def test_pictures_under_way_are_bounded(tmp_path: Path, clock: TurnedClock) -> None:
    """A consumer that gives nothing back gets a few pictures and then none, until it returns one; none is lost."""
    camera = camera_of(make_film(tmp_path / "a.avi", "-c:v", "ffv1"), clock)
    camera.open()
    held = [camera.read(0) for _ in range(FRAMES + 3)]
    got = [frame for frame in held if frame is not None]
    assert len(got) == FRAMES
    got[0].release()
    got[0].release()
    following = camera.read(0)
    assert following is not None
    assert following.time.index == FRAMES
    assert camera.read(0) is None


def test_missing_film_is_named(tmp_path: Path, clock: TurnedClock) -> None:
    """No such file: which one, and what to do."""
    assert "does not exist" in refusal(tmp_path / "none.mp4", clock)


def test_directory_is_no_film(tmp_path: Path, clock: TurnedClock) -> None:
    """A directory, a device: said so, not read."""
    assert "is a directory" in refusal(tmp_path, clock)
    with pytest.raises(CameraError, match="no regular file"):
        camera_of(Path("/dev/zero"), clock).open()


def test_empty_and_foreign_files_are_refused(tmp_path: Path, clock: TurnedClock) -> None:
    """Nothing inside, or something else altogether."""
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.touch()
    text.write_text("this is no film\n" * 100)
    assert "is empty" in refusal(empty, clock)
    assert "cannot be read as a film" in refusal(text, clock)


def test_sound_alone_is_refused(tmp_path: Path, clock: TurnedClock) -> None:
    """A film without pictures."""
    path = tmp_path / "sound.mkv"
    run_ffmpeg("-f", "lavfi", "-i", "sine=duration=1", str(path))
    assert "holds no video" in refusal(path, clock)


def test_film_without_a_single_picture_is_refused(tmp_path: Path, clock: TurnedClock) -> None:
    """A header that promises video, and no picture behind it: an error, also with `loop`, and no endless search."""
    whole = make_film(tmp_path / "whole.avi", "-c:v", "mpeg4").read_bytes()
    path = tmp_path / "head.avi"
    path.write_bytes(whole[: whole.index(b"movi") + 4])
    refusal(path, clock)
    with pytest.raises(CameraError):
        camera_of(path, clock, loop=True).open()


def test_film_cut_off_in_the_middle_plays_to_the_cut_and_says_so(tmp_path: Path, clock: TurnedClock) -> None:
    """Half a film: its whole pictures come, then the end is told as what it is."""
    whole = make_film(tmp_path / "whole.avi", "-c:v", "mpeg4", pictures=50).read_bytes()
    path = tmp_path / "half.avi"
    path.write_bytes(whole[: len(whole) // 2])
    camera = camera_of(path, clock)
    camera.open()
    count = 0
    with pytest.raises(CameraEnded, match=r"half\.avi breaks off after .* of 5\.0 s"):
        while (frame := camera.read(1.0)) is not None:
            frame.release()
            count += 1
    assert 15 <= count <= 35


def test_mp4_without_its_index_is_refused(tmp_path: Path, clock: TurnedClock) -> None:
    """An MP4 whose recorder lost power before the index was written cannot be played by anyone."""
    whole = make_film(tmp_path / "whole.mp4", "-c:v", "libx264").read_bytes()
    path = tmp_path / "half.mp4"
    path.write_bytes(whole[: whole.index(b"moov") - 8])
    assert "cannot be read as a film" in refusal(path, clock)


def test_broken_packets_are_skipped_and_counted(tmp_path: Path, clock: TurnedClock) -> None:
    """Damage in the middle costs the damaged pictures, not the film."""
    path = make_film(tmp_path / "a.avi", "-c:v", "png", pictures=40)
    film = bytearray(path.read_bytes())
    middle = len(film) // 2
    film[middle : middle + 30] = b"\xff" * 30
    path.write_bytes(film)
    camera = camera_of(path, clock)
    count = sum(1 for _ in frames_of(camera))
    assert 37 <= count < 40
    assert camera.metrics()["broken_packets"] == 40 - count


def test_playlist_cannot_reach_the_network(tmp_path: Path, clock: TurnedClock) -> None:
    """A playlist handed in as a film opens files only."""
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    refusal(path, clock)


def test_closed_and_opened_again_it_starts_over(tmp_path: Path, clock: TurnedClock) -> None:
    """Close is idempotent, and a camera can be opened again from the first picture."""
    camera = camera_of(make_film(tmp_path / "a.avi", "-c:v", "ffv1"), clock)
    first = [samples(f.planes) for f in frames_of(camera)]
    camera.close()
    camera.close()
    assert first == [samples(f.planes) for f in frames_of(camera)]


@pytest.fixture(scope="module")
def whole_films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Small films in three containers and codecs."""
    folder = tmp_path_factory.mktemp("whole")
    made = [("a.mp4", "libx264", "yuv420p"), ("a.avi", "mjpeg", "yuvj420p"), ("a.mkv", "mpeg4", "yuv420p")]
    return [make_film(folder / name, "-c:v", codec, "-pix_fmt", fmt, pictures=6) for name, codec, fmt in made]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_broken_ends_in_a_camera_error_and_nothing_else(
    whole_films: list[Path], tmp_path: Path, data: st.DataObject
) -> None:
    """Bytes overwritten anywhere, cut anywhere: pictures of the right size, one clear error, and no other exception."""
    film = bytearray(data.draw(st.sampled_from(whole_films)).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(film) - 1))
        noise = data.draw(st.binary(min_size=1, max_size=40))
        film[at : at + len(noise)] = noise
    path = tmp_path / "broken.film"
    path.write_bytes(film[: data.draw(st.integers(1, len(film)))])
    camera = camera_of(path, TurnedClock())
    with pytest.raises(CameraError) as caught:
        camera.open()
        for _ in range(1_000):
            frame = camera.read(1.0)
            assert frame is not None
            assert frame.planes.y.shape == (96, 128)
            frame.release()
    camera.close()
    assert "broken.film" in str(caught.value)
    assert caught.value.remedy
