"""Spans of time: the windows that burn is measured over, and the periods that budgets are for."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Literal, TypeAlias

MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400

WINDOWS: Final = {
    "5m": 5 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "6h": 6 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
}
"""Seconds of each window that burn is measured over, by its name."""

_UNITS: Final = {"ms": 0.001, "s": 1, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_DURATION: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|[smhdw])", re.ASCII)

Unit: TypeAlias = Literal["week", "month"]
"""What a calendar is divided into."""

_CALENDAR: Final = re.compile(r"(week|month)(?: (\S{1,64}))?", re.ASCII)
_MOST_DAYS: Final = 366


def seconds(text: str) -> float:
    """Return the seconds of a duration such as `200ms`, `5m` or `30d`.

    Raises:
        ValueError: it is none, or not above zero.
    """
    match = _DURATION.fullmatch(text)
    length = 0.0 if match is None else float(match[1]) * _UNITS[match[2]]
    if length <= 0:
        raise ValueError(f"{text!r} is no duration: write a number and ms, s, m, h, d or w")
    return round(length, 9)


def shortly(length: float) -> str:
    """Return a length of whole seconds in its largest whole unit, such as `6h`."""
    unit = next(unit for unit in ("d", "h", "m", "s") if length % _UNITS[unit] == 0)
    return f"{int(length // _UNITS[unit])}{unit}"


@dataclass(frozen=True, slots=True)
class Rolling:
    """The last so many seconds, whenever one looks."""

    length: int

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """Return where the period that holds a moment begins and ends."""
        return now - timedelta(seconds=self.length), now

    def seconds(self, now: datetime) -> float:
        """Return its length; the same whenever one looks."""
        del now
        return float(self.length)

    def elapsed(self, now: datetime) -> float:
        """Return the share that is over: all of it, always."""
        del now
        return 1.0


@dataclass(frozen=True, slots=True)
class Calendar:
    """Weeks or months as people count them, in the time of a place.

    A day there may have 23 or 25 hours; lengths are of time as it passes, so that a share of one is a share of what a
    clock counts.
    """

    unit: Unit
    zone: tzinfo = UTC

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """Return where the period that holds a moment begins and ends, in UTC."""
        local = now.astimezone(self.zone)
        day = datetime(local.year, local.month, local.day)  # noqa: DTZ001 - a day, which gets its zone below
        start = self._first(day)
        return self._moment(start), self._moment(self._next(start))

    def seconds(self, now: datetime) -> float:
        """Return the length of the period that holds a moment."""
        start, end = self.bounds(now)
        return (end - start).total_seconds()

    def elapsed(self, now: datetime) -> float:
        """Return the share of it that is over, 0 to 1."""
        start, end = self.bounds(now)
        return (now - start) / (end - start)

    def _first(self, day: datetime) -> datetime:
        return day - timedelta(days=day.weekday()) if self.unit == "week" else day.replace(day=1)

    def _next(self, start: datetime) -> datetime:
        if self.unit == "week":
            return start + timedelta(days=7)
        years, month = divmod(start.month, 12)
        return start.replace(year=start.year + years, month=month + 1)

    def _moment(self, local: datetime) -> datetime:
        # Where midnight does not exist, as on some days in Cairo, the day begins an hour later: UTC's way says so.
        return local.replace(tzinfo=self.zone).astimezone(UTC)


Period: TypeAlias = Rolling | Calendar
"""What a budget is for."""


def period_text(period: Period) -> str:
    """Return a period in a word or two: `30d`, `month` of UTC, `week Europe/Berlin`."""
    if isinstance(period, Rolling):
        return shortly(period.length)
    return period.unit if period.zone is UTC else f"{period.unit} {period.zone}"


def period_of(text: str) -> Period:
    """Return the period that such words name.

    Raises:
        ValueError: they name none.
    """
    calendar = _CALENDAR.fullmatch(text)
    if calendar is None:
        length = seconds(text)
        if not 1 <= length <= _MOST_DAYS * DAY:
            raise ValueError(f"{text!r} is no period: it is longer than a year, or shorter than a second")
        return Rolling(int(length))
    unit: Unit = "week" if calendar[1] == "week" else "month"
    return Calendar(unit, UTC if calendar[2] in {None, "UTC"} else _zone(calendar[2]))


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - 5 ms, for calendars alone

    try:
        return ZoneInfo(name)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone of the IANA's list") from error
