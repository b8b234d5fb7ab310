"""The development console: OTLP in, SQLite, one page."""

from mita_otel.console.options import ConsoleError, Options, parse_age, parse_port, parse_size

__all__ = ["ConsoleError", "Options", "parse_age", "parse_port", "parse_size", "serve"]


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT; what was acknowledged is in the file then.

    Raises:
        ConsoleError: it cannot start.
    """
    try:
        from mita_otel.console import server  # noqa: PLC0415 - all that is heavy, which other commands need not load
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in {"starlette", "uvicorn", "uvloop", "httptools"}:
            raise ConsoleError(f"{package} is not installed: pip install 'mita-otel[console]'") from error
        raise
    server.serve(options)
