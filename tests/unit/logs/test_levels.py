"""Levels by component: a beginning, which the application may change."""

import logging
import logging.config
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mita_otel.logs.levels import COMPONENTS, apply, chosen
from mita_otel.settings import Settings, SettingsError

NAMES = ("sqlalchemy", "fastapi", "uvicorn", "security", "audit", "app", "shop", "shop.noisy")


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    saved = {name: logging.getLogger(name).level for name in NAMES}
    for name in NAMES:
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield
    for name, level in saved.items():
        logging.getLogger(name).setLevel(level)


def test_the_components_are_those_of_the_report() -> None:
    assert {component: level for component, (_, level) in COMPONENTS.items()} == {
        "Application": "INFO",
        "Security": "INFO",
        "Audit": "INFO",
        "SQLAlchemy": "WARNING",
        "FastAPI": "INFO",
        "Uvicorn": "INFO",
    }


def test_sqlalchemy_is_quieter_than_the_rest(open_room: Callable[..., Any]) -> None:
    room = open_room(level="INFO")
    logging.getLogger("sqlalchemy.pool").info("x")
    logging.getLogger("sqlalchemy.pool").warning("y")
    logging.getLogger("fastapi").info("z")

    assert [line["message"] for line in room.lines] == ["y", "z"]


def test_a_default_makes_nothing_louder() -> None:
    assert chosen("ERROR", {}) == {}
    assert chosen("DEBUG", {})["app"] == logging.INFO


def test_a_level_that_was_chosen_holds(open_room: Callable[..., Any]) -> None:
    room = open_room(level="ERROR", levels={"shop.noisy": "DEBUG", "sqlalchemy": "DEBUG"})
    logging.getLogger("shop.noisy").debug("x")
    logging.getLogger("shop").warning("y")
    logging.getLogger("sqlalchemy").debug("z")

    assert [line["message"] for line in room.lines] == ["x", "z"]


def test_what_the_application_has_set_stays() -> None:
    logging.getLogger("sqlalchemy").setLevel(logging.DEBUG)
    undo = apply(chosen("INFO", {"shop": "ERROR"}))

    assert logging.getLogger("sqlalchemy").level == logging.DEBUG
    assert logging.getLogger("shop").level == logging.ERROR
    undo()
    assert logging.getLogger("shop").level == logging.NOTSET


def test_what_the_application_configures_later_wins(open_room: Callable[..., Any]) -> None:
    room = open_room(level="INFO", levels={"shop": "ERROR"})
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "loggers": {"shop": {"level": "INFO"}}})
    logging.getLogger("shop").info("x")

    assert [line["message"] for line in room.lines] == ["x"]


def test_the_setting_is_a_list_of_pairs() -> None:
    settings = Settings.read({"MITA_LOG_LEVELS": "shop.noisy=debug, sqlalchemy = ERROR,"})

    assert settings.log_levels == {"shop.noisy": "DEBUG", "sqlalchemy": "ERROR"}


@pytest.mark.parametrize("value", ["shop", "=INFO", "shop=LOUD", "shop="])
def test_a_level_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="MITA_LOG_LEVELS"):
        Settings.read({"MITA_LOG_LEVELS": value})
