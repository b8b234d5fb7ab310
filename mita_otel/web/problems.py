"""Error answers of a FastAPI application: one body for both of its readers, and nothing of our insides in it."""

import hmac
import json
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from opentelemetry.sdk.resources import OTELResourceDetector
from starlette.exceptions import HTTPException

from mita_otel.breakers import retry_after_headers
from mita_otel.errors.alerting import Alertmanager
from mita_otel.errors.body import PLAIN, body, media_type
from mita_otel.errors.exceptions import JSON, StandardizedAPIException, ValidationError
from mita_otel.errors.reporting import Reporter
from mita_otel.errors.shown import shown
from mita_otel.errors.taxonomy import Kind, of_exception, of_status
from mita_otel.redaction import redact_text
from mita_otel.settings import Settings, environment
from mita_otel.web.exchange import SCOPE_KEY, Exchange

FIRST_SERVER_ERROR: Final = 500
UNAVAILABLE: Final = 503
INTERNAL_ERROR: Final = "SYSTEM_9001"
INTERNAL_MESSAGE: Final = "something went wrong on our side"

LOOK_UP: Final = "/errors/{error_id}"


def install(app: FastAPI, settings: Settings | None = None, reporter: Reporter | None = None) -> Reporter:
    """Answer every error of an application in the standard form, and offer `GET /errors/{error_id}` to administrators.

    Args:
        app: before it serves its first request.
        settings: by default what the environment says.
        reporter: by default one that tells Alertmanager, if the settings name it.
    """
    obeyed = settings or Settings.read_leniently(environment())[0]
    used = reporter or _reporter(obeyed, app.version)
    answering = _Answering(used, obeyed.error_types)
    app.exception_handler(StandardizedAPIException)(answering.standardized)
    app.exception_handler(RequestValidationError)(answering.invalid)
    app.exception_handler(HTTPException)(answering.http)
    app.exception_handler(Exception)(answering.unexpected)
    app.state.mita_errors = answering
    if obeyed.admin_token is not None:
        token = obeyed.admin_token.get_secret_value()
        traces = f"{obeyed.jaeger_url.rstrip('/')}/trace/"
        app.add_route(LOOK_UP, _look_up(used, token, traces), include_in_schema=False)
    return used


def _reporter(settings: Settings, version: str) -> Reporter:
    if settings.alertmanager_url is None:
        return Reporter(version)
    # The labels that Prometheus's alerts have, so that one can silence the other.
    attributes = OTELResourceDetector().detect().attributes
    place = attributes.get("deployment.environment.name")
    labels = {
        "service_name": settings.service_name or "unknown_service",
        **({"deployment_environment_name": str(place)} if place else {}),
    }
    return Reporter(version, Alertmanager(settings.alertmanager_url, labels))


@dataclass(frozen=True, slots=True)
class _Told:
    """What a client is told of an error."""

    status: int
    kind: Kind
    code: str
    message: str
    details: JSON = None
    headers: Mapping[str, str] | None = None


class _Answering:
    """Turns exceptions into answers."""

    def __init__(self, reporter: Reporter, types: str) -> None:
        self._reporter = reporter
        self._types = types

    async def standardized(self, request: Request, error: StandardizedAPIException) -> Response:
        return self.to(request, error)

    def to(self, request: Request, error: StandardizedAPIException) -> Response:
        # Also what was raised from a breaker's refusal knows when to come again.
        later = retry_after_headers(error) if error.status == UNAVAILABLE else {}
        told = _Told(error.status, error.kind, error.code, error.message, error.details, {**error.headers, **later})
        return self._answer(request, error, told)

    async def invalid(self, request: Request, error: RequestValidationError) -> Response:
        what = ValidationError
        told = _Told(what.status, what.kind, what.code, "the input is not valid", problems(error.errors()))
        return self._answer(request, error, told)

    async def http(self, request: Request, error: HTTPException) -> Response:
        status = error.status_code
        kind = of_status(status)
        if kind is None:  # no error at all: a redirect, say, that was raised
            return Response(status_code=status, headers=error.headers)
        message = INTERNAL_MESSAGE if status >= FIRST_SERVER_ERROR else redact_text(str(error.detail))
        return self._answer(request, error, _Told(status, kind, f"HTTP_{status}", message, headers=error.headers))

    async def unexpected(self, request: Request, error: Exception) -> Response:
        told = _Told(FIRST_SERVER_ERROR, of_exception(error), INTERNAL_ERROR, INTERNAL_MESSAGE)
        return self._answer(request, error, told, handled=False)

    def _answer(self, request: Request, error: Exception, told: _Told, *, handled: bool = True) -> Response:
        occurrence = self._reporter.report(error, told.kind, told.code, route=_route(request), handled=handled)
        content = body(
            status=told.status,
            code=told.code,
            message=told.message,
            error_id=occurrence.error_id,
            at=occurrence.at,
            trace_id=occurrence.trace_id,
            details=told.details,
            types=self._types,
        )
        return Response(
            json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"),
            told.status,
            {**(told.headers or {}), "X-Error-Id": occurrence.error_id},
            media_type(request.headers.get("accept", "")),
        )


def response_to(scope: MutableMapping[str, Any], error: StandardizedAPIException) -> Response:
    """Return the answer to an error of a middleware, which the application's handlers do not see.

    Args:
        scope: of the request; its application is one that `install` was called for.
        error: what the client is told.
    """
    answering: _Answering = scope["app"].state.mita_errors
    return answering.to(Request(scope), error)


def problems(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Return pydantic's errors as clients see them: the input itself is not repeated, it may hold a password."""
    return [{"field": ".".join(map(str, each["loc"])), "problem": redact_text(each["msg"])} for each in errors]


def _route(request: Request) -> str:
    """Return the whole template of a request's path; without telemetry what the innermost router knows of it."""
    exchange: Exchange | None = request.scope.get(SCOPE_KEY)
    template = exchange.template() if exchange is not None else getattr(request.scope.get("route"), "path", "")
    return template or ""


def _look_up(reporter: Reporter, token: str, traces: str) -> Any:
    async def look_up(request: Request) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            return _plain(
                401, {"error": "send Authorization: Bearer <MITA_ADMIN_TOKEN>"}, {"WWW-Authenticate": "Bearer"}
            )
        found = reporter.groups.of_error(request.path_params["error_id"])
        if found is None:
            sentence = "this process does not know the error: search the log for mita.error.id"
            return _plain(404, {"error": sentence})
        return _plain(200, shown(*found, reporter.clock(), traces, reporter.version))

    return look_up


def _plain(status: int, content: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(content), status, {"Cache-Control": "no-store", **(headers or {})}, PLAIN)
