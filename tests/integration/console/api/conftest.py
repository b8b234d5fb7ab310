"""The API over a console's file."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from mita_otel.console.api import Limits, routes
from tests.fixtures.console_file import ConsoleFile, console_file

STARTED = 1_780_000_000_000_000

OBJECT = 'a JSON object such as {"http.response.status_code":"500"}, of at most 20 attributes'
"""What attributes are allowed to be."""

Ask = Callable[..., Any]
"""Asks a path with parameters and returns the content of the answer; `status` says what is expected."""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[ConsoleFile]:
    """An empty file of a console's."""
    with console_file(tmp_path) as made:
        yield made


@pytest.fixture
def app(file: ConsoleFile) -> Starlette:
    """The API alone."""
    return Starlette(routes=routes(file.reader, limits=Limits(2**30, 86_400), started=STARTED))


@pytest.fixture
def ask(app: Starlette) -> Iterator[Ask]:
    """See `Ask`."""
    with asyncio.Runner() as runner:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console")

        def asked(path: str, *, status: int = 200, **query: Any) -> Any:
            parameters = {name.replace("__", "."): value for name, value in query.items()}
            answer = runner.run(client.get(path, params=parameters or None))
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"] == "application/json"
            return answer.json()

        yield asked
        runner.run(client.aclose())
