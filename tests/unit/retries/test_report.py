import json

import pytest

from mita_otel.retries import Registry, report
from tests.unit.retries.test_retry import Flaky, Make


async def test_it_tells_what_was_done_for_each_dependency(retry: Make, registry: Registry) -> None:
    made = retry("rates")
    await made.call_async(Flaky(2).later)
    with pytest.raises(ConnectionError):
        await made.call_async(Flaky(9).later)
    told = json.loads(report(registry))
    assert told["scope"] == "process"
    [rates] = told["retries"]
    assert (rates["dependency"], rates["calls"], rates["attempts"], rates["amplification"]) == ("rates", 2, 6, 3.0)
    assert rates["exhausted"]["attempts"] == 1
    assert 5 < rates["budget"] < 8
