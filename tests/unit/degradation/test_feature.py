"""The ladder down from a feature, and up again."""

import logging
from typing import Any

import pytest
from opentelemetry.metrics import CallbackOptions

from mita_otel.breakers import CircuitOpenError
from mita_otel.degradation import Cause, Feature, FeatureOffError, Mode, Note, Served, notes
from mita_otel.degradation.telemetry import Modes
from mita_otel.retries import TimeLimit
from tests.unit.degradation.conftest import Flag


class Model:
    """A language model in whatever mood a test wants."""

    error: Exception | None = None
    calls = 0

    async def __call__(self) -> list[str]:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return ["eat less"]


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def modes() -> Modes:
    return Modes()


@pytest.fixture
def feature(modes: Modes) -> Feature[list[str]]:
    return Feature("ai_insights", list[str], modes=modes, seconds_needed=1.0)


async def served(feature: Feature[list[str]], model: Model) -> Served[list[str]]:
    return await feature.serve(model, key="jane", generic=lambda: ["spend less"])


async def test_while_all_is_well_it_is_all_there(feature: Feature[list[str]], model: Model) -> None:
    assert await served(feature, model) == Served(["eat less"], Mode.FULL)


async def test_it_goes_down_the_ladder_and_climbs_back_by_itself(feature: Feature[list[str]], model: Model) -> None:
    model.error = ConnectionError()
    assert await served(feature, model) == Served(["spend less"], Mode.GENERIC, Cause.FAILURE)
    model.error = None
    await served(feature, model)
    model.error = CircuitOpenError("openai", 30)
    kept = await served(feature, model)
    assert (kept.value, kept.mode, kept.cause) == (["eat less"], Mode.CACHED, Cause.CIRCUIT_OPEN)
    assert kept.age is not None
    model.error = None
    assert (await served(feature, model)).mode is Mode.FULL


async def test_a_refusal_is_known_behind_what_it_was_wrapped_in(feature: Feature[list[str]], model: Model) -> None:
    model.error = RuntimeError()
    model.error.__cause__ = CircuitOpenError("openai", 30)
    assert (await served(feature, model)).cause is Cause.CIRCUIT_OPEN


async def test_another_users_answer_is_nobodys(feature: Feature[list[str]], model: Model) -> None:
    await served(feature, model)
    model.error = ConnectionError()
    assert (await feature.serve(model, key="john", generic=lambda: ["spend less"])).mode is Mode.GENERIC


async def test_with_nothing_left_it_is_off_and_says_so(feature: Feature[list[str]], model: Model) -> None:
    model.error = ConnectionError()
    with pytest.raises(FeatureOffError) as caught:
        await feature.serve(model, key="jane")
    error = caught.value
    assert (error.status, error.code, error.headers, error.__cause__) == (
        503,
        "FEATURE_UNAVAILABLE",
        {"Retry-After": "30"},
        model.error,
    )


async def test_what_nothing_can_stand_in_for_goes_on(feature: Feature[list[str]], model: Model) -> None:
    model.error = KeyError("no such month")
    with pytest.raises(KeyError):
        await feature.serve(model, key="jane", generic=list, failures=(ConnectionError,))


@pytest.mark.parametrize(
    ("value", "mode"), [("cached", Mode.GENERIC), ("generic", Mode.GENERIC), ("nonsense", Mode.FULL)]
)
async def test_the_flag_says_where_to_begin(
    feature: Feature[list[str]], model: Model, flag: Flag, value: str, mode: Mode
) -> None:
    flag("ai_insights", value)
    found = await served(feature, model)
    assert (found.mode, model.calls) == (mode, int(mode is Mode.FULL))


async def test_a_flag_may_switch_it_off(feature: Feature[list[str]], model: Model, flag: Flag) -> None:
    flag("ai_insights", "off")
    with pytest.raises(FeatureOffError):
        await served(feature, model)


async def test_what_the_deadline_would_cut_off_is_not_begun(feature: Feature[list[str]], model: Model) -> None:
    async with TimeLimit(0.5):
        found = await served(feature, model)
    assert (found.mode, found.cause, model.calls) == (Mode.GENERIC, Cause.DEADLINE, 0)


async def test_a_spent_budget_is_spared(modes: Modes, model: Model) -> None:
    feature: Feature[list[str]] = Feature("dear", list[str], modes=modes, budget=lambda: 0.05, budget_reserve=0.1)
    assert (await served(feature, model)).cause is Cause.BUDGET


async def test_the_user_is_told(feature: Feature[list[str]], model: Model) -> None:
    told: list[Note] = []
    token = notes.set(told)
    try:
        await served(feature, model)
        model.error = ConnectionError()
        await served(feature, model)
    finally:
        notes.reset(token)
    assert [str(note) for note in told] == ["ai_insights;mode=cached;age=0"]


async def test_the_mode_is_told_from_the_beginning_and_with_zeros(
    feature: Feature[list[str]], modes: Modes, model: Model
) -> None:
    def observed() -> dict[Any, float]:
        return {(o.attributes or {})["mode"]: o.value for o in modes.observations(CallbackOptions())}

    assert observed() == {"full": 1, "cached": 0, "generic": 0, "off": 0}
    model.error = ConnectionError()
    await served(feature, model)
    assert observed() == {"full": 0, "cached": 0, "generic": 1, "off": 0}


async def test_a_change_is_logged_once(
    feature: Feature[list[str]], model: Model, caplog: pytest.LogCaptureFixture
) -> None:
    model.error = ConnectionError()
    with caplog.at_level(logging.INFO, "mita_otel.degradation"):
        for _ in range(3):
            await served(feature, model)
        model.error = None
        await served(feature, model)
    changes = [record.getMessage() for record in caplog.records if "mita.degraded.mode" in record.__dict__]
    assert changes == ["ai_insights is generic", "ai_insights is full"]


def test_features_are_few(modes: Modes) -> None:
    for number in range(32):
        Feature(str(number), list[str], modes=modes)
    Feature("0", list[str], modes=modes)
    with pytest.raises(ValueError, match="'one more': there are 32 features already"):
        Feature("one more", list[str], modes=modes)
