"""The test bed keeps tests apart: databases of their own, processes that end, waiting that tells what it saw."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
import redis

from mita_otel.stack.databases import Server
from tests.fixtures.polling import EndedError
from tests.fixtures.service import ServiceFactory, clean_environment

SERVE = "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), {}).serve_forever()"
SERVER = SERVE.format("http.server.SimpleHTTPRequestHandler")
REFUSER = SERVE.format("http.server.BaseHTTPRequestHandler")

PIDS = re.compile(r"(\d+) (\d+)\n")
PARENT = """
import subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
print(subprocess.Popen(sleep).pid, subprocess.Popen(sleep, process_group=0).pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("run", [1, 2])
async def test_each_test_has_a_database_without_tables(postgres_url: str, run: int) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("CREATE TABLE mine AS SELECT 1")
    await connection.close()


async def test_a_connection_left_open_does_not_keep_a_database_from_being_dropped(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    connection.terminate()


@pytest.mark.parametrize("run", [1, 2])
def test_each_test_has_a_redis_without_keys(redis_url: str, run: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("mine", "yes")


def test_a_test_may_kill_its_own_servers(postgres_server: Server, redis_server: Server, redis_url: str) -> None:
    postgres_server.kill()
    redis_server.kill()
    assert (postgres_server.is_running, redis_server.is_running) == (False, False)
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()


def test_eventually_returns_the_first_truthy_value(eventually: Callable[..., Any]) -> None:
    values = iter([0, None, "", "first", "second"])
    assert eventually(values.__next__, interval=0.001) == "first"


def test_eventually_fails_with_the_last_value(eventually: Callable[..., Any]) -> None:
    with pytest.raises(AssertionError, match=r"nothing within 0.05 s; the last answer was \[\]"):
        eventually(list, timeout=0.05)


def test_eventually_fails_with_the_last_exception(eventually: Callable[..., Any]) -> None:
    values: dict[str, int] = {}
    with pytest.raises(AssertionError, match=r"KeyError\('absent'\)"):
        eventually(lambda: values["absent"], timeout=0.05)


def test_eventually_looks_once_more_after_a_long_pause(eventually: Callable[..., Any]) -> None:
    values = iter([None, "late"])
    assert eventually(values.__next__, timeout=0.02, interval=0.03) == "late"


def test_a_service_is_handed_out_when_it_answers(start_service: ServiceFactory, free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}/"
    service = start_service([sys.executable, "-c", SERVER, str(free_port)], {}, url=url)
    assert service.running
    assert "GET / HTTP/1.1" in service.stderr


def test_a_service_that_answers_with_an_error_answers(start_service: ServiceFactory, free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}/"
    assert start_service([sys.executable, "-c", REFUSER, str(free_port)], {}, url=url).running


def test_a_service_that_ends_before_it_answers_shows_its_output(start_service: ServiceFactory, free_port: int) -> None:
    with pytest.raises(EndedError, match=r"ended with 3: (?s:.*)out(?s:.*)err"):
        start_service(
            [sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"],
            {},
            url=f"http://127.0.0.1:{free_port}/",
        )


def test_a_service_tells_its_exit_status(start_service: ServiceFactory, eventually: Callable[..., Any]) -> None:
    service = start_service([sys.executable, "-c", "print('ready', flush=True); import time; time.sleep(60)"], {})
    eventually(lambda: "ready" in service.stdout)
    service.terminate(signal.SIGINT)
    assert (service.wait(10), "KeyboardInterrupt" in service.stderr) == (-signal.SIGINT, True)


def test_nothing_of_a_service_outlives_it(start_service: ServiceFactory, eventually: Callable[..., Any]) -> None:
    service = start_service([sys.executable, "-c", PARENT], {})
    child, own_group = (int(number) for number in eventually(lambda: PIDS.fullmatch(service.stdout)).groups())
    service.terminate(signal.SIGKILL)
    service.wait()
    assert psutil.pid_exists(child)
    service.kill()
    assert [number for number in (child, own_group) if alive(number)] == []


def alive(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_service_runs_the_virtual_environments_programs(start_service: ServiceFactory) -> None:
    service = start_service(["python", "-c", "import sys; print(sys.prefix)"], {"PATH": os.defpath})
    assert (service.wait(), Path(service.stdout.strip())) == (0, Path(sys.prefix))


def test_a_service_inherits_no_settings_of_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "inherited")
    monkeypatch.setenv("MITA_STRICT", "1")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    environment = clean_environment({"MITA_SHUTDOWN_TIMEOUT": "1"})
    # Tests that are not about rate limits must not meet one.
    own = {"MITA_SHUTDOWN_TIMEOUT", "MITA_RATE_LIMITING"}
    assert {name for name in environment if name.startswith(("OTEL_", "MITA_", "PYTHON"))} == own


def test_a_service_that_takes_too_long_is_not_left_running(start_service: ServiceFactory, free_port: int) -> None:
    mark = f"sleeper-{time.monotonic_ns()}"
    with pytest.raises(AssertionError, match="nothing within"):
        start_service(
            [sys.executable, "-c", "import time; time.sleep(60)", mark],
            {},
            url=f"http://127.0.0.1:{free_port}/",
            timeout=0.1,
        )
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert mark not in listed
