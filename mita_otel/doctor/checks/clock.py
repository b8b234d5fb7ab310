"""Clocks that do not agree put spans in the wrong order and data out of sight."""

from collections.abc import Iterator
from typing import Final

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, error, ok, warning

NOTICEABLE: Final = 5.0
"""Seconds: above the second that an HTTP date and a slow answer can be wrong by."""

HARMFUL: Final = 60.0
"""Seconds: rules over a minute or five then look at another time than the service wrote at."""


def judge(facts: Facts) -> Iterator[Judgement]:
    """Compare our clock with those of whoever answered."""
    told = {
        **{look.url: look.ahead for look in facts.looks if look.ahead is not None},
        **{sent.endpoint.destination: sent.ahead for sent in facts.deliveries if sent.ahead is not None},
    }
    if not told:
        return
    destination, ahead = max(told.items(), key=lambda item: abs(item[1]))
    if abs(ahead) < NOTICEABLE:
        yield ok(f"agrees with that of {destination} within {NOTICEABLE:.0f} s")
        return
    made = error if abs(ahead) >= HARMFUL else warning
    direction = "ahead of" if ahead > 0 else "behind"
    yield made(
        f"the clock of {destination} is {abs(ahead):.0f} s {direction} this host's",
        "synchronise the clocks of both hosts (chronyc tracking, timedatectl); a container has its host's clock",
    )
