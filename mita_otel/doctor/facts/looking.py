"""Looks for the probe span where it should arrive: in the console and in Jaeger, both by Jaeger's API."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

from mita_otel.doctor.direct import DIRECT
from mita_otel.doctor.facts.delivery import seconds_ahead
from mita_otel.doctor.facts.model import Look
from mita_otel.redaction import redact_url
from mita_otel.settings import Settings

PATIENCE: Final = 8.0
"""Seconds until a span that was accepted should be found: collectors and storages gather batches for a second or so,
and a busy machine takes its time."""

_PAUSE: Final = 0.1
_TIMEOUT: Final = 2.0
_ANSWER_LIMIT: Final = 1024 * 1024
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class _Place:
    where: Literal["console", "Jaeger"]
    url: str
    variable: str
    headers: Mapping[str, str]


def look(settings: Settings, variables: Mapping[str, str], trace_id: int) -> tuple[Look, ...]:
    """Look for the trace in both places, until it is found in one or nothing more is to be expected."""
    places = _places(settings, variables)
    began = time.monotonic()
    while True:
        with ThreadPoolExecutor(max_workers=len(places)) as pool:
            looks = tuple(pool.map(lambda place: _ask(place, variables, trace_id, began), places))
        if any(one.found for one in looks) or not any(one.answers for one in looks):
            return looks
        if time.monotonic() - began > PATIENCE:
            return looks
        time.sleep(_PAUSE)


def _places(settings: Settings, variables: Mapping[str, str]) -> tuple[_Place, ...]:
    token = variables.get("MITA_CONSOLE_TOKEN", "").strip()
    return (
        _Place(
            "console",
            settings.console_url,
            "MITA_CONSOLE_URL",
            {"Authorization": f"Bearer {token}"} if token else {},
        ),
        _Place("Jaeger", settings.jaeger_url, "MITA_JAEGER_URL", {}),
    )


def _ask(place: _Place, variables: Mapping[str, str], trace_id: int, began: float) -> Look:
    asked = time.time()
    found, date = _trace(place, f"{trace_id:032x}")
    return Look(
        where=place.where,
        url=redact_url(place.url),
        variable=place.variable,
        given=bool(variables.get(place.variable, "").strip()),
        answers=found is not None,
        found=bool(found),
        seconds=time.monotonic() - began,
        ahead=None if found is None else seconds_ahead(date, asked, time.time()),
    )


def _trace(place: _Place, trace_id: str) -> tuple[bool | None, str | None]:
    """Return whether the trace is there (None if no such API answers), and the answer's date."""
    url = f"{place.url.rstrip('/')}/api/traces/{trace_id}"
    request = urllib.request.Request(url, headers={"Accept": "application/json", **place.headers})  # noqa: S310 - the setting allows http and https alone
    try:
        with DIRECT.open(request, timeout=_TIMEOUT) as answer:
            found, date = _holds(answer.read(_ANSWER_LIMIT), trace_id), answer.headers.get("date")
    except urllib.error.HTTPError as error:
        with error:
            missing = error.code == _NOT_FOUND and _is_api(error.read(_ANSWER_LIMIT))
            return (False if missing else None), error.headers.get("date")
    except (OSError, ValueError, http.client.HTTPException):
        return None, None
    return found, date


def _holds(body: bytes, trace_id: str) -> bool | None:
    try:
        traces = json.loads(body)["data"]
        return any(str(trace["traceID"]).zfill(len(trace_id)) == trace_id for trace in traces or ())
    except (ValueError, KeyError, TypeError):
        return None


def _is_api(body: bytes) -> bool:
    """Tell Jaeger's own "not found" from that of whatever else answers."""
    try:
        return "errors" in json.loads(body)
    except (ValueError, TypeError):
        return False
