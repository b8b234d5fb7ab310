"""A report has one verdict, one form as JSON, and survives a check that fails."""

import json
from dataclasses import replace

import pytest

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Check, Finding, Judgement, Verdict, error, ok, warning
from mita_otel.doctor.report import Report, diagnose
from mita_otel.doctor.settings import Row


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ((), 0),
        ((Verdict.OK,), 0),
        ((Verdict.OK, Verdict.WARNING), 1),
        ((Verdict.ERROR, Verdict.WARNING, Verdict.OK), 2),
    ],
)
def test_the_exit_code_is_that_of_the_worst(verdicts: tuple[Verdict, ...], status: int) -> None:
    findings = tuple(Finding("c", verdict, "s", "f") for verdict in verdicts)
    assert Report("command", findings, ()).exit_code == status


def test_a_report_comes_back_from_its_json() -> None:
    findings = (Finding("clock", Verdict.WARNING, "it is late", "set it"), Finding("queue", Verdict.OK, "empty"))
    made = Report("service", findings, (Row("MITA_STRICT", "true", "environment", "true or false"),))
    assert Report.from_json(made.as_json()) == made


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"findings": [{}], "settings": [], "where": "service"}', "<html>"])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Report.from_json(text)


def test_a_check_that_fails_is_told_and_costs_no_other_its_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Facts) -> list[Judgement]:
        raise ZeroDivisionError("no reason")

    checks = (Check("broken", "nothing", fail), Check("sound", "nothing", lambda _: [ok("fine")]))
    monkeypatch.setattr("mita_otel.doctor.report.CHECKS", checks)
    found = diagnose(Facts(), {}).findings
    assert [finding.check for finding in found] == ["broken", "sound"]
    assert found[0].sentence == "the check itself failed: ZeroDivisionError: no reason"
    assert found[0].verdict is Verdict.ERROR


def test_a_report_of_a_running_service_says_so_with_its_counts(in_order: Facts) -> None:
    made = json.loads(diagnose(in_order, {}).as_json())
    assert (made["where"], made["verdict"]) == ("service", "ok")
    assert made["live"]["queues"][0]["accepted"] == 1000
    alone = json.loads(diagnose(replace(in_order, live=None), {}).as_json())
    assert (alone["where"], alone["live"]) == ("command", None)


def test_only_what_is_not_in_order_needs_a_fix() -> None:
    assert (ok("s").fix, warning("s", "f").fix, error("s", "f").fix) == ("", "f", "f")
