"""One thread writes what many ask for, and answers after the commit."""

import asyncio
from pathlib import Path

import pytest

from mita_otel.console.receive.intake import Intake
from mita_otel.console.receive.transaction import Answer, Asked, Transactions
from mita_otel.console.store.writing import Signal, Store
from tests.fixtures.otlp_requests import span, traces


def asked() -> Asked:
    return Asked(Signal.TRACES, traces(span()).SerializeToString())


async def test_requests_that_come_together_are_written_together(
    transactions: Transactions, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    serve = transactions.serve

    def watched(requests: list[Asked]) -> list[Answer]:
        sizes.append(len(requests))
        return serve(requests)

    monkeypatch.setattr(transactions, "serve", watched)
    intake = Intake(transactions)
    waiting = asyncio.gather(*(asyncio.ensure_future(later(intake)) for _ in range(50)))
    await asyncio.sleep(0)
    intake.start()
    answers = await waiting
    await intake.close()
    assert {answer.status for answer in answers} == {200}
    assert sum(sizes) == 50
    assert len(sizes) < 50
    assert store.connection.execute("SELECT count(*) FROM spans").fetchone() == (50,)


async def later(intake: Intake) -> Answer:
    await asyncio.sleep(0)
    return await intake.take(asked())


async def test_what_was_taken_is_written_before_the_end(transactions: Transactions, store: Store) -> None:
    intake = Intake(transactions)
    intake.start()
    waiting = [asyncio.ensure_future(intake.take(asked())) for _ in range(200)]
    await asyncio.sleep(0)
    await intake.close()
    assert {answer.status for answer in await asyncio.gather(*waiting)} == {200}
    assert store.connection.execute("SELECT count(*) FROM spans").fetchone() == (200,)


async def test_who_leaves_before_the_answer_harms_nobody(transactions: Transactions) -> None:
    intake = Intake(transactions)
    intake.start()
    waiting = [asyncio.ensure_future(intake.take(asked())) for _ in range(20)]
    await asyncio.sleep(0)
    for one in waiting[::2]:
        one.cancel()
    assert {(await one).status for one in waiting[1::2]} == {200}
    await intake.close()


async def test_an_answer_means_that_others_can_read_it(transactions: Transactions, tmp_path: Path) -> None:
    from mita_otel.console.store.schema import connect  # noqa: PLC0415 - a second connection, as readers have

    intake = Intake(transactions)
    intake.start()
    reader = connect(tmp_path / "console.db", read_only=True)
    for number in range(1, 20):
        await intake.take(asked())
        assert reader.execute("SELECT count(*) FROM spans").fetchone() == (number,)
    reader.close()
    await intake.close()


@pytest.mark.parametrize("part", ["serve", "tidy"])
async def test_a_fault_of_ours_does_not_end_the_thread(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, part: str
) -> None:
    def fault(*_: object) -> None:
        raise KeyError("ours")

    intake = Intake(transactions)
    intake.start()
    with monkeypatch.context() as patch:
        patch.setattr(transactions, part, fault)
        assert (await intake.take(asked())).status == (500 if part == "serve" else 200)
        await intake.take(asked())
    assert (await intake.take(asked())).status == 200
    await intake.close()
    assert "KeyError" in caplog.text
