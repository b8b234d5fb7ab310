"""The console's API: Jaeger's two query APIs and our own, over what is stored."""

import time
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mita_otel.console.api import console, jaeger, jaeger_v3
from mita_otel.console.api.endpoints import Endpoint, description_of, route_of, to_json
from mita_otel.console.api.limits import Limits
from mita_otel.console.reading.reader import Reader
from mita_otel.installed import version

__all__ = ["Limits", "routes"]

_UNKNOWN_LIMITS = Limits()


def routes(reader: Reader, *, limits: Limits = _UNKNOWN_LIMITS, started: int | None = None) -> list[BaseRoute]:
    """Return the routes of the API; all paths begin with `/api/`.

    Args:
        reader: of what is stored.
        limits: that the status repeats.
        started: when the console did, in microseconds since the epoch; now by default.
    """
    own = console.endpoints(limits, time.time_ns() // 1000 if started is None else started)
    # The third API first: its paths could be services of the first one's.
    endpoints = (*jaeger_v3.ENDPOINTS, *own, *jaeger.ENDPOINTS)
    return [_description(endpoints), *(route_of(endpoint, reader) for endpoint in endpoints), _UNKNOWN]


def _description(endpoints: Sequence[Endpoint]) -> Route:
    content = to_json(description_of(endpoints, version("mita-otel")))

    async def describe(_request: Request) -> Response:
        return Response(content, media_type="application/json")

    return Route("/api/console/openapi.json", describe, methods=["GET"])


async def _unknown(request: Request) -> Response:
    message = f"there is nothing at {request.url.path}; /api/console/openapi.json describes what there is"
    return Response(to_json(jaeger.complaint(404, message)), 404, media_type="application/json")


_UNKNOWN = Route("/api/{path:path}", _unknown, methods=["GET"])
