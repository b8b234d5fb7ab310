"""What retries are doing in this process, for administrators."""

from dataclasses import asdict

import orjson

from mita_otel.retries.ledger import REGISTRY, Registry


def report(registry: Registry = REGISTRY) -> bytes:
    """Return, as JSON, what was done for each dependency: calls, attempts, amplification, budget, what was given up."""
    told = [{"dependency": name, **asdict(each)} for name, each in registry.statistics().items()]
    return orjson.dumps({"scope": "process", "retries": told})
