"""Our handler stays in place, once, whatever configures logging, and its faults stay its own."""

import copy
import io
import logging
import logging.config
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gunicorn.config import Config as Gunicorn
from gunicorn.glogging import Logger
from opentelemetry import context as otel_context
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
from uvicorn.config import LOGGING_CONFIG, Config

from mita_otel.logs.otlp import MAX_LOGGERS

NAMES = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "gunicorn.error", "gunicorn.access", "shop")


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """Leave the loggers that these tests configure as they were."""
    saved = [(logging.getLogger(name), logging.getLogger(name).__dict__.copy()) for name in NAMES]
    others = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    enabled = [one for one in others if not one.disabled]
    for logger, _ in saved:
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
        logger.disabled = False
    yield
    for logger in enabled:
        logger.disabled = False
    for logger, state in saved:
        logger.__dict__.update(state)
        logger.manager._clear_cache()  # type: ignore[attr-defined] # levels are cached


def messages(room: Any) -> list[str]:
    return [line["message"] for line in room.lines]


def test_a_record_below_the_level_costs_nothing(open_room: Callable[..., Any]) -> None:
    room = open_room(level="INFO")
    logging.getLogger("shop").debug("x")

    assert room.lines == []
    assert room.exported == []


def test_the_applications_own_level_is_kept(open_room: Callable[..., Any]) -> None:
    logging.root.setLevel(logging.ERROR)
    open_room(level="INFO")

    assert logging.root.level == logging.ERROR


def test_basic_config_still_sets_the_level_and_adds_no_second_line(
    room: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.root.handlers[:] = [
        handler for handler in logging.root.handlers if type(handler).__name__ == "EntryHandler"
    ]
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="plain %(message)s")
    logging.getLogger("shop").info("quiet")
    logging.getLogger("shop").warning("loud")

    assert messages(room) == ["loud"]
    assert capsys.readouterr().out == ""


def test_handlers_that_are_not_for_the_console_stay(room: Any) -> None:
    kept = io.StringIO()
    logging.getLogger("shop").addHandler(logging.StreamHandler(kept))
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "root": {"level": "INFO"}})
    logging.getLogger("shop").info("x")

    assert kept.getvalue() == "x\n"
    assert messages(room) == ["x"]


def test_dict_config_with_a_logger_that_does_not_propagate_loses_no_line(
    room: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "handlers": {"console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}},
            "root": {"handlers": ["console"], "level": "INFO"},
            "loggers": {"shop": {"handlers": ["console"], "level": "INFO", "propagate": False}},
        }
    )
    logging.getLogger("shop").info("once")
    logging.getLogger().info("root")

    assert messages(room) == ["once", "root"]
    assert [record.body for record in room.exported] == ["once", "root"]
    assert capsys.readouterr().out == ""


def test_our_own_loggers_outlive_a_configuration_that_disables_all_there_are(room: Any) -> None:
    ours, theirs = logging.getLogger("mita_otel.web.slow"), logging.getLogger("shop")
    logging.config.dictConfig({"version": 1, "root": {"level": "INFO"}})
    ours.warning("slow request")
    theirs.warning("disabled, as asked for")

    assert messages(room) == ["slow request"]


def test_our_own_logger_that_was_disabled_before_stays_so(room: Any) -> None:
    ours = logging.getLogger("mita_otel.web.slow")
    ours.disabled = True
    logging.config.dictConfig({"version": 1, "root": {"level": "INFO"}})
    ours.warning("slow request")

    assert messages(room) == []


def test_a_logger_that_was_silenced_stays_silent(room: Any) -> None:
    silenced = logging.getLogger("shop")
    silenced.propagate = False
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "incremental": False})
    silenced.info("x")

    assert room.lines == []


def test_file_config_keeps_the_handler(room: Any, tmp_path: Any) -> None:
    path = tmp_path / "logging.ini"
    path.write_text(
        "[loggers]\nkeys=root\n[handlers]\nkeys=console\n[formatters]\nkeys=\n"
        "[logger_root]\nlevel=INFO\nhandlers=console\n"
        "[handler_console]\nclass=StreamHandler\nargs=(sys.stderr,)\n"
    )
    logging.config.fileConfig(path, disable_existing_loggers=False)
    logging.getLogger("shop").info("x")

    assert messages(room) == ["x"]


def test_a_configuration_that_fails_raises_and_keeps_the_handler(room: Any) -> None:
    with pytest.raises(ValueError, match="Unsupported version"):
        logging.config.dictConfig({"version": 2})
    logging.getLogger("shop").info("x")

    assert messages(room) == ["x"]


