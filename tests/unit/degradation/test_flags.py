"""Feature flags."""

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from mita_otel.breakers import CircuitBreaker, Policy
from mita_otel.degradation import Mode, decide_by, feature_flag, flags, is_on, use_file, use_provider
from mita_otel.traces import request
from tests.fixtures.polling import eventually
from tests.unit.degradation.conftest import Flag


@feature_flag("reports", fallback="a summary")
async def report(of: str) -> str:
    return f"everything about {of}"


async def test_without_a_provider_a_flag_has_its_default(flag: Flag) -> None:
    assert await report("jane") == "everything about jane"
    assert not is_on("reports", default=False)


def test_a_request_remembers_its_flags_with_their_variants(flag: Flag) -> None:
    flag("reports", False)
    token = request.begin()
    is_on("reports")
    served = request.current()
    request.restore(token)
    assert served is not None
    assert served.flags == {"reports": "chosen"}


async def test_while_a_flag_is_off_there_is_the_fallback(flag: Flag) -> None:
    flag("reports", False)
    assert await report("jane") == "a summary"
    flag("reports", True)
    assert await report("jane") == "everything about jane"


async def test_a_fallback_may_be_made_of_the_arguments(flag: Flag) -> None:
    @feature_flag("reports", fallback=lambda of: f"something about {of}")
    async def made(of: str) -> str:
        return of

    flag("reports", False)
    assert await made("jane") == "something about jane"


@pytest.mark.parametrize("value", ["yes", 1, {"a": 1}])
async def test_a_flag_of_another_type_has_its_default(flag: Flag, value: object) -> None:
    flag("reports", value)
    assert await report("jane") == "everything about jane"


def test_breakers_and_budgets_decide(flag: Flag) -> None:
    def spent() -> dict[str, float | str]:
        return {"slo.insights.budget_remaining": -0.1}

    def decide(_: InMemoryFlag[str], context: EvaluationContext) -> FlagResolutionDetails[str]:
        known = context.attributes
        is_poor = float(str(known["slo.insights.budget_remaining"])) < 0 or known["cb.openai-flags.state"] != "closed"
        return FlagResolutionDetails("cached" if is_poor else "full")

    flag("anything", True)
    breaker = CircuitBreaker("openai-flags", Policy())
    decide_by(spent)
    try:
        use_provider(InMemoryProvider({"insights": InMemoryFlag("full", {"full": "full"}, context_evaluator=decide)}))
        assert flags.mode("insights") is Mode.CACHED
    finally:
        flags._sources.remove(spent)
        breaker.retire()


def test_a_source_that_fails_takes_nothing_else_away() -> None:
    def broken() -> dict[str, float | str]:
        raise RuntimeError

    decide_by(broken)
    try:
        assert dict(flags.context(user="jane").attributes)["user"] == "jane"
    finally:
        flags._sources.remove(broken)


def test_evaluations_are_told_of_when_they_change(flag: Flag, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mita_otel.degradation"):
        for value in (True, True, False):
            flag("reports", value)
            is_on("reports")
    told = [
        record.__dict__ for record in caplog.records if record.__dict__.get("event.name") == "feature_flag.evaluation"
    ]
    assert [each["feature_flag.result.variant"] for each in told] == ["chosen"]
    assert (told[0]["feature_flag.key"], told[0]["feature_flag.result.reason"]) == ("reports", "static")
    assert told[0]["feature_flag.provider.name"] == "In-Memory Provider"


@pytest.fixture
def file(tmp_path: Path, flag: Flag) -> Iterator[Path]:
    yield tmp_path / "flags.json"
    api.clear_providers()
    # The provider's thread looks once more before it sees that it is over.
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("Flagd")])


def write(file: Path, value: str) -> None:
    content = {
        "flags": {
            "ai_insights": {"state": "ENABLED", "variants": {"on": "full", "down": "cached"}, "defaultVariant": value}
        }
    }
    aside = file.with_suffix(".new")
    aside.write_text(json.dumps(content))
    aside.replace(file)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_flags_are_read_from_a_file_and_anew_when_it_changes(file: Path) -> None:
    write(file, "down")
    use_file(file)
    eventually(lambda: flags.mode("ai_insights") is Mode.CACHED)
    write(file, "on")
    eventually(lambda: flags.mode("ai_insights") is Mode.FULL, timeout=20)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("content", [None, "", '{"flags": {"ai_ins', "[]"])
def test_a_file_that_is_missing_or_half_written_leaves_the_defaults(file: Path, content: str | None) -> None:
    if content is not None:
        file.write_text(content)
    use_file(file)
    assert flags.mode("ai_insights") is Mode.FULL
