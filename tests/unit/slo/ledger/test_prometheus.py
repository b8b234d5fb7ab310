"""What a Prometheus is asked of who spent the budgets, and what is made of its answers."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mita_otel.slo.ledger.prometheus import Asked, fetch
from tests.unit.slo import openslo

WEEK = {"duration": "7d", "isRolling": True}
SLOS = openslo.specification(
    openslo.slo("available"), openslo.slo("whole", ratio=openslo.requests("*"), window=WEEK)
).slos
NOW = 1_790_000_000.0
ORDERS = {"slo": "available", "dimension": "route", "contributor": "/orders/{id}"}


def _vector(*samples: tuple[dict[str, str], float]) -> Any:
    found = [{"metric": labels, "value": [NOW, str(value)]} for labels, value in samples]
    return {"resultType": "vector", "result": found}


class Known:
    """A Prometheus that knows a day of one objective."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.events = _vector(
            ({"slo": "available", "outcome": "good"}, 996), ({"slo": "available", "outcome": "bad"}, 4)
        )
        self.spent = _vector((ORDERS, 3), ({**ORDERS, "contributor": "/orders/new"}, 1))
        self.until: float | None = None
        self.slices = _vector(({"slo": "available"}, 864))
        self.exemplars: Any = [
            {
                "seriesLabels": {**ORDERS, "service_name": "shop"},
                "exemplars": [
                    {"labels": {"trace_id": f"{number:032x}", "span_id": "1"}, "value": "1", "timestamp": NOW - number}
                    for number in (5, 1, 3, 2, 3)
                ],
            }
        ]

    def __call__(self, url: str) -> Any:
        self.urls.append(url)
        query = self.queries[-1]
        if "query_exemplars" in url:
            return {"status": "success", "data": self.exemplars}
        if "timestamp(" in query:
            return {"status": "success", "data": _vector() if self.until is None else _vector(({}, self.until))}
        if "sum_over_time" in query:
            recorded = {"slo": "available", "outcome": "bad", "dimension": "route", "contributor": "/orders/{id}"}
            return {"status": "success", "data": _vector((recorded, 6))}
        found = self.spent if "contributor" in query else self.slices if "count_over_time" in query else self.events
        return {"status": "success", "data": found}

    @property
    def queries(self) -> list[str]:
        return [parse_qs(urlsplit(url).query)["query"][0] for url in self.urls]


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def asked(known: Known) -> Asked:
    return Asked("http://prometheus:9090/", 'the "shop"', known)


def _told(asked: Asked, **how: Any) -> Any:
    return asked.explained(SLOS, NOW, traces="http://jaeger/trace/{trace_id}", **how)


def test_the_biggest_spender_is_told_with_its_newest_traces(asked: Asked) -> None:
    told = _told(asked)
    [only] = told["slos"]
    assert (told["source"], told["scope"]) == ("prometheus", "service")
    assert (only["id"], only["bad"], only["total"], only["spent_ratio"], only["coverage"]) == (
        *("available", 4, 1000, 4, 0.1),
    )
    first = only["contributors"]["route"][0]
    assert (first["contributor"], first["share"], first["spent_ratio"]) == ("/orders/{id}", 0.75, 3)
    assert [trace["url"] for trace in first["traces"]] == [f"http://jaeger/trace/{number:032x}" for number in (1, 2, 3)]


def test_what_nobody_explained_is_told_as_unknown(asked: Asked) -> None:
    [only] = _told(asked)["slos"]
    assert only["contributors"]["flag"] == [
        {"contributor": "unknown", "bad": 4, "share": 1, "spent_ratio": 4, "traces": []}
    ]


def test_each_period_is_asked_for_once_and_of_the_service_alone(asked: Asked, known: Known) -> None:
    _told(asked)
    assert [sum(f"[{days * 86_400}s]" in query for query in known.queries) for days in (30, 7)] == [3, 3]
    assert all(r'service_name="the \"shop\""' in query for query in known.queries)


def test_a_long_time_is_what_was_recorded_and_what_came_since(asked: Asked, known: Known) -> None:
    known.until = NOW - 120
    [only] = _told(asked, name="available")["slos"]
    raw = [query for query in known.queries if "max_over_time(mita" in query]
    assert len(raw) == 2
    assert all("[120s]" in query and "offset 120s" in query for query in raw)
    assert (only["bad"], only["total"]) == (4 + 6, 1000 + 6)
    assert [each["bad"] for each in only["contributors"]["route"]] == [3 + 6, 1]


def test_an_hour_needs_nothing_recorded(asked: Asked, known: Known) -> None:
    known.until = NOW - 120
    _told(asked, name="available", window="1h")
    assert len(known.urls) == 4
    assert all('slo="available"' in query for query in known.queries)
    assert "[3600s]" in known.queries[0]
    assert f"start={NOW - 3_600:.3f}" in known.urls[-1]


def test_an_objective_that_is_not_there_is_not_asked_for(asked: Asked, known: Known) -> None:
    with pytest.raises(LookupError, match="'whole'"):
        _told(asked, name="wholes")
    assert known.urls == []


@pytest.mark.parametrize(
    ("part", "answer"),
    [
        ("events", None),
        ("events", {"result": [{"metric": {}, "value": [0, "1"]}]}),
        ("spent", _vector((ORDERS, float("nan")))),
        ("spent", _vector((ORDERS, -1.0))),
        ("exemplars", [{"seriesLabels": {}}]),
        ("exemplars", {"a": 1}),
    ],
    ids=[
        "nothing",
        "no labels",
        "no number",
        "less than nothing",
        "exemplars of nothing",
        "exemplars of another shape",
    ],
)
def test_an_answer_that_cannot_be_is_refused(asked: Asked, known: Known, part: str, answer: Any) -> None:
    setattr(known, part, answer)
    with pytest.raises(ValueError, match=r"shape|cannot|result"):
        _told(asked)


def test_other_urls_are_not_opened() -> None:
    with pytest.raises(ValueError, match="http"):
        fetch("file:///etc/passwd")
