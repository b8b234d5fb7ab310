"""Sensitive strings planted everywhere telemetry can carry them, then looked for in everything that keeps it."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from mita_otel.stack import NativeStack
from tests.fixtures.bugsink import Bugsink, bugsink_running
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ServiceProcess
from tests.stack.corpus import Secret, corpus, searched_for

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

SECRETS = corpus()
A_REQUEST = 20
PLACES = ("jaeger", "loki", "prometheus", "reports", "bugsink", "stdout", "files", "audit")
"""Where every harmless string must be found, too; metrics and answers hold none of an application's texts."""
CONTROL = "harmless-control-"
CODE = r"cvv([^0-9A-Za-z]|%[0-9A-F]{2}){1,12}[0-9]{3,4}([^0-9A-Za-z]|$)"
"""A security code with its name before it, in any quotes, escapes and encodings."""


def test_the_corpus_is_two_thousand_strings_of_twelve_kinds() -> None:
    assert len(SECRETS) == 2_000
    assert len({secret.name for secret in SECRETS}) == 12
    assert len({secret.value for secret in SECRETS if secret.name != "cvv"}) == sum(s.name != "cvv" for s in SECRETS)


class Kept:
    """Everything that was kept of a service, a folder a place, and what is found in it."""

    def __init__(self, folder: Path, secrets: list[Secret]) -> None:
        folder.mkdir()
        self.folder = folder
        self._patterns = folder / "patterns"
        self._patterns.write_text("\n".join(sorted(set(searched_for(secrets)))))

    def put(self, place: str, text: str) -> None:
        (self.folder / place).mkdir(exist_ok=True)
        (self.folder / place / f"{len(list((self.folder / place).iterdir()))}.txt").write_text(text)

    def take(self, place: str, folder: Path) -> None:
        """Look through a folder as it is: databases, their journals, files."""
        shutil.copytree(folder, self.folder / place)

    def secrets(self, place: str) -> list[str]:
        """Return what is found of the corpus, and security codes."""
        return sorted({*self._grep("-F", "-f", str(self._patterns), place=place), *self._grep("-E", CODE, place=place)})

    def controls(self, place: str) -> set[str]:
        """Return which of the harmless strings are found: whether the search would find anything."""
        return set(self._grep("-E", f"{CONTROL}[0-9]+", place=place))

    def _grep(self, *pattern: str, place: str) -> list[str]:
        command = [
            "grep",
            "--recursive",
            "--text",
            "--only-matching",
            "--no-filename",
            *pattern,
            str(self.folder / place),
        ]
        ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        assert ran.returncode in (0, 1), ran.stderr
        return ran.stdout.splitlines()


def _bodies(secrets: list[Secret]) -> Iterator[list[dict[str, str]]]:
    """Yield what each request is sent: secrets, and one to three harmless strings among them."""
    numbers = count()
    for turn, start in enumerate(range(0, len(secrets), A_REQUEST)):
        some = secrets[start : start + A_REQUEST]
        controls = [f"{CONTROL}{next(numbers)}" for _ in range(1 + turn % 3)]
        body = [{"name": secret.name, "value": secret.value, "said": secret.said} for secret in some]
        yield [*body, *({"name": "note", "value": control, "said": control} for control in controls)]


@pytest.fixture
def bugsink(tmp_path: Path) -> Iterator[Bugsink]:
    with bugsink_running(tmp_path) as server:
        yield server


@pytest.fixture
def careless(
    stack: NativeStack,
    bugsink: Bugsink,
    start_service: Callable[..., ServiceProcess],
    redis_url: str,
    tmp_path: Path,
) -> Iterator[tuple[str, ServiceProcess, httpx.Client]]:
    """The service's name, its process and a client of it."""
    stack.up(standard=False)
    port, name = find_free_port(), f"careless-{uuid4().hex[:8]}"
    (tmp_path / "audit").mkdir()
    process = start_service(
        ["opentelemetry-instrument", "uvicorn", "tests.stack.careless:app", "--port", str(port)],
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": stack.endpoints.otlp_http,
            "OTEL_SERVICE_NAME": name,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "MITA_STRICT": "1",
            "MITA_LOG_DIRECTORY": str(tmp_path / "logs"),
            "MITA_BAGGAGE_HOSTS": "127.0.0.1",
            "MITA_AUDIT_SIGNING_KEY": f"test:{'k' * 32}",
            "SENTRY_DSN": bugsink.dsn,
            "REDIS_URL": redis_url,
            "CARELESS_FOLDER": str(tmp_path / "audit"),
            "CARELESS_SINK": f"http://127.0.0.1:{port}/sink",
            "PYTHONPATH": ".",
        },
    )
    process.wait_until_it_answers(f"http://127.0.0.1:{port}/health")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, headers={"connection": "close"}) as client:
        yield name, process, client


