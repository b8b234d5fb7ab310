"""The deadline of a request: told to everything that runs for it, and kept.

The answer is sent when the time is over, by a task of its own: an application that has to be interrupted may take a
while to let go, or wait in a thread that nothing interrupts. Once an answer has begun there is no deadline any more:
streams and background tasks are not cut off.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import inf
from typing import Final, TypeAlias

from opentelemetry import trace
from opentelemetry.metrics import get_meter

from mita_otel.errors.body import body, new_error_id
from mita_otel.metrics.catalogue.retries import MALFORMED_HEADERS
from mita_otel.metrics.recording import Total
from mita_otel.retries import OutOfTimeError
from mita_otel.retries.deadline import Deadline, begin, count, reserve_of, restore
from mita_otel.retries.headers import NOTHING, read
from mita_otel.retries.timeouts import Allowance, Timeouts
from mita_otel.retries.transient import causes
from mita_otel.settings import RetrySettings
from mita_otel.web.asgi import Application, Message, Receive, Scope, Send
from mita_otel.web.exchange import OUT_OF_TIME_KEY

Answer: TypeAlias = Callable[[Scope, OutOfTimeError], Application]
"""Returns the answer to a request whose time is over, as an ASGI application, such as a Starlette response."""

SCOPE_KEY: Final = "mita.deadline"
"""The request's deadline, in its scope."""

EVENT: Final = "mita.deadline.exceeded"
STATUS: Final = 504

_logger: Final = logging.getLogger("mita_otel.web.deadline")


