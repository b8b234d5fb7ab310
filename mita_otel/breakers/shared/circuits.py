"""Keeps the breakers of this process and their circuits in Redis in step, from a thread beside the calls."""

import itertools
import json
import logging
import os
import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakMethod

from opentelemetry.trace import SpanContext

from mita_otel.breakers import telemetry
from mita_otel.breakers.following import Seen
from mita_otel.breakers.shared import messages
from mita_otel.breakers.shared.messages import Message
from mita_otel.breakers.states import Override, Reason
from mita_otel.traces.background import unobserved

if TYPE_CHECKING:
    from mita_otel.breakers.switch import Switch

INTERVAL: Final = 1.0
"""Seconds between two looks at a circuit that nothing happens to."""

TIMEOUT: Final = 0.25
"""Seconds for a connection or an answer of Redis; no call waits for either."""

OUTBOX: Final = 1_000
"""Messages that wait for Redis; the oldest make room, and are counted."""

PREFIX: Final = "mita:breaker:"

_logger: Final = logging.getLogger("mita_otel.breakers.shared")


class _Member:
    """A breaker that shares its state.

    Attributes:
        version: of the circuit that it follows.
        tickets: probes that it has leave for, and has not told the end of.
        wants: whether it was asked to let a call through although it has no leave.
        asked_at: when it last asked for leave.
    """

    __slots__ = ("asked_at", "breaker", "tickets", "version", "wants")

    def __init__(self, breaker: "Switch") -> None:
        self.breaker = breaker
        self.version = 0
        self.tickets: deque[str] = deque()
        self.wants = False
        self.asked_at = float("-inf")


