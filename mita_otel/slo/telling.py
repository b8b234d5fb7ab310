"""Tells the objectives of this process, if it has any, what happened; imports nothing that those without would pay for.

from mita_otel import slo

slo.event("notifications", good=delivered_at - created_at <= timedelta(minutes=5))
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mita_otel.slo.running import Objectives

OBJECTIVES: Final[list["Objectives"]] = []
"""Those of this process: none, or one. For who asks at each request; others ask `current`."""


def current() -> "Objectives | None":
    """Return the objectives of this process; None where it has none."""
    return OBJECTIVES[0] if OBJECTIVES else None


def use(objectives: "Objectives | None") -> None:
    """Count for these objectives from now on; for none without."""
    OBJECTIVES[:] = [] if objectives is None else [objectives]


def event(name: str, *, good: bool) -> None:
    """Tell that something happened as promised, or that it did not.

    It counts for each objective whose `events` name it; for none it does nothing.

    Args:
        name: of the event.
        good: whether it was as promised.
    """
    objectives = current()
    if objectives is not None:
        objectives.events.event(name, good=good)


@contextmanager
def outcome_of(name: str) -> Iterator[None]:
    """Tell, as the block ends, that something happened as promised, or that it did not where an exception leaves it.

    One that was cancelled tells nothing.

    Args:
        name: of the event.
    """
    try:
        yield
    except Exception:
        event(name, good=False)
        raise
    event(name, good=True)
