"""The console's process: listeners, the writing thread, and an end that loses nothing."""

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn
import uvloop
from starlette.types import ASGIApp

from mita_otel.console.application import application
from mita_otel.console.listeners import check_free, listening, url_of
from mita_otel.console.options import ConsoleError, Options
from mita_otel.console.place import DATABASE, RESERVE, place
from mita_otel.console.protocol import BoundedProtocol
from mita_otel.console.reading.reader import Reader
from mita_otel.console.receive.body import Budget
from mita_otel.console.receive.intake import Intake
from mita_otel.console.receive.transaction import Transactions
from mita_otel.console.security import Access
from mita_otel.console.store.reserve import Reserve
from mita_otel.console.store.retention import Limits, Retention
from mita_otel.console.store.schema import StoreError
from mita_otel.console.store.writing import Store

_WAITING_BYTES: Final = 64 * 1024 * 1024
"""Of requests that are not answered yet; those beyond are asked to come again."""
_GRACE: Final = 5
"""Seconds in which requests may end when the console is told to."""
_KEEP_ALIVE: Final = 75
"""Seconds for which a connection without requests stays: longer than the intervals of exporters."""


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT; what was acknowledged is in the file then.

    Raises:
        ConsoleError: it cannot start.
    """
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as stack:
        check_free(options)
        sockets = stack.enter_context(listening(options))
        folder = stack.enter_context(place(options.folder))
        try:
            store = Store(folder / DATABASE)
        except StoreError as error:
            raise ConsoleError(str(error)) from error
        stack.callback(store.close)
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        runner.run(_serve(options, sockets, store, folder))


def _leave(_number: int, _frame: FrameType | None) -> None:
    """End as after an error, so that the temporary folder goes."""
    sys.exit(0)


async def _serve(options: Options, sockets: list[socket.socket], store: Store, folder: Path) -> None:
    access = Access(options.token)
    budget = Budget(_WAITING_BYTES)
    urls = [url_of(options.host, listener.getsockname()[1]) for listener in sockets]
    async with AsyncExitStack() as stack:
        intake = _intake(options, store, folder)
        intake.start()
        stack.push_async_callback(intake.close)
        reader = Reader(folder / DATABASE)
        stack.callback(reader.close)
        server = _Server(_configured(application(options, access, intake, budget, reader)))
        serving = asyncio.create_task(server.serve(sockets))
        stack.push_async_callback(_ended, server, serving)
        await asyncio.wait([serving, asyncio.create_task(server.answers.wait())], return_when=asyncio.FIRST_COMPLETED)
        grpc_url = await _start_grpc(options, access, intake, budget, stack)
        _announce(urls[0], urls[-1], grpc_url)
        await serving


def _intake(options: Options, store: Store, folder: Path) -> Intake:
    reserve = Reserve(folder / RESERVE)
    reserve.hold()
    limits = Limits(options.max_size, options.max_age * 1_000_000)
    return Intake(Transactions(store, Retention(store, limits, reserve)))


def _configured(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell when the listeners answer."""
        await super().startup(sockets)
        self.answers.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End at a signal, and not by it: what comes after the server must run as well."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _ended(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    await serving


async def _start_grpc(
    options: Options, access: Access, intake: Intake, budget: Budget, stack: AsyncExitStack
) -> str | None:
    """Start gRPC unless it is switched off, for as long as the stack lives, and return its address."""
    if options.otlp_grpc_port is None:
        return None
    from mita_otel.console.receive import grpc  # noqa: PLC0415 - slow to import, and the page need not wait for it

    address = url_of(options.host, options.otlp_grpc_port).removeprefix("http://")
    try:
        server, port = await grpc.started(address, intake, budget, access.allows)
    except OSError as error:
        raise ConsoleError(f"--otlp-grpc-port {options.otlp_grpc_port}: {error}; choose another") from error
    stack.push_async_callback(server.stop, _GRACE)
    return url_of(options.host, port)


def _announce(page: str, otlp_http: str, otlp_grpc: str | None) -> None:
    """Say where to look and where to send; the development console is a program for people."""
    sys.stdout.write(f"page       {page}/\nOTLP/HTTP  {otlp_http}\n")
    if otlp_grpc:
        sys.stdout.write(f"OTLP/gRPC  {otlp_grpc}\n")
    sys.stdout.flush()