def test_of_two_thousand_strings_none_is_found_anywhere_and_every_harmless_one_is(
    stack: NativeStack, bugsink: Bugsink, careless: tuple[str, ServiceProcess, httpx.Client], tmp_path: Path
) -> None:
    name, process, client = careless
    kept = Kept(tmp_path / "kept", SECRETS)
    began = time.time()
    bodies = list(_bodies(SECRETS))
    for body in bodies:
        kept.put("answers", _ask(client, body))
    bugsink.wait_for(len(bodies), timeout=60)
    process.terminate()
    process.wait(20)
    controls = {each["value"] for body in bodies for each in body if each["name"] == "note"}

    def all_there(place: str, read: Callable[[], str]) -> None:
        def complete() -> bool:
            kept.put(place, read())
            return kept.controls(place) == controls

        eventually(complete, timeout=60, interval=1)

    all_there("jaeger", lambda: _jaeger(stack, name))
    all_there("loki", lambda: _loki(stack, name, began))
    kept.put("prometheus", _prometheus(stack, name, began))
    kept.put("reports", json.dumps(bugsink.events()))
    kept.put("stdout", process.stdout + process.stderr)
    kept.take("bugsink", tmp_path / "bugsink")
    kept.take("files", tmp_path / "logs")
    kept.take("audit", tmp_path / "audit")
    found = {place: kept.secrets(place) for place in (*PLACES, "answers")}
    assert found == {place: [] for place in (*PLACES, "answers")}
    seen = {place: kept.controls(place) for place in PLACES if place != "prometheus"}
    assert {place for place, some in seen.items() if some != controls} == set()
    assert name in (kept.folder / "prometheus" / "0.txt").read_text()


def test_the_search_finds_a_planted_string_of_each_kind_in_any_spelling(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept", SECRETS)
    for number, secret in enumerate(SECRETS[:24]):
        place = f"place-{number}"
        kept.put(place, json.dumps({"x": json.dumps({secret.name: secret.value})}))
        assert kept.secrets(place), secret
        kept.put(f"{place}-said", f"GET /?q={quote(secret.said)} HTTP/1.1")
        assert kept.secrets(f"{place}-said"), secret


def _ask(client: httpx.Client, body: list[dict[str, str]]) -> str:
    """Send a request that fails, and one that is not valid; return what the client is told."""
    headers = {each["name"]: each["value"] for each in body if each["name"] in {"authorization", "cookie"}}
    query = {each["name"]: each["value"] for each in body if each["name"] not in headers}
    failed = client.post("/careless", json=body, headers=headers, params=query)
    assert failed.status_code >= 500
    refused = client.post("/careless", json=[{**body[0], "value": [body[0]["value"]]}])
    assert refused.status_code == 422
    return f"{failed.headers}{failed.text}{refused.text}"


def _jaeger(stack: NativeStack, name: str) -> str:
    asked = {"service": name, "limit": "1500", "lookback": "1h"}
    return httpx.get(f"{stack.endpoints.jaeger}/api/traces", params=asked, timeout=60).text


def _loki(stack: NativeStack, name: str, began: float) -> str:
    """Return every line with its labels and structured metadata, a second at a time."""
    url = f"{stack.endpoints.loki}/loki/api/v1/query_range"
    answers = []
    for second in range(int(began), int(time.time()) + 1):
        asked: dict[str, Any] = {
            "query": f'{{service_name="{name}"}}',
            "limit": 5_000,
            "start": second,
            "end": second + 1,
        }
        answer = httpx.get(url, params=asked, timeout=30)
        lines = sum(len(stream["values"]) for stream in answer.json()["data"]["result"])
        assert lines < 5_000, "more lines in a second than an answer holds"
        answers.append(answer.text)
    return "\n".join(answers)


def _prometheus(stack: NativeStack, name: str, began: float) -> str:
    """Return the labels of every series, and every exemplar."""
    query = f'{{service_name="{name}"}}'
    bounds = {"start": str(began - 60), "end": str(time.time() + 60)}
    api = f"{stack.endpoints.prometheus}/api/v1"
    series = eventually(
        lambda: (
            answer if name in (answer := httpx.get(f"{api}/series", params={"match[]": query, **bounds}).text) else ""
        ),
        timeout=30,
    )
    return series + httpx.get(f"{api}/query_exemplars", params={"query": query, **bounds}, timeout=30).text
