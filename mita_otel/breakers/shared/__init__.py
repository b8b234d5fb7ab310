"""State that the breakers of several processes share, through Redis.

    from mita_otel.breakers.shared import RedisCircuits

    circuits = RedisCircuits("redis://127.0.0.1:6379/0")
    openai = CircuitBreaker("openai", OPENAI.policy, shared=circuits)

Sharing is a choice for each breaker: a fault of one host's network must not open it for all of them.
"""

from mita_otel.breakers.shared.circuits import RedisCircuits

__all__ = ["RedisCircuits"]
