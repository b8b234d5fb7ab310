"""Which attempt it is that runs: for the span of a request that is sent again."""

from contextvars import ContextVar
from typing import Final

_retry: ContextVar[int] = ContextVar("mita_retry", default=0)

number: Final = _retry.get
"""Return how often what runs has been tried before: 0 for a first attempt, and outside of retries."""

begin: Final = _retry.set
end: Final = _retry.reset