def test_uvicorns_configuration_writes_each_line_once(room: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Config("app:app", log_config=copy.deepcopy(LOGGING_CONFIG))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access"):
        logging.getLogger(name).info("from %s", name)

    assert messages(room) == ["from uvicorn", "from uvicorn.error", "from uvicorn.asgi", "from uvicorn.access"]
    assert len(room.exported) == 4
    assert capsys.readouterr() == ("", "")


def test_uvicorn_without_access_log_stays_without(room: Any) -> None:
    Config("app:app", log_config=copy.deepcopy(LOGGING_CONFIG), access_log=False)
    access = logging.getLogger("uvicorn.access")
    access.info("x")

    assert not access.hasHandlers()
    assert room.lines == []


def test_uvicorns_console_stays_when_stdout_is_not_ours(
    open_room: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    room = open_room(format="none")
    Config("app:app", log_config=copy.deepcopy(LOGGING_CONFIG))
    logging.getLogger("uvicorn.error").info("started")

    assert "started" in capsys.readouterr().err
    assert room.lines == []
    assert [record.body for record in room.exported] == ["started"]


def test_gunicorns_loggers_are_followed(room: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Gunicorn()
    settings.set("accesslog", "-")
    log = Logger(settings)
    log.info("booting")
    log.access_log.info("served")

    assert messages(room) == ["booting", "served"]
    assert capsys.readouterr() == ("", "")


def test_a_record_that_comes_twice_is_written_once(room: Any) -> None:
    handler = next(one for one in logging.root.handlers if type(one).__name__ == "EntryHandler")
    logging.getLogger("shop").addHandler(handler)
    logging.getLogger("shop").info("x")
    logging.getLogger("shop").info("x")

    assert messages(room) == ["x", "x"]


def test_undo_leaves_logging_as_it_was(open_room: Callable[..., Any]) -> None:
    before = (list(logging.root.handlers), logging.root.level, logging.config.dictConfig, logging.basicConfig)
    room = open_room()
    room.installed.undo()
    logging.getLogger("shop").warning("x")

    assert (list(logging.root.handlers), logging.root.level, logging.config.dictConfig, logging.basicConfig) == before
    assert room.lines == []


def test_a_fault_in_a_step_costs_only_its_fields(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mita_otel.correlation.current", _fail)
    logging.getLogger("shop").info("x", extra={"order": 7})

    assert room.lines[0]["order"] == 7
    assert room.exported[0].body == "x"
    assert room.faults == {"bind_request": 1}


def test_a_fault_in_otlp_does_not_cost_the_line(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mita_otel.logs.otlp.attributes_of", _fail)
    logging.getLogger("shop").info("x")

    assert messages(room) == ["x"]
    assert room.faults == {"otlp": 1}


def test_a_fault_in_the_handler_does_not_reach_the_caller(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mita_otel.logs.pipeline.Pipeline.__call__", _fail)
    logging.getLogger("shop").info("x")

    assert room.faults == {"handler": 1}


def test_a_stream_that_was_closed_is_tolerated_and_counted(open_room: Callable[..., Any]) -> None:
    room = open_room()
    room.stream.close()
    logging.getLogger("shop").info("x")

    assert room.faults["stdout"] == 1
    assert [record.body for record in room.exported] == ["x", "1 log records lost so far: 1 stdout (write_failed)"]


def test_a_record_made_while_another_is_exported_is_not_exported_again(room: Any) -> None:
    class Chatty:
        def on_emit(self, _: Any) -> None:
            logging.getLogger("shop.processor").info("queue full")

        def shutdown(self) -> None: ...

        def force_flush(self, timeout_millis: int = 0) -> bool:
            return True

        def enabled(self, **_: Any) -> bool:
            return True

    room.provider.add_log_record_processor(Chatty())
    logging.getLogger("shop").info("x")

    assert messages(room) == ["x", "queue full"]
    assert [record.body for record in room.exported] == ["x"]


@pytest.mark.parametrize("name", ["mita_otel.export", "opentelemetry.sdk._shared_internal", "opentelemetry.exporter.x"])
def test_records_about_the_export_stay_on_stdout(room: Any, name: str) -> None:
    logging.getLogger(name).warning("queue full")

    assert messages(room) == ["queue full"]
    assert room.exported == []


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "requests", "grpc._channel", "httpx"])
def test_records_of_the_transport_are_exported_unless_it_carries_an_export(room: Any, name: str) -> None:
    logging.getLogger(name).info("application's")
    token = otel_context.attach(otel_context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
    logging.getLogger(name).info("exporter's")
    otel_context.detach(token)

    assert messages(room) == ["application's", "exporter's"]
    assert [record.body for record in room.exported] == ["application's"]


def test_records_of_the_application_are_exported_where_spans_are_suppressed(room: Any) -> None:
    token = otel_context.attach(otel_context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
    logging.getLogger("shop").info("health check failed")
    otel_context.detach(token)

    assert [record.body for record in room.exported] == ["health check failed"]


def test_the_number_of_otel_loggers_is_bounded(room: Any) -> None:
    for number in range(MAX_LOGGERS + 10):
        record = logging.LogRecord(f"shop.{number}", logging.INFO, __file__, 1, "x", (), None)
        logging.root.handle(record)

    room.installed.flush()
    scopes = {item.instrumentation_scope.name for item in room.exporter.get_finished_logs()}
    assert len(scopes) == MAX_LOGGERS + 1
    assert room.exported[-1].attributes["log.logger"] == f"shop.{MAX_LOGGERS + 9}"


def test_lines_of_several_threads_do_not_mix(room: Any) -> None:
    def work(name: str) -> None:
        for number in range(100):
            logging.getLogger("shop").info("%s %s", name, number)

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(room.lines) == 400


def _fail(*_: Any, **__: Any) -> Any:
    raise RuntimeError("fault of ours")
