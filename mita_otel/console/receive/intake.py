"""The queue before the store: one thread writes, many requests in one transaction, and answers after its commit."""

import asyncio
import contextlib
import logging
import queue
import threading
from typing import Final, NamedTuple

from mita_otel.console.receive.transaction import FAILED, Answer, Asked, Transactions

_log = logging.getLogger(__name__)

_GROUP_BYTES: Final = 2 * 1024 * 1024
"""A transaction takes in no further request after so much: some tens of milliseconds of work."""
_IDLE_SECONDS: Final = 1.0
_TIDY_SECONDS: Final = 0.02


class _Job(NamedTuple):
    asked: Asked
    answer: asyncio.Future[Answer]


class Intake:
    """Takes requests from one event loop to one writing thread; `start` it within the loop, `close` it at the end."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="console-intake")
        self._loop: asyncio.AbstractEventLoop

    def start(self) -> None:
        """Begin to write."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def take(self, asked: Asked) -> Answer:
        """Write a request, and return the answer when what it says is durable."""
        job = _Job(asked, self._loop.create_future())
        self._jobs.put(job)
        return await job.answer

    async def close(self) -> None:
        """Write what was taken, and end the thread."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        is_open, has_more = True, False
        while is_open:
            jobs, is_open = self._wait(0 if has_more else _IDLE_SECONDS)
            if jobs:
                self._settle(jobs, self._serve([job.asked for job in jobs]))
            has_more = self._tidy()

    def _serve(self, requests: list[Asked]) -> list[Answer]:
        try:
            return self._transactions.serve(requests)
        except Exception:  # noqa: BLE001 - without this thread every later request would wait for ever
            _log.exception("requests to the console failed for a reason of the console's own")
            return [Answer(FAILED, "the console failed at this request; its log says where")] * len(requests)

    def _tidy(self) -> bool:
        try:
            return self._transactions.tidy(_TIDY_SECONDS)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("the console failed to delete what is old")
            return False

    def _wait(self, timeout: float) -> tuple[list[_Job], bool]:
        """Return the next jobs, and whether there will be more after them."""
        jobs: list[_Job] = []
        size = 0
        try:
            job = self._jobs.get(timeout=timeout) if timeout else self._jobs.get_nowait()
            while job is not None:
                jobs.append(job)
                size += len(job.asked.body)
                if size >= _GROUP_BYTES:
                    return jobs, True
                job = self._jobs.get_nowait()
        except queue.Empty:
            return jobs, True
        return jobs, False

    def _settle(self, jobs: list[_Job], answers: list[Answer]) -> None:
        def settle() -> None:
            for job, answer in zip(jobs, answers, strict=True):
                if not job.answer.done():  # whoever asked may have left
                    job.answer.set_result(answer)

        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it all who asked
            self._loop.call_soon_threadsafe(settle)