class Deadlines:
    """ASGI middleware that gives every HTTP request a deadline, and answers 504 when it is over.

        app.add_middleware(Deadlines, routes={"POST /api/insights": 60})

    It belongs inside whatever decides without waiting for long, such as rate limits: the deadline that a caller asks
    for must not be what makes them fail.

    Args:
        app: the application.
        routes: seconds by route; see `Timeouts`. All others have the settings' time.
        answer: the answer 504; by default the application's own form of errors, or the standard one.
        settings: those of the environment by default.

    Raises:
        ValueError: a route or its seconds are not allowed.
        SettingsError: a setting is not allowed.
    """

    __slots__ = ("_answer", "_app", "_malformed", "_timeouts")

    def __init__(
        self,
        app: Application,
        *,
        routes: Mapping[str, float] | None = None,
        answer: Answer | None = None,
        settings: RetrySettings | None = None,
    ) -> None:
        self._app = app
        self._answer = answer or standard_answer
        self._timeouts = Timeouts(routes or {}, settings)
        self._malformed = Total(MALFORMED_HEADERS, get_meter("mita_otel.web.deadline"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an HTTP request within its time; pass everything else through, without a deadline."""
        if scope["type"] != "http":
            token = begin(None)  # a server may open a WebSocket in the context of a request
            try:
                await self._app(scope, receive, send)
            finally:
                restore(token)
            return
        allowed = self._allowed(scope)
        # The context may be that of the connection's last request; what a mounted application lies within is here.
        deadline = Deadline(allowed.seconds, scope.get(SCOPE_KEY), reserve_of(allowed.seconds))
        scope[SCOPE_KEY] = deadline
        token = begin(deadline)
        try:
            if allowed.seconds < inf:
                await _Serving(scope, send, deadline, allowed, self._answer).run(self._app, receive)
            else:
                await self._app(scope, receive, send)
        finally:
            restore(token)

    def _allowed(self, scope: Scope) -> Allowance:
        wish = read(scope["headers"]) if self._timeouts.trusts_callers else NOTHING
        for header in wish.malformed:
            self._malformed.add(header=header)
        return self._timeouts.of(scope, wish)


class _Serving:
    """One request with a deadline."""

    __slots__ = (
        *("_allowed", "_answer", "_answering", "_deadline", "_has_begun", "_is_over", "_scope", "_send", "_task"),
        "_timer",
    )

    def __init__(self, scope: Scope, send: Send, deadline: Deadline, allowed: Allowance, answer: Answer) -> None:
        self._scope = scope
        self._send = send
        self._deadline = deadline
        self._allowed = allowed
        self._answer = answer
        self._answering: asyncio.Task[None] | None = None
        self._has_begun = False
        self._is_over = False

    async def run(self, app: Application, receive: Receive) -> None:
        """Serve the request until it is answered, by the application or for it."""
        self._task = asyncio.current_task()
        cancels = self._task.cancelling() if self._task else 0
        self._timer = asyncio.get_running_loop().call_later(self._allowed.seconds, self._expire)
        try:
            await app(self._scope, receive, self._sent)
        except asyncio.CancelledError:
            if not self._takes_back(cancels):
                raise
        except Exception as error:
            is_out_of_time = _is_out_of_time(error)
            if self._takes_back(cancels):
                if not is_out_of_time:
                    _logger.warning("a request failed while it was interrupted", exc_info=error)
            elif self._has_begun or not is_out_of_time:
                raise
            else:
                self._tell()
                await self._answer_now()
        else:
            self._takes_back(cancels)
        finally:
            self._timer.cancel()
        if self._answering is not None:
            await self._answering

    def _takes_back(self, cancels: int) -> bool:
        """Take our own interruption back; say whether there was one, and no other."""
        return self._is_over and self._task is not None and self._task.uncancel() <= cancels

    def _expire(self) -> None:
        """Answer in the place of the application, and interrupt it; called by the loop in the request's context."""
        if self._has_begun or self._task is None or self._task.done():
            return
        self._is_over = True
        self._tell()
        self._answering = asyncio.create_task(self._answer_now(), name="answer 504")
        self._deadline.interrupt()
        self._task.cancel()

    async def _sent(self, message: Message) -> None:
        if self._is_over:
            return  # the answer is another's
        if message["type"] == "http.response.start" and not self._has_begun:
            self._has_begun = True
            self._timer.cancel()
            if message["status"] == STATUS and self._deadline.spend_by <= time.monotonic():
                self._tell()
            else:
                self._deadline.lift()
        await self._send(message)

    async def _answer_now(self) -> None:
        # A client that is gone is no reason to tell of a failure.
        with suppress(OSError):
            await self._answer(self._scope, OutOfTimeError("request"))(self._scope, _nothing, self._send)

    def _tell(self) -> None:
        """Tell of a request that was not answered in time."""
        self._scope[OUT_OF_TIME_KEY] = True
        try:
            self._tell_all()
        except Exception:  # the room's door: the answer is what matters
            _logger.exception("a request that was not answered in time goes without some of its telemetry")

    def _tell_all(self) -> None:
        count("request")
        attributes: dict[str, str | float] = {
            "mita.deadline.seconds": self._allowed.seconds,
            "mita.deadline.source": self._allowed.source,
        }
        span = trace.get_current_span()
        if span.is_recording():
            span.set_attributes({"error.type": "timeout", **attributes})
            span.add_event(EVENT, attributes)
        told = {"event.name": EVENT, "error.type": "timeout", **attributes}
        _logger.warning("a request was not answered within %.3f s", self._allowed.seconds, extra=told)


def standard_answer(scope: Scope, error: OutOfTimeError) -> Application:
    """Return the application's own form of the error, where it has one, or the standard one."""
    if getattr(getattr(scope.get("app"), "state", None), "mita_errors", None) is not None:
        from mita_otel.web.problems import response_to  # noqa: PLC0415 - FastAPI need not be there

        return response_to(scope, error)

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        told = body(status=STATUS, code=error.code, message=error.message, error_id=new_error_id(), at=time.time())
        content = json.dumps(told).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": STATUS, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return answer


def _is_out_of_time(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_out_of_time, error.exceptions))
    return any(isinstance(each, OutOfTimeError) for each in causes(error))


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
