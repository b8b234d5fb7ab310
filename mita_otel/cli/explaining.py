"""`mita-otel slo explain`: asks who spent the budgets, and shows it."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from mita_otel.settings import Settings

PATH: Final = "/slo/explain"

_TIMEOUT: Final = 15.0
"""Seconds: the service may ask Prometheus in its turn."""
_LARGEST: Final = 20_000_000

_MEANINGS: Final = {
    401: "MITA_ADMIN_TOKEN is not the service's",
    404: "the service has no MITA_ADMIN_TOKEN or no MITA_SLO_FILE, or lacks SloEndpoint",
    429: "somebody else is asking; ask again",
}


def ask(url: str, settings: Settings, slo: str | None, window: str | None) -> Mapping[str, Any]:
    """Return what a service answers.

    Args:
        url: of the service.
        settings: hold the administrators' token.
        slo: id of an objective; None for all.
        window: such as `6h`; None for each objective's period.

    Raises:
        ValueError: it does not tell; says why.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError("its URL begins with http:// or https://")
    if settings.admin_token is None:
        raise ValueError("set MITA_ADMIN_TOKEN to the service's token, 16 or more characters")
    query = urlencode({name: value for name, value in (("slo", slo), ("window", window)) if value is not None})
    request = urllib.request.Request(  # noqa: S310 - http and https alone, see above
        f"{url.rstrip('/')}{PATH}?{query}",
        headers={"Authorization": f"Bearer {settings.admin_token.get_secret_value()}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 - as above
            told = json.loads(answer.read(_LARGEST))
    except urllib.error.HTTPError as error:
        with error:
            raise ValueError(_reason(error)) from error
    except (OSError, http.client.HTTPException) as error:
        raise ValueError(str(getattr(error, "reason", None) or error)) from error
    if not isinstance(told, dict) or "slos" not in told:
        raise ValueError("it answers with something else")
    return told


def _reason(error: urllib.error.HTTPError) -> str:
    """Return why a service refused: in its own words, where those are ours."""
    try:
        return str(json.loads(error.read(_LARGEST))["error"])
    except (ValueError, TypeError, KeyError):
        return _MEANINGS.get(error.code, f"it answers {error.code}")


def lines(told: Mapping[str, Any], top: int) -> Iterator[str]:
    """Yield the lines that a person reads.

    Args:
        told: what was answered.
        top: contributors of each dimension that are shown.
    """
    whom = f"by what {told['source']} says of the {told['scope']}"
    if not told["slos"]:
        yield f"no budget was spent, {whom}"
        return
    yield f"what spent the budgets, {whom}"
    for each in told["slos"]:
        yield ""
        yield _head(each)
        for dimension, contributors in each["contributors"].items():
            for contributor in contributors[:top]:
                yield _line(dimension, contributor)
            if len(contributors) > top:
                yield f"  {dimension:<10}  and {len(contributors) - top} more"
        trace = next(_traces(each), None)
        if trace is not None:
            yield f"  look at     {trace}"


def _head(each: Mapping[str, Any]) -> str:
    spent, watched = each["spent_ratio"], each["coverage"]
    share = "" if spent is None else f": {spent:.1%} of the budget"
    seen = "" if watched is None else f"; {watched:.0%} of {each['window']['period']} was watched"
    return f"{each['id']}{share}, {each['bad']:g} bad events of {each['total']:g}{seen}"


def _line(dimension: str, contributor: Mapping[str, Any]) -> str:
    return f"  {dimension:<10}  {contributor['share']:>6.1%}  {contributor['bad']:>7g}  {contributor['contributor']}"


def _traces(each: Mapping[str, Any]) -> Iterator[str]:
    """Yield where traces of an objective's biggest contributors can be looked at."""
    for contributors in each["contributors"].values():
        for contributor in contributors[:1]:
            for trace in contributor["traces"]:
                yield trace["url"] or trace["trace_id"]
