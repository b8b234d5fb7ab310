"""Circuit breakers: a dependency that fails is left alone until it has had time to recover.

from mita_otel.breakers import OPENAI, CircuitBreaker

openai = CircuitBreaker("openai", OPENAI.policy)

@openai
async def complete(prompt: str) -> str:
    ...
"""

from mita_otel.breakers.breaker import CircuitBreaker
from mita_otel.breakers.errors import CallNotPermittedError, CircuitOpenError, retry_after, retry_after_headers
from mita_otel.breakers.ledger import Statistics, Transition
from mita_otel.breakers.policy import Policy
from mita_otel.breakers.presets import EXTERNAL, GOOGLE_OAUTH, OPENAI, Preset
from mita_otel.breakers.registry import REGISTRY, Registry
from mita_otel.breakers.states import Outcome, Override, Reason, State
from mita_otel.breakers.verdicts import Verdict

__all__ = [
    "EXTERNAL",
    "GOOGLE_OAUTH",
    "OPENAI",
    "REGISTRY",
    "CallNotPermittedError",
    "CircuitBreaker",
    "CircuitOpenError",
    "Outcome",
    "Override",
    "Policy",
    "Preset",
    "Reason",
    "Registry",
    "State",
    "Statistics",
    "Transition",
    "Verdict",
    "retry_after",
    "retry_after_headers",
]
