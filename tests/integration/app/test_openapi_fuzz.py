"""Whatever the API's description allows or forbids: no answer is a fault, each is as described and has its span."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.main import create_app
from app.settings import Settings
from mita_otel.errors.body import SCHEMA
from mita_otel.stack.databases import Server
from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ServiceProcess
from tests.integration.app.conftest import external
from tests.unit.app.receipts import png
from tests.unit.errors.test_body import RFC_9457

EXAMPLES = 5
"""For each of some forty operations, besides those on the edge of what is described: some 1,500 together, in half a
minute, and the same ones each time."""

EXCLUDED = "/health"
"""Not traced, whatever the method."""

SERVER = 2
"""The kind, as OTLP has it."""

BEYOND_REACH = {
    "GET /api/auth/google/callback",
    "POST /api/auth/login",
    "POST /api/auth/password-reset/confirm",
    "POST /api/auth/refresh",
    "POST /api/purchases",
    "POST /api/receipts",
}
"""Operations that succeed only with a secret, or a file, that nobody guesses."""

pytestmark = pytest.mark.xdist_group("fuzz")

schema = schemathesis.openapi.from_dict(create_app(Settings(jwt_secret="s" * 40)).openapi())


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    receiver = OtlpReceiver()
    receiver.start()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="module")
def service(  # noqa: PLR0917 - fixtures
    receiver: OtlpReceiver,
    postgres_template: str,
    shared_postgres: Server,
    shared_redis: Server,
    shared_standin: str,
    administer: Callable[[str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The service as it is run, but for the cost of a hash, on real servers."""
    name = f"fuzz_{uuid4().hex}"
    administer(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name.upper(): str(value) for name, value in external(shared_standin).items()}
    environment |= {
        "DATABASE_URL": shared_postgres.url_of(name),
        "REDIS_URL": shared_redis.url_of("0"),
        "JWT_SECRET": "s" * 40,
        "PUBLIC_URL": url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_endpoint,
    }
    served = "tests.integration.app.served:app"
    command = ["opentelemetry-instrument", "uvicorn", served, "--port", str(port), "--log-level", "warning"]
    folder = tmp_path_factory.mktemp("fuzz")
    process = ServiceProcess(command, environment, folder, url=f"{url}/health")
    yield url
    process.kill()
    administer(f"DROP DATABASE {name} WITH (FORCE)")
    assert "Traceback" not in process.stderr


@pytest.fixture(scope="module")
def reached() -> dict[str, set[int]]:
    """The statuses that each operation was answered with."""
    return {}


@pytest.fixture(scope="module")
def answers() -> list[str]:
    """The `traceresponse` of every answer."""
    return []


@pytest.fixture(scope="module")
def error_ids() -> list[str]:
    """The id of every error that the fuzz was answered with."""
    return []


@pytest.fixture(scope="module")
def client(service: str, answers: list[str]) -> Iterator[httpx.Client]:
    def note(response: httpx.Response) -> None:
        answers.append(response.headers["traceresponse"])

    with httpx.Client(base_url=service, event_hooks={"response": [note]}) as client:
        yield client


@pytest.fixture(scope="module")
def user(client: httpx.Client) -> dict[str, str]:
    return sign_up(client)


def sign_up(client: httpx.Client) -> dict[str, str]:
    body = {"email": f"{uuid4().hex}@example.com", "password": "correct horse", "currency": "USD"}
    answer = client.post("/api/auth/register", json=body)
    assert answer.status_code == 201
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


class Known:
    """Things that are there, by the name of the parameter that takes their id."""

    def __init__(self, client: httpx.Client, user: dict[str, str]) -> None:
        self._client = client
        self._user = user
        self._ids: dict[str, str] = {}

    def id_of(self, name: str, *, anew: bool) -> str:
        if anew or name not in self._ids:
            self._ids[name] = getattr(self, f"_{name}")()
        return self._ids[name]

    def _goal_id(self) -> str:
        return self._post("/api/goals", json={"name": "bicycle", "target": "100"})

    def _transaction_id(self) -> str:
        return self._post("/api/transactions", json={"amount": "5", "category": "food"})

    def _receipt_id(self) -> str:
        return self._post("/api/receipts", files={"file": ("a", png())})

    def _notification_id(self) -> str:
        bought = {"store": "app_store", "transaction_id": "1", "product": "tips.small"}
        self._post("/api/purchases", json={**bought, "receipt": "valid:tips.small:1"})
        shown = self._client.get("/api/notifications", headers=self._user).json()
        return str(shown["items"][0]["id"])

    def _post(self, path: str, **body: Any) -> str:
        answer = self._client.post(path, headers=self._user, **body)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])