class RedisCircuits:
    """Shares the state of breakers with other processes, by name: one hash in Redis for each.

    Calls never wait for Redis: a thread looks once a second, and at once when a breaker trips. Who is open is decided
    in Redis, by its clock; a message that is about an older state than the present one is ignored there. While the
    circuit is half open, all processes together get the policy's probes. Without Redis each process judges by itself.

    Args:
        url: of Redis, as redis-py takes it.
        interval: seconds between two looks, 0.01 to 60.
        timeout: seconds for a connection or an answer, 0.01 to 10.
        prefix: of the keys.

    Raises:
        ValueError: a value is not allowed.
    """

    def __init__(self, url: str, *, interval: float = INTERVAL, timeout: float = TIMEOUT, prefix: str = PREFIX) -> None:
        if not 0.01 <= interval <= 60:  # noqa: PLR2004 - said in the docstring
            raise ValueError(f"interval={interval!r} is not allowed: seconds between 0.01 and 60")
        if not 0.01 <= timeout <= 10:  # noqa: PLR2004 - said in the docstring
            raise ValueError(f"timeout={timeout!r} is not allowed: seconds between 0.01 and 10")
        self.is_up = False
        self._was_up: bool | None = None
        self._url = url
        self._interval = interval
        self._timeout = timeout
        self._prefix = prefix
        self._members: dict[str, _Member] = {}
        self._outbox: deque[tuple[_Member, Callable[[], Message]]] = deque()
        self._numbers = itertools.count(1)
        self._begin()
        forked = WeakMethod(self._forked)
        os.register_at_fork(after_in_child=lambda: (again := forked()) and again())

    def join(self, breaker: "Switch") -> None:
        """Begin to share a breaker's state."""
        self._members[breaker.name] = _Member(breaker)
        self._start()
        self._bell.set()

    def leave(self, breaker: "Switch") -> None:
        """Stop sharing it; the last one to leave ends the thread."""
        self._members.pop(breaker.name, None)
        self._bell.set()

    def tripped(self, name: str, reason: Reason, causes: tuple[SpanContext, ...]) -> None:
        """Let the others know that the circuit has opened here."""
        if (member := self._members.get(name)) is not None:
            policy, known = member.breaker.policy, member.version
            self._post(member, lambda: messages.trip(policy, known, random.random(), reason, causes))  # noqa: S311 - no secret

    def probed(self, name: str, causes: tuple[SpanContext, ...], *, failed: bool | None, slow: bool) -> None:
        """Let the others know how a probe has ended; None if it says nothing."""
        member = self._members.get(name)
        try:
            ticket = member.tickets.popleft() if member is not None else None
        except IndexError:  # the leave has ended meanwhile
            return
        if member is None or ticket is None:
            return
        policy, known = member.breaker.policy, member.version
        self._post(
            member,
            lambda: messages.result(policy, known, random.random(), ticket, causes, failed=failed, slow=slow),  # noqa: S311 - as above
        )

    def wanted(self, name: str) -> None:
        """Ask for leave to probe, at once the first time and then with each look."""
        member = self._members.get(name)
        if member is None or member.wants:
            return
        member.wants = True
        if time.monotonic() - member.asked_at >= self._interval:
            self._bell.set()

    def overridden(self, name: str, override: Override | None) -> None:
        """Let the others know an operator's word."""
        if (member := self._members.get(name)) is not None:
            self._post(member, lambda: messages.override(member.version, override))

    def _post(self, member: _Member, message: Callable[[], Message]) -> None:
        if len(self._outbox) >= OUTBOX:
            lost, _ = self._outbox.popleft()
            lost.breaker.ledger.storage_events["dropped"] += 1
        self._outbox.append((member, message))
        self._bell.set()

    # What follows runs in the thread.

    def _begin(self) -> None:
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._run_script: Callable[..., Any] | None = None

    def _forked(self) -> None:
        """Begin anew in a forked child: it has neither the thread nor connections of its own, and no leave to probe."""
        self._begin()
        self.is_up = False
        self._outbox.clear()
        for member in self._members.values():
            member.tickets.clear()
        if self._members:
            self._start()

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._serve, name="mita-breakers", daemon=True)
            self._thread.start()

    def _serve(self) -> None:
        with unobserved():
            while self._members:
                self._bell.clear()
                try:
                    self._round()
                except Exception as error:  # noqa: BLE001 - whatever the client raises, the store is not there
                    self._lost(error)
                self._bell.wait(self._interval)
        self._thread = None

    def _round(self) -> None:
        run = self._run_script = self._run_script or self._connect()
        while self._outbox:
            member, message = self._outbox.popleft()
            self._exchange(run, member, message())
        for member in list(self._members.values()):
            if member.wants:
                self._ask_for_probes(run, member)
            else:
                self._exchange(run, member, messages.look(member.version))
        self.is_up = True
        if self._was_up is False:
            self._tell_all("recovered")
        self._was_up = True

    def _connect(self) -> Callable[..., Any]:
        from redis import Redis  # noqa: PLC0415 - only who shares needs it
        from redis.backoff import NoBackoff  # noqa: PLC0415 - as above
        from redis.retry import Retry  # noqa: PLC0415 - as above

        client = Redis.from_url(
            self._url,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        return client.register_script(files(__package__).joinpath("transitions.lua").read_text("utf-8"))

    def _ask_for_probes(self, run: Callable[..., Any], member: _Member) -> None:
        member.wants = False
        member.asked_at = time.monotonic()
        policy = member.breaker.policy
        at_once = policy.half_open_concurrency or policy.probes
        tickets = [f"{uuid.uuid4().hex[:12]}-{next(self._numbers)}" for _ in range(at_once)]
        seen = self._exchange(run, member, messages.probe(policy, member.version, tickets), tickets)
        if seen.granted:
            _logger.debug("circuit breaker %s: leave for %d probes", member.breaker.name, seen.granted)

    def _exchange(
        self, run: Callable[..., Any], member: _Member, message: Message, tickets: Iterable[str] = ()
    ) -> Seen:
        seen = messages.read(run(keys=[self._prefix + member.breaker.name], args=[json.dumps(message)]))
        is_new = seen.version != member.version

        def keep() -> None:
            if is_new:
                member.tickets.clear()
            member.tickets.extend(itertools.islice(tickets, seen.granted))
            member.version = seen.version

        if member.breaker.follow(seen, is_new=is_new, keep=keep):
            # It is open here and closed there: the store, or a message, was lost.
            policy, causes = member.breaker.policy, member.breaker.causes
            again = partial(messages.trip, policy, seen.version, random.random(), Reason.SHARED, causes)  # noqa: S311 - as above
            if not any(waiting is member for waiting, _ in self._outbox):
                self._outbox.append((member, again))
                self._bell.set()
        return seen

    def _lost(self, error: Exception) -> None:
        self._outbox.clear()
        self.is_up = False
        if self._was_up is not False:
            self._tell_all("degraded", error)
        self._was_up = False
        for member in list(self._members.values()):
            member.tickets.clear()
            member.breaker.follow_nobody()

    def _tell_all(self, event: str, error: Exception | None = None) -> None:
        for member in list(self._members.values()):
            telemetry.storage_event(member.breaker.ledger, event, error)
