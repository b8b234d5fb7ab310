"""Whether errors are reported to Sentry, as whose, and what else is."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, ok, warning
from mita_otel.sentry import describe

_NOT_USED: Final = ("SENTRY_ENVIRONMENT", "SENTRY_RELEASE", "SENTRY_TRACES_SAMPLE_RATE", "MITA_SENTRY_TRANSACTIONS")


def judge(facts: Facts) -> Iterator[Judgement]:
    """Say where errors go, or why they go nowhere."""
    if facts.settings.sentry_dsn is None:
        if "SENTRY_DSN" in facts.problems:
            return  # told of as a setting that is not allowed
        useless = [name for name in _NOT_USED if facts.variables.get(name, "").strip()]
        if useless:
            yield warning(f"{useless[0]} is set and SENTRY_DSN is not: nothing is reported", "set SENTRY_DSN, too")
        else:
            yield ok("off: SENTRY_DSN is not set")
        return
    identity = describe(facts.settings, (facts.process and facts.process.resource) or {})
    host = urlsplit(facts.settings.sentry_dsn.get_secret_value()).hostname
    kept = (
        "no transactions" if identity.rates is None else f"{identity.rates.traces:.0%} of the requests as transactions"
    )
    release = f", release {identity.release}" if identity.release else ""
    yield ok(f"errors go to {host}, environment {identity.environment}{release}; {kept}")
