"""What Redis has told of hours, kept as far as it is looked at again."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from mita_otel.slo.archive import Archive, Slice
from mita_otel.slo.shared.texts import Replica, read, replicas
from mita_otel.slo.windows import DAY, HOUR, MINUTE

REREAD_EVERY: Final = 60
"""Rounds after which all minutes of a day are read again, for what was told late: ten minutes."""

_MINUTES: Final = 25
"""Hours whose minutes are looked at: a day, and the hour that it begins in."""
_HOURS: Final = 32 * DAY // HOUR


class Hours:
    """Counts by minute and hour.

    Args:
        names: short names of the objectives, in their order.
    """

    __slots__ = ("_fine", "_hours", "_latest", "_places", "_rounds", "replicas")

    def __init__(self, names: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._fine: dict[int, Slice] = {}
        self._hours: dict[int, Slice] = {}
        self._rounds = 0
        self._latest = 0
        self.replicas: dict[str, Replica] = {}

    @property
    def began(self) -> float | None:
        """Since when something is known, in seconds since the epoch; None where nothing is."""
        first = [*(slot * HOUR for slot in self._hours), *(slot * MINUTE for slot in self._fine)]
        return float(min(first)) if first else None

    def wanted(self, hour: int) -> tuple[Sequence[int], Sequence[int]]:
        """Return the hours that are to be read whole, and those of which the sum is enough.

        Args:
            hour: the one under way.
        """
        if self._rounds % REREAD_EVERY == 0:
            older = () if self._rounds else range(hour - _HOURS, hour - _MINUTES)
            return range(hour - _MINUTES, hour + 1), older
        return range(hour - 1, hour + 1), ()

    def learn(self, hour: int, whole: Mapping[int, Mapping[str, str]], sums: Mapping[int, str | None]) -> None:
        """Take note of what was read.

        Args:
            hour: the one under way.
            whole: fields by hour.
            sums: texts by hour.
        """
        for slot, fields in whole.items():
            for minute in range(60):
                self._keep(self._fine, slot * 60 + minute, fields.get(str(minute)), watched=_by_anybody)
            self._keep(self._hours, slot, fields.get("all"))
        for slot, text in sums.items():
            self._keep(self._hours, slot, text)
        self.replicas = _latest([whole[each] for each in (hour - 1, hour)])
        for kept, oldest in ((self._fine, (hour - _MINUTES) * 60), (self._hours, hour - _HOURS)):
            for slot in [slot for slot in kept if slot < oldest]:
                del kept[slot]
        self._latest = hour
        self._rounds += 1

    def archive(self, step: int, until: float) -> Archive | None:
        """Return what is known; None where nothing was read yet."""
        if not self._rounds:
            return None
        present = sum(not each.left and until - each.at <= HOUR for each in self.replicas.values())
        return Archive(
            size=len(self._places),
            source="redis",
            until=until,
            step=step,
            fine=self._fine,
            fine_from=(self._latest - _MINUTES) * HOUR,
            hours=self._hours,
            replicas=max(present, 1),
        )

    def _keep(
        self, kept: dict[int, Slice], slot: int, text: str | None, watched: Callable[[Slice], Slice] = lambda each: each
    ) -> None:
        found = read(text, self._places, 60) if text is not None else None
        if found is None:
            return
        before = kept.get(slot)
        # Counts only grow: of what has become less, something was lost.
        if before is None or sum(before.cells) <= sum(found.cells):
            kept[slot] = watched(found)


def _by_anybody(slice_: Slice) -> Slice:
    return Slice(slice_.cells, 1.0)


def _latest(hours: Sequence[Mapping[str, str]]) -> dict[str, Replica]:
    found: dict[str, Replica] = {}
    for fields in hours:
        for name, replica in replicas(fields):
            known = found.get(name)
            found[name] = replica if known is None or replica.at >= known.at else known
    return found
