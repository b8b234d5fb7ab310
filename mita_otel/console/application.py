"""The one application of all listeners: OTLP in, the API, the page."""

from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from mita_otel.console import api
from mita_otel.console.options import Options
from mita_otel.console.reading.reader import Reader
from mita_otel.console.receive import http
from mita_otel.console.receive.body import Budget
from mita_otel.console.receive.intake import Intake
from mita_otel.console.security import Access, Guard, hosts_for

_PAGE: Final = Path(__file__).parent / "page"


def application(options: Options, access: Access, intake: Intake, budget: Budget, reader: Reader) -> ASGIApp:
    """Return the application of a console."""
    routes = [
        *http.routes(intake, budget),
        *api.routes(reader, limits=api.Limits(options.max_size, options.max_age)),
        Route("/", _index),
        Mount("/assets", StaticFiles(directory=_PAGE)),
    ]
    return Guard(Starlette(routes=routes), access, hosts_for(options.host))


async def _index(_request: Request) -> FileResponse:
    return FileResponse(_PAGE / "index.html")
