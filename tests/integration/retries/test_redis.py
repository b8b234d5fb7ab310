import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis.exceptions
from redis.asyncio import Redis

from mita_otel.cache import RedisCache
from mita_otel.libraries import redis as instrumentation
from mita_otel.retries import OutOfTimeError, TimeLimit, remaining
from mita_otel.retries.redis import connect
from tests.fixtures.polling import eventually_async
from tests.unit.libraries.recording import Recording


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    """A client that would wait for ten seconds if there were no deadline, with one connection."""
    client = connect(redis_url, timeout=10.0, max_connections=1)
    yield client
    await client.aclose()


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A server that takes connections and commands, and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that begins the answer to a GET, and leaves it at that."""
    server = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        held = []
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                break
            held.append(connection)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()
        for connection in held:
            connection.close()
        ended.set()

    def answer(connection: socket.socket) -> None:
        try:
            while received := connection.recv(65_536):
                connection.sendall(b"+OK\r\n" * received.count(b"CLIENT"))
                if b"GET" in received:
                    connection.sendall(b"$5\r\nhal")
        except OSError:
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"redis://127.0.0.1:{server.getsockname()[1]}/0?protocol=2"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    ended.wait(5)
    thread.join()


async def test_a_command_ends_with_the_deadline_and_nobody_gets_its_answer(client: Redis, recording: Recording) -> None:
    instrumentation.instrument(recording.telemetry)
    await client.set("name", "mine")
    began = time.monotonic()
    with pytest.raises(OutOfTimeError), TimeLimit(0.3):
        await client.blpop(["nothing"], timeout=5)
    assert 0.2 < time.monotonic() - began < 5.0
    assert await client.get("name") == b"mine", "the connection that BLPOP was sent on is not used again"
    assert recording.points("mita.timeouts") == [
        ({"scope": scope}, int(scope == "cache")) for scope in ("request", "database", "pool", "cache", "external")
    ]


async def test_a_pipeline_ends_with_the_deadline(client: Redis) -> None:
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.set("a", "1")
        pipeline.blpop(["nothing"], timeout=5)
        pipeline.set("b", "2")
        with pytest.raises(OutOfTimeError), TimeLimit(0.3):
            await pipeline.execute()
    assert await client.get("a") == b"1"


async def test_a_server_that_says_nothing_is_given_up(black_hole: str) -> None:
    client = connect(black_hole, timeout=10.0)
    began = time.monotonic()
    with pytest.raises(OutOfTimeError), TimeLimit(0.3):
        await client.get("name")
    assert time.monotonic() - began < 5.0
    await client.aclose()


async def test_half_an_answer_is_never_the_beginning_of_the_next_one(dripping: str) -> None:
    client = connect(dripping, timeout=10.0, max_connections=1)
    for _ in range(2):
        with pytest.raises(OutOfTimeError), TimeLimit(0.2):
            await client.get("name")
    await client.aclose()


async def test_nothing_is_sent_once_the_time_is_over(client: Redis) -> None:
    await client.ping()
    with TimeLimit(0.01):
        await eventually_async(_is_over)
        with pytest.raises(OutOfTimeError):
            await client.set("name", "late")
    assert await client.get("name") is None


async def _is_over() -> bool:
    return remaining() <= 0


async def test_without_a_deadline_the_timeout_counts_once(black_hole: str) -> None:
    client = connect(black_hole, timeout=0.3)
    began = time.monotonic()
    with pytest.raises(redis.exceptions.TimeoutError):
        await client.get("name")
    assert time.monotonic() - began < 3.0, "redis-py tries nothing again on its own"
    await client.aclose()


async def test_many_cancelled_commands_leave_no_answer_to_others(redis_url: str) -> None:
    client = connect(redis_url, timeout=5.0, max_connections=5)
    await client.mset({f"key:{number}": number for number in range(50)})

    async def ask(number: int) -> tuple[int, Any]:
        with TimeLimit(0.001 + number % 7 / 2000):
            return number, await client.get(f"key:{number}")

    for _ in range(20):
        answers = await asyncio.gather(*(ask(number) for number in range(5)), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                assert isinstance(answer, OutOfTimeError), answer
            else:
                assert answer[1] == str(answer[0]).encode()
    assert [await client.get(f"key:{number}") for number in range(50)] == [str(n).encode() for n in range(50)]
    await client.aclose()


async def test_a_deadline_is_not_the_caches_failure(black_hole: str, redis_url: str) -> None:
    hanging = connect(black_hole, timeout=5.0)
    cache = RedisCache(hanging, "deadlines", timeout=5.0)
    with pytest.raises(OutOfTimeError), TimeLimit(0.1):
        await cache.get("key")
    # A gate that had closed would answer at once, with nothing.
    with pytest.raises(OutOfTimeError), TimeLimit(0.1):
        await cache.get("key")
    await hanging.aclose()


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 3601])
def test_nonsense_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        connect("redis://127.0.0.1:1/0", timeout=timeout)
