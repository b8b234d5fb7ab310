"""What rate limits are doing in this process, for administrators."""

from typing import Any

import orjson

from mita_otel.ratelimit.limiter import Limiter, limiters


def report() -> bytes:
    """Return, as JSON, the limiters of this process: their policies, state, and the clients that they block most.

    Clients are told by a keyed digest. `blocked_at_least` and `blocked_at_most` differ where more clients were blocked
    than are kept apart.
    """
    return orjson.dumps({"scope": "process", "limiters": [_told(limiter) for limiter in list(limiters)]})


def _told(limiter: Limiter) -> dict[str, Any]:
    return {
        "backend": limiter.state(),
        "replicas": limiter.replicas(),
        "policies": [
            {
                "name": policy.name,
                "quota": policy.quota,
                "user_quota": policy.user_quota,
                "window_seconds": policy.window,
                "key": policy.key,
                "on_failure": policy.on_failure,
                "routes": list(policy.routes),
                "requests": limiter.statistics.requests(policy.name),
            }
            for policy in limiter.policies.values()
        ],
        "blocked": limiter.offenders.all.total,
        "offenders": [
            {**found.key._asdict(), "blocked_at_least": found.at_least, "blocked_at_most": found.at_most}
            for found in limiter.offenders.all.top()
        ],
    }
