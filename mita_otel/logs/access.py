"""A server's access line: its arguments as attributes, its query string masked."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from mita_otel.logs import fields

if TYPE_CHECKING:
    from mita_otel.logs.captured import Captured

LOGGERS: Final = frozenset({"uvicorn.access", "gunicorn.access"})
"""Whose arguments are kept for this."""

_UVICORN_ARGUMENTS: Final = 5
"""client address, method, path with query, protocol version, status code."""


def bind_access(redact_query: Callable[[str], str]) -> Callable[["Captured", dict[str, Any]], None]:
    """Return a step that recognises the access lines of uvicorn and gunicorn; other records cost one comparison."""

    def bind(captured: "Captured", entry: dict[str, Any]) -> None:
        if captured.arguments is None:
            return
        if captured.name == "uvicorn.access":
            _bind_uvicorn(captured.arguments, entry, redact_query)
        else:
            _bind_gunicorn(captured.template, captured.arguments, entry, redact_query)

    bind.__name__ = "bind_access"
    return bind


def _bind_uvicorn(arguments: Any, entry: dict[str, Any], redact_query: Callable[[str], str]) -> None:
    if not isinstance(arguments, tuple) or len(arguments) != _UVICORN_ARGUMENTS:
        return
    client, method, target, version, status = arguments
    path, masked = _masked(str(target), redact_query)
    entry[fields.MESSAGE] = f'{client} - "{method} {masked} HTTP/{version}" {status}'
    extras: dict[str, Any] = {
        fields.HTTP_METHOD: str(method),
        fields.URL_PATH: path,
        fields.HTTP_STATUS: int(str(status)),
        fields.PROTOCOL_VERSION: str(version),
    }
    if client:
        extras[fields.CLIENT_ADDRESS] = str(client).rpartition(":")[0]
    entry[fields.EXTRA] = extras


def _bind_gunicorn(template: str | None, atoms: Any, entry: dict[str, Any], redact_query: Callable[[str], str]) -> None:
    if not isinstance(atoms, Mapping) or template is None:
        return
    method, _, rest = str(atoms.get("r", "")).partition(" ")
    target, _, protocol = rest.rpartition(" ")
    path, masked = _masked(target, redact_query)
    safe = {**atoms, "r": f"{method} {masked} {protocol}", "q": redact_query(str(atoms.get("q", "")))}
    entry[fields.MESSAGE] = template % type(atoms)(safe)  # type: ignore[call-arg] # gunicorn's SafeAtoms is a dict
    status = str(atoms.get("s", ""))
    entry[fields.EXTRA] = {
        fields.HTTP_METHOD: method,
        fields.URL_PATH: path,
        fields.HTTP_STATUS: int(status) if status.isdecimal() else status,
        fields.PROTOCOL_VERSION: protocol.rpartition("/")[2],
        fields.CLIENT_ADDRESS: str(atoms.get("h", "")),
    }


def _masked(target: str, redact_query: Callable[[str], str]) -> tuple[str, str]:
    """Return the path of a request target, and the target with its query masked."""
    path, mark, query = target.partition("?")
    return path, f"{path}?{redact_query(query)}" if mark else path
