"""The sliding-window counter: how much of a quota is used, and when there is more; pure, in whole milliseconds.

A window begins with its first request. What was counted in the window before weighs as much as of it still lies within
the last `length` milliseconds, as if it had come evenly. So a burst is judged exactly, and otherwise the estimate is
off by at most the share of the window that has passed, times what was counted in the one before:

- never more than `limit` in one window, and never more than `limit * (1 + passed)`, rounded up, in any `length`
  milliseconds, where `passed` is the share of the newest window that has passed, this millisecond included;
- over time never more than `limit` for each `length`, and once `limit` more.

Everything is whole numbers, so that the script in Redis, whose numbers are doubles, decides the same to the last bit.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

LARGEST_QUOTA: Final = 1_000_000
LONGEST_WINDOW: Final = 31 * 86_400
"""Seconds. Quota times milliseconds stays below 2 to the 53rd, where doubles begin to skip numbers."""


class Window(NamedTuple):
    """What is kept of one client under one policy.

    Attributes:
        began: when the window began, in milliseconds of whichever clock counts.
        before: counted in the window before it.
        counted: counted in it.
    """

    began: int
    before: int
    counted: int


class Terms(NamedTuple):
    """What is allowed: `limit` of whatever is counted in `length` milliseconds."""

    limit: int
    length: int


class Decision(NamedTuple):
    """What became of a request under one policy, and what is left.

    Attributes:
        is_allowed: whether the quota has room for it.
        limit: the quota.
        remaining: what is left of it, after the request if that was admitted.
        renews_in: milliseconds until there is more than that; 0 if the quota is whole.
        retry_in: milliseconds until the same request would be allowed; 0 if it is.
    """

    is_allowed: bool
    limit: int
    remaining: int
    renews_in: int
    retry_in: int


def current(window: Window | None, now: int, length: int) -> Window:
    """Return the window as it is now; None is a client that nothing is known of.

    After a clock has gone back, the window begins again with what it holds: nothing is forgotten, and nothing is held
    for longer than two windows.
    """
    if window is None or now - window.began >= 2 * length:
        return Window(now, 0, 0)
    if now < window.began:
        return window._replace(began=now)
    if now - window.began >= length:
        return Window(window.began + length, window.counted, 0)
    return window


def has_room(window: Window, now: int, cost: int, terms: Terms) -> bool:
    """Say whether a current window has room: `floor(weighted) + cost <= limit`, in whole numbers."""
    limit, length = terms
    return window.before * _overlap(window, now, length) < (limit - cost - window.counted + 1) * length


def describe(window: Window, now: int, cost: int, terms: Terms, *, is_allowed: bool) -> Decision:
    """Return the decision that a current window, after the request, tells of.

    Args:
        window: with the request, if it was counted.
        now: milliseconds of the same clock.
        cost: of the request; above the limit, the wait is for the whole quota.
        terms: what is allowed.
        is_allowed: whether there was room.
    """
    limit, length = terms
    remaining = limit - window.counted
    if window.before:
        remaining -= window.before * _overlap(window, now, length) // length
    remaining = max(0, remaining)
    renews_in = 0 if remaining == limit else _wait(window, now, remaining + 1, terms)
    retry_in = 0 if is_allowed else renews_in if cost == remaining + 1 else _wait(window, now, min(cost, limit), terms)
    return Decision(is_allowed, limit, remaining, renews_in, retry_in)


def judge(
    windows: Sequence[Window | None], now: int, cost: int, terms: Sequence[Terms]
) -> tuple[list[Window], list[Decision]]:
    """Admit a request if each of its policies has room; only then is it counted, and by all of them.

    Args:
        windows: what is kept of the request's client, a policy each.
        now: milliseconds; a clock that goes back is borne.
        cost: what the request takes of each quota, 0 and above; more than a limit never fits.
        terms: what each policy allows.

    Returns:
        What to keep, and the decisions, in the same order.
    """
    held: list[Window] = []
    room: list[bool] = []
    for window, each in zip(windows, terms, strict=True):
        now_held = current(window, now, each.length)
        held.append(now_held)
        room.append(has_room(now_held, now, cost, each))
    if all(room):
        held = [Window(began, before, counted + cost) for began, before, counted in held]
    decisions = [
        describe(window, now, cost, each, is_allowed=fits) for window, each, fits in zip(held, terms, room, strict=True)
    ]
    return held, decisions


def _overlap(window: Window, now: int, length: int) -> int:
    """Return the milliseconds of the window before that are among the last `length`, of which `now` is the newest."""
    return length - 1 - now + window.began


def counting(window: Window, cost: int) -> Window:
    """Return the window with a cost counted."""
    return Window(window.began, window.before, window.counted + cost)


def _wait(window: Window, now: int, need: int, terms: Terms) -> int:
    """Return the milliseconds until there is room for `need`, at most the limit, if nothing else comes."""
    limit, length = terms
    elapsed = now - window.began
    free = limit - need - window.counted + 1
    if free > 0:
        return max(0, _elapsed_at(window.before, free, length) - elapsed)
    # Not before the next window, in which what is counted now is what came before.
    return length - elapsed + _elapsed_at(window.counted, limit - need + 1, length)


def _elapsed_at(before: int, free: int, length: int) -> int:
    """Return the first millisecond of a window at which what came before it weighs less than `free`."""
    return 0 if before < free else max(0, (before * (length - 1) - free * length) // before + 1)
