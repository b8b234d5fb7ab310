"""What is set about rate limits."""

import re
from ipaddress import ip_network
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field

from mita_otel.settings.values import Part, lower, split

_QUOTA: Final = r"([a-z][a-z0-9_]*)=([0-9]{1,7})/([0-9]{1,7})"


class Quota(NamedTuple):
    """Another quota for a policy."""

    name: str
    quota: Annotated[int, Field(ge=1, le=1_000_000)]
    window: Annotated[int, Field(ge=1, le=2_678_400)]


def _proxies(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value != "unix":
            ip_network(value, strict=False)
    return values


def _quotas(value: object) -> object:
    """Return the quotas and windows of a text such as `login=20/900, api=5000/3600`; anything else as it is."""
    parts = split(value)
    if not isinstance(value, str) or not isinstance(parts, tuple):
        return value
    found = [re.fullmatch(_QUOTA, part) for part in parts]
    if not all(found):
        raise ValueError("name=quota/seconds, separated by commas")
    return tuple(Quota(match[1], int(match[2]), int(match[3])) for match in found if match)


class RateLimitSettings(Part):
    """Settings of rate limits."""

    rate_limiting: bool = Field(
        default=True,
        alias="MITA_RATE_LIMITING",
        title="false: nothing is counted and nobody blocked, for load tests",
        description="true or false",
    )
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(split), AfterValidator(_proxies)] = Field(
        default=(),
        alias="MITA_TRUSTED_PROXIES",
        title="who may say, in a header, on whose behalf a request comes",
        description="addresses and CIDR networks separated by commas, `unix` for a Unix socket",
    )
    forwarded_header: Annotated[Literal["x-forwarded-for", "forwarded"], BeforeValidator(lower)] = Field(
        default="x-forwarded-for",
        alias="MITA_FORWARDED_HEADER",
        title="the one header in which the trusted proxies write the client's address",
        description="x-forwarded-for or forwarded",
    )
    rate_limits: Annotated[tuple[Quota, ...], BeforeValidator(_quotas)] = Field(
        default=(),
        alias="MITA_RATE_LIMITS",
        title="other quotas than the code's, for policies that it has",
        description="name=quota/seconds separated by commas, up to 1000000 and 31 days",
    )
    rate_limit_timeout: float = Field(
        default=0.05,
        ge=0.005,
        le=0.25,
        alias="MITA_RATE_LIMIT_TIMEOUT",
        title="silence of Redis after which a policy's fallback decides; a request waits twice as long at most",
        description="seconds between 0.005 and 0.25",
    )
    rate_limit_replicas: int = Field(
        default=1,
        ge=1,
        le=10_000,
        alias="MITA_RATE_LIMIT_REPLICAS",
        title="processes among which quotas are divided while Redis is away, where more are not known of",
        description="processes between 1 and 10000",
    )
    rate_limit_clients: int = Field(
        default=20_000,
        ge=100,
        le=1_000_000,
        alias="MITA_RATE_LIMIT_CLIENTS",
        title="clients of one policy that a process remembers; the one seen longest ago makes room",
        description="clients between 100 and 1000000",
    )
    rate_limit_legacy_headers: bool = Field(
        default=False,
        alias="MITA_RATE_LIMIT_LEGACY_HEADERS",
        title="answers carry X-RateLimit-Limit, -Remaining and -Reset too",
        description="true or false",
    )
