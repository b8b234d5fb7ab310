"""Rules for the dependencies that the report names. Source: observability report, 2.3 and 5.3.

To change one, `dataclasses.replace(OPENAI.policy, open_seconds=30)`; nonsense is refused with the field's name.
"""

from typing import Final, NamedTuple

from mita_otel.breakers.policy import Policy


class Preset(NamedTuple):
    """What is known about a kind of dependency.

    Attributes:
        policy: of its breaker.
        timeout_seconds: for one call, which stands inside the breaker: `breaker(timeout(call))`.
        max_retries: further attempts, which stand outside: `retry(breaker(...))`.
    """

    policy: Policy
    timeout_seconds: float
    max_retries: int


OPENAI: Final = Preset(Policy(failure_threshold=3), timeout_seconds=60.0, max_retries=2)
"""A language model may take its time."""

GOOGLE_OAUTH: Final = Preset(Policy(failure_threshold=5), timeout_seconds=10.0, max_retries=3)

EXTERNAL: Final = Preset(Policy(failure_threshold=4), timeout_seconds=30.0, max_retries=2)
"""Any other API."""
