"""Quotas within one process: what counts without Redis, and this process's share of them while Redis is away."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from mita_otel.ratelimit.window import Decision, Terms, Window, counting, current, judge

BYTES_A_CLIENT: Final = 300
"""Memory of one remembered client, at most."""

CLIENTS: Final = 20_000
"""Clients of one policy that are remembered: 6 MB at most."""


def share(terms: Terms, replicas: int) -> Terms:
    """Return the part of a quota that one of several replicas may give away.

    All of them together give away less than one request each more than the quota.
    """
    return Terms(-(-terms.limit // replicas), terms.length)


class LocalWindows:
    """The windows of clients, a policy each; the client that was seen longest ago makes room for a new one.

    A flood of clients under one policy costs no other policy its memory.

    Args:
        policies: their names.
        capacity: clients of each.
        evicted: told the policy of each client that is forgotten to make room.
    """

    __slots__ = ("_capacity", "_evicted", "_windows")

    def __init__(
        self, policies: Iterable[str], capacity: int = CLIENTS, evicted: Callable[[str], None] = lambda _: None
    ) -> None:
        self._windows: dict[str, OrderedDict[bytes, Window]] = {name: OrderedDict() for name in policies}
        self._capacity = capacity
        self._evicted = evicted

    def take(self, keys: Sequence[tuple[str, bytes]], terms: Sequence[Terms], cost: int, now: int) -> list[Decision]:
        """Judge a request and count it if every policy has room.

        Args:
            keys: the policy and the client's digest, for each quota.
            terms: what is allowed.
            cost: of the request.
            now: milliseconds of the process's monotonic clock.
        """
        windows = [self._windows[policy].get(client) for policy, client in keys]
        held, decisions = judge(windows, now, cost, terms)
        for (policy, client), window in zip(keys, held, strict=True):
            if window.counted or window.before:
                self._keep(policy, client, window)
        return decisions

    def note(self, keys: Sequence[tuple[str, bytes]], terms: Sequence[Terms], cost: int, now: int) -> None:
        """Count what Redis has admitted, so that this process knows its own part of it when Redis is away."""
        for (policy, client), each in zip(keys, terms, strict=True):
            window = current(self._windows[policy].get(client), now, each.length)
            self._keep(policy, client, counting(window, cost))

    def remembered(self, policy: str) -> int:
        """Return how many clients of a policy are remembered."""
        return len(self._windows[policy])

    def _keep(self, policy: str, client: bytes, window: Window) -> None:
        windows = self._windows[policy]
        if client not in windows and len(windows) >= self._capacity:
            windows.popitem(last=False)
            self._evicted(policy)
        windows[client] = window
        windows.move_to_end(client)
