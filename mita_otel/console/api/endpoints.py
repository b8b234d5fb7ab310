"""Endpoints as data: path, parameters, and what answers; routes and the description of the API follow from them."""

import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mita_otel.console.api.parameters import Parameter, ParameterError, Values
from mita_otel.console.reading.reader import Reader
from mita_otel.console.store.schema import StoreError

_MOST_PAIRS: Final = 200
_ALLOWED_EVERYWHERE: Final = frozenset({"token"})


class NotFoundError(Exception):
    """What is asked for is not there."""


Complaint = Callable[[int, str], Any]
"""Makes the content of an error's answer of a status and a message."""

Answer = Callable[[Reader, Values], Awaitable[bytes]]
"""Makes the answer of a query, as JSON."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path of the API, asked by GET.

    Attributes:
        path: with placeholders, of which each is a parameter of the same name.
        summary: what it answers.
        answer: makes the answer.
        parameters: of the query and of the path.
        complain: makes the content of an error.
        is_strict: whether parameters that it does not know are refused.
    """

    path: str
    summary: str
    answer: Answer
    parameters: Sequence[Parameter]
    complain: Complaint
    is_strict: bool = False

    def values_of(self, query: str, path: Mapping[str, str]) -> Values:
        """Return the values of all parameters.

        Raises:
            ParameterError: one is wrong, or not known.
        """
        given = _pairs_of(query)
        if self.is_strict:
            self._refuse_unknown(given)
        given |= {name: [value] for name, value in path.items()}
        return {each.name: each.value_of(given.get(each.name, ())) for each in self.parameters}

    def _refuse_unknown(self, given: Mapping[str, Sequence[str]]) -> None:
        known = [each.name for each in self.parameters if f"{{{each.name}" not in self.path]
        for name in given.keys() - set(known) - _ALLOWED_EVERYWHERE:
            raise ParameterError(name, given[name][0], f"no such parameter; there are {', '.join(known) or 'none'}")


def _pairs_of(query: str) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PAIRS)
    except ValueError:
        raise ParameterError("query", query, f"at most {_MOST_PAIRS} parameters") from None
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    return given


def to_json(content: Any) -> bytes:
    """Return JSON; what has no number in JSON (NaN, infinities) is null."""
    return orjson.dumps(content)


def asking(query: Callable[[sqlite3.Connection, Values], Any]) -> Answer:
    """Return an answer that is made, in a thread of the reader's, of what one query returns."""

    async def answer(reader: Reader, values: Values) -> bytes:
        return await reader.ask(lambda connection: to_json(query(connection, values)))

    return answer


def route_of(endpoint: Endpoint, reader: Reader) -> Route:
    """Return the route of an endpoint: its answer, or an error that says what is wrong."""

    async def respond(request: Request) -> Response:
        try:
            values = endpoint.values_of(request.url.query, request.path_params)
            content, status = await endpoint.answer(reader, values), 200
        except ParameterError as error:
            content, status = to_json(endpoint.complain(400, str(error))), 400
        except NotFoundError as error:
            content, status = to_json(endpoint.complain(404, str(error))), 404
        except (StoreError, sqlite3.Error) as error:
            content, status = to_json(endpoint.complain(503, f"the console's file cannot be read: {error}")), 503
        return Response(content, status, {"cache-control": "no-store"}, "application/json")

    return Route(endpoint.path, respond, methods=["GET"])


def description_of(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """Return the description of the API by OpenAPI."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "mita_otel development console", "version": version},
        "paths": {_plain_path(each.path): {"get": _operation_of(each)} for each in endpoints},
    }


def _plain_path(path: str) -> str:
    return path.replace(":path}", "}")


def _operation_of(endpoint: Endpoint) -> dict[str, Any]:
    parameters = [
        {
            "name": each.name,
            "in": "path" if f"{{{each.name}" in endpoint.path else "query",
            "required": each.is_required or f"{{{each.name}" in endpoint.path,
            "description": each.allowed,
            "schema": {"type": "array", "items": each.schema} if each.is_repeatable else each.schema,
        }
        for each in endpoint.parameters
    ]
    answers = {"200": "the answer", "400": "a parameter is wrong", "404": "not here", "503": "the file cannot be read"}
    return {
        "summary": endpoint.summary,
        "parameters": parameters,
        "responses": {
            status: {"description": said, "content": {"application/json": {}}} for status, said in answers.items()
        },
    }