@pytest.fixture(scope="module")
def known(client: httpx.Client, user: dict[str, str]) -> Known:
    for category in client.get("/api/transactions/categories").json():
        budget = {"month": "2026-11", "category": category, "limit": "100"}
        assert client.put("/api/budgets", json=budget, headers=user).status_code == 204
    return Known(client, user)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_input_is_a_fault(  # noqa: PLR0917 - fixtures
    case: schemathesis.Case[Any],
    service: str,
    client: httpx.Client,
    user: dict[str, str],
    known: Known,
    reached: dict[str, set[int]],
    answers: list[str],
    error_ids: list[str],
) -> None:
    operation = f"{case.method} {case.path}"
    for name, value in (case.path_parameters or {}).items():
        # Of ids that can be one, nobody guesses one that is.
        if is_uuid(value):
            case.path_parameters[name] = known.id_of(name, anew=case.method == "DELETE")
    headers = sign_up(client) if operation == "DELETE /api/users/me" else user
    response = case.call(base_url=service, headers=headers, allow_redirects=False)
    reached.setdefault(operation, set()).add(response.status_code)
    if case.path != EXCLUDED:
        answers.append(response.headers["traceresponse"][0])
    if response.status_code >= 400 and case.path != EXCLUDED:
        error_ids.append(standard_error(response.json(), response.status_code, response.headers["x-error-id"][0]))
    case.validate_response(
        response,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )


def standard_error(body: dict[str, Any], status: int, header: str) -> str:
    """Return the id of an error, whose body is what both of its readers expect."""
    for schema in (SCHEMA, RFC_9457):
        jsonschema_rs.validate(dict(schema), body)
    assert body["status"] == status
    error_id: str = body["error"]["error_id"]
    assert error_id == header
    return error_id


def is_uuid(text: object) -> bool:
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True


def test_what_was_tried_reached_what_the_operations_do(reached: dict[str, set[int]]) -> None:
    """Without a success the checks above would only have seen refusals."""
    operations = {f"{method.upper()} {path}" for path, item in schema.raw_schema["paths"].items() for method in item}
    never = {name for name in operations if not any(status < 400 for status in reached[name])}
    assert never == BEYOND_REACH


def test_every_answer_has_one_server_span_and_no_span_is_without_an_answer(
    receiver: OtlpReceiver, answers: list[str]
) -> None:
    answered = [match.group(1) for answer in answers if (match := re.fullmatch(r"00-\w{32}-(\w{16})-\w\w", answer))]
    assert len(answered) == len(answers) == len(set(answered))

    def served() -> list[str]:
        return [span["span_id"] for span in receiver.spans if span["kind"] == SERVER]

    eventually(lambda: len(served()) >= len(answers))
    assert Counter(served()) == Counter(answered)


def test_every_error_is_found_by_its_id_in_the_log_and_on_a_span(receiver: OtlpReceiver, error_ids: list[str]) -> None:
    def told(items: list[dict[str, Any]]) -> Counter[str]:
        ids = (item["attributes"].get("mita.error.id") for item in items)
        return Counter(error_id for error_id in ids if error_id in wanted)

    wanted = set(error_ids)
    assert len(wanted) == len(error_ids) > 100
    once = Counter(error_ids)
    eventually(lambda: [(once - told(items)).total() for items in (receiver.spans, receiver.log_records)] == [0, 0])
    # An alert repeats the id of the error that reached a threshold.
    alerts = Counter(
        record["attributes"]["mita.error.id"]
        for record in receiver.log_records
        if record["attributes"].get("event.name") == "mita.error.alert"
    )
    assert told(receiver.log_records) - alerts == once
