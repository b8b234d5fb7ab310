"""Rate limits: who may ask how often, over all replicas, told in the headers of the IETF's draft.

from mita_otel.ratelimit import Limiter, RateLimits

app.add_middleware(RateLimits, limiter=Limiter(secret=secret, redis=client))
"""

from mita_otel.ratelimit.limiter import Limiter
from mita_otel.ratelimit.limits import REPORT, Policy
from mita_otel.ratelimit.middleware import LimitedError, RateLimits, charge
from mita_otel.ratelimit.report import report
from mita_otel.ratelimit.routes import Routes, parsed, path_of

__all__ = [
    "REPORT",
    "LimitedError",
    "Limiter",
    "Policy",
    "RateLimits",
    "Routes",
    "charge",
    "parsed",
    "path_of",
    "report",
]
