"""`mita-otel console`: the development console, until Ctrl-C."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from mita_otel.console import ConsoleError, Options, parse_age, parse_port, parse_size, serve


def run(
    *,
    host: Annotated[str, typer.Option("--host", help="Others than loopback need a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Of the page; 0 for any, as below.")] = 8317,
    otlp_http_port: Annotated[int, typer.Option("--otlp-http-port", min=0, max=65535, help="OTLP over HTTP.")] = 4318,
    otlp_grpc_port: Annotated[str, typer.Option("--otlp-grpc-port", help="OTLP over gRPC, or none.")] = "4317",
    folder: Annotated[
        Path | None,
        typer.Option("--folder", file_okay=False, help="Where data stays. [default: temporary, deleted at the end]"),
    ] = None,
    max_size: Annotated[str, typer.Option("--max-size", help="What is kept at most, the newest.")] = "1GiB",
    max_age: Annotated[str, typer.Option("--max-age", help="For how long anything is kept.")] = "24h",
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="MITA_CONSOLE_TOKEN", help="What clients must show. Prefer the variable."),
    ] = None,
) -> None:
    """Receive OTLP, keep the newest of it, and show it on one page. For development."""
    logging.basicConfig(level=logging.WARNING, format="mita-otel console: %(message)s")
    try:
        options = Options(
            host=host,
            port=port,
            otlp_http_port=otlp_http_port,
            otlp_grpc_port=parse_port(otlp_grpc_port),
            folder=folder,
            max_size=parse_size(max_size),
            max_age=parse_age(max_age),
            token=token or None,
        )
        serve(options)
    except ConsoleError as error:
        typer.echo(f"mita-otel console: {error}", err=True)
        raise typer.Exit(1) from error
