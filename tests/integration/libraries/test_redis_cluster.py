import asyncio
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import redis.asyncio

from mita_otel.libraries import redis as instrumentation
from mita_otel.stack.databases import find_redis
from tests.fixtures.polling import find_free_port
from tests.unit.libraries.recording import Recording


@pytest.fixture
def cluster(tmp_path: Path, free_port: int) -> Iterator[int]:
    """The port of a cluster of one node."""
    # The port among nodes would be 10,000 above, which need not be free, nor a port at all.
    ports = ("--port", str(free_port), "--cluster-port", str(find_free_port()))
    options = ("--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path))
    command = (str(find_redis()), *ports, *options, "--cluster-enabled", "yes")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _form(free_port)
            yield free_port
        finally:
            process.kill()


def _form(port: int) -> None:
    """Give every slot to the node and wait until it believes that."""
    deadline = time.monotonic() + 20
    assigned = False
    with redis.Redis(port=port, decode_responses=True) as node:
        while time.monotonic() < deadline:
            try:
                if not assigned:
                    node.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
                    assigned = True
                node.set("ready", "1")
            except redis.RedisError:
                time.sleep(0.05)
            else:
                return
    pytest.fail("the cluster did not form")


COMMON = {"db.system.name": "redis", "db.namespace": "0"}


def test_commands_and_pipelines_of_a_cluster_are_one_span_each(cluster: int, recording: Recording) -> None:
    instrumentation.instrument(recording.telemetry)
    with recording.request():
        client = redis.RedisCluster(host="127.0.0.1", port=cluster)
        client.set("a", "1")
        pipeline = client.pipeline()  # type: ignore[no-untyped-call] # redis-py's own
        pipeline.set("a", "1")
        pipeline.get("b")
        pipeline.execute()
        client.close()

    assert recording.tree() == ["request > SET", "request > PIPELINE"]
    assert recording.points("db.client.operation.duration") == [
        ({**COMMON, "db.operation.name": "SET"}, 1),
        ({**COMMON, "db.operation.name": "PIPELINE"}, 1),
    ]


def test_an_async_cluster_is_traced_the_same(cluster: int, recording: Recording) -> None:
    async def work() -> None:
        async with redis.asyncio.RedisCluster(host="127.0.0.1", port=cluster) as client:
            await client.set("a", "1")
            pipeline = client.pipeline()
            pipeline.set("a", "1")
            pipeline.get("b")
            await pipeline.execute()

    instrumentation.instrument(recording.telemetry)
    with recording.request():
        asyncio.run(work())

    assert recording.tree() == ["request > SET", "request > PIPELINE"]
