"""When the frames of a film are shown: in the order in which they were coded to be shown, each at an instant of its own."""

from __future__ import annotations

from agent.base.phrase import say
from agent.evidence.oddity import Oddity
from agent.evidence.sample import Sample
from agent.evidence.slice_header import SliceHeader

_MOST_DELAY_S = 30
_MOST_DURATION = 1 << 31
# Live streams count from 1970.
_LATEST_S = 200 * 366 * 86_400
_MOST_PICTURES_A_SECOND = 500


class Timeline:
    """Takes frames in decoding order. Holds those since the last IDR picture. One thread.

    Decoders put frames out by their order count, some players sort them again by the container's times, and drop one of two
    that are due at once: so both must agree, or players show different films.
    """

    def __init__(self, timescale: int) -> None:
        self._timescale = timescale
        self._count = 0
        self._first_shown: int | None = None
        self._since_idr: list[tuple[int, int, int]] = []
        self._latest_shown: int | None = None
        self._latest_decoded: int | None = None
        self._order = PictureOrder()

    def take(self, picture: int, sample: Sample, header: SliceHeader) -> list[Oddity]:
        """What is odd about this frame's time, or about those before the IDR picture that it is."""
        found: list[Oddity] = []
        if header.picture.idr:
            found += self.finish()
        where = say("picture {number}", number=picture)
        if self._latest_decoded is not None and sample.decoded < self._latest_decoded:
            found.append(Oddity(where, say("is dated before the one that it follows: players put it elsewhere")))
        if abs(sample.shown - sample.decoded) > _MOST_DELAY_S * self._timescale:
            found.append(Oddity(where, say("is shown far from its place: players disagree on when")))
        if sample.decoded > _LATEST_S * self._timescale:
            found.append(Oddity(where, say("is dated beyond any film: players disagree on when")))
        if sample.duration >= _MOST_DURATION:
            found.append(Oddity(where, say("lasts longer than any: players disagree on how long")))
        self._latest_decoded = sample.decoded
        self._since_idr.append((self._order.of(header), sample.shown, picture))
        return found

    def end(self) -> list[Oddity]:
        """The film is over. Bursts may be close together, a whole film may not."""
        found = self.finish()
        lasts = (self._latest_shown or 0) - (self._first_shown or 0)
        if self._count > 1 and lasts * _MOST_PICTURES_A_SECOND < (self._count - 1) * self._timescale:
            found.append(Oddity("moov/trak/mdia/mdhd", say("plays faster than any screen: players leave out most pictures")))
        return found

    def finish(self) -> list[Oddity]:
        """The frames since the last IDR picture are all there: are they shown in their order?"""
        found: list[Oddity] = []
        self._count += len(self._since_idr)
        if self._first_shown is None and self._since_idr:
            self._first_shown = min(shown for _, shown, _ in self._since_idr)
        latest = self._latest_shown
        for _, shown, picture in sorted(self._since_idr):
            if latest is not None and shown <= latest:
                found.append(
                    Oddity(
                        say("picture {number}", number=picture),
                        say("is not shown in the order it was coded for: players show another film"),
                    )
                )
                break
            latest = shown
        if self._since_idr:
            shown_last = max(shown for _, shown, _ in self._since_idr)
            self._latest_shown = shown_last if self._latest_shown is None else max(self._latest_shown, shown_last)
        self._since_idr.clear()
        return found


class PictureOrder:
    """Counts frames in the order in which they are put out (8.2.1), which is decoding order where nothing is reordered."""

    def __init__(self) -> None:
        self._before = (0, 0)
        self._decoded = 0

    def of(self, header: SliceHeader) -> int:
        """The place of the next frame, among those since the last IDR picture."""
        self._decoded = 0 if header.picture.idr else self._decoded + 1
        if header.sequence.order_kind != 0:
            return self._decoded
        size = 1 << header.sequence.order_bits
        most, least = (0, 0) if header.picture.idr else self._before
        now = header.picture.order
        if now < least and least - now >= size // 2:
            most += size
        elif now > least and now - least > size // 2:
            most -= size
        if header.picture.reference:
            self._before = (most, now)
        return most + now
