"""What clients are told: `RateLimit-Policy`, `RateLimit` and `Retry-After`, and the older names where asked for.

Source: draft-ietf-httpapi-ratelimit-headers-11, sections 3, 4 and 6.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from mita_otel.ratelimit.window import Decision

Headers = list[tuple[bytes, bytes]]

_POLICY: Final = b"ratelimit-policy"
_LIMIT: Final = b"ratelimit"


class Told(NamedTuple):
    """One policy as a client is told of it: its name, its window in seconds, and what became of the request."""

    name: str
    window: int
    decision: Decision


def fields(told: Sequence[Told], *, legacy: bool = False) -> Headers:
    """Return the headers for the policies that a request has met; none for none.

    Args:
        told: the policies; their names are ASCII without quotes.
        legacy: whether `X-RateLimit-Limit`, `-Remaining` and `-Reset` tell of the policy with the least left, too.
    """
    if not told:
        return []
    policies = ", ".join(f'"{name}";q={decision.limit};w={window}' for name, window, decision in told)
    limits = ", ".join(f'"{name}";r={decision.remaining};t={seconds(decision.renews_in)}' for name, _, decision in told)
    found = [(_POLICY, policies.encode()), (_LIMIT, limits.encode())]
    return found + _legacy(told) if legacy else found


def retry_after(decisions: Iterable[Decision]) -> int:
    """Return the seconds to wait, at least 1: no blocked policy admits the request earlier, nor says so in its `t`."""
    return max((max(1, seconds(max(each.retry_in, each.renews_in))) for each in decisions), default=1)


def seconds(milliseconds: int) -> int:
    """Return whole seconds, rounded up: whoever waits so long has waited long enough."""
    return -(-milliseconds // 1000)


def _legacy(told: Sequence[Told]) -> Headers:
    tightest = min((each.decision for each in told), key=lambda decision: decision.remaining / decision.limit)
    renewed_at = int(time.time()) + seconds(tightest.renews_in)
    return [
        (b"x-ratelimit-limit", str(tightest.limit).encode()),
        (b"x-ratelimit-remaining", str(tightest.remaining).encode()),
        (b"x-ratelimit-reset", str(renewed_at).encode()),
    ]
