"""Ports: the standard ones where they are free."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.stack import ports
from mita_otel.stack.model import StackError
from mita_otel.stack.ports import Ports, next_port, take


def test_standard_ports_are_used_where_they_are_free() -> None:
    assert Ports.chosen({}, lambda _: True, wanted=Ports()) == Ports()


@given(st.sets(st.sampled_from(sorted(asdict(Ports()).values()))))
def test_a_taken_port_is_replaced_and_the_others_stay(taken: set[int]) -> None:
    numbers = count(20_000)
    chosen = asdict(Ports.chosen({}, lambda port: port not in taken, wanted=Ports(), pick=lambda: next(numbers)))
    kept = {name: port for name, port in asdict(Ports()).items() if port not in taken}
    assert {name: port for name, port in chosen.items() if name in kept} == kept
    assert not taken & set(chosen.values())


@given(st.lists(st.integers(20_000, 20_040), min_size=400, max_size=400))
def test_no_port_is_given_twice(draws: list[int]) -> None:
    picks = iter([*draws, *range(20_000, 20_041)])
    chosen = asdict(Ports.chosen({}, lambda _: True, pick=lambda: next(picks)))
    assert len(set(chosen.values())) == len(chosen)


def test_a_given_port_is_used_and_no_other_listener_gets_it() -> None:
    chosen = Ports.chosen({"otlp_http": 9090}, lambda _: True, wanted=Ports())
    assert chosen.otlp_http == 9090
    assert chosen.prometheus != 9090


@pytest.mark.parametrize(
    ("given_ports", "free", "message"),
    [
        ({"otlp": 1}, True, "--port otlp=1: there is no such listener; there are otlp_grpc"),
        ({"loki": 0}, True, "--port loki=0: a port is a number between 1 and 65535"),
        ({"loki": 3100}, False, "--port loki=3100: something listens there already"),
    ],
)
def test_a_port_that_cannot_be_is_an_error_that_names_it(
    given_ports: dict[str, int], *, free: bool, message: str
) -> None:
    with pytest.raises(StackError, match=f"^{message}"):
        Ports.chosen(given_ports, lambda _: free)


@contextmanager
def another_process(program: str) -> Iterator[str]:
    """Run a program that prints a line; it stays, with what it has chosen, while the block runs."""
    with subprocess.Popen(
        [sys.executable, "-c", f"{program}\ninput()"],
        env={"PYTHONPATH": "."},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        yield other.stdout.readline()
        other.communicate("\n")


def test_a_port_that_another_process_has_just_chosen_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    few = range(40_000, 40_012)
    choosing = (
        f"from mita_otel.stack import ports\nports._RANGE = {few!r}\n"
        "print(*(ports.next_port() for _ in range(11)), flush=True)"
    )
    with another_process(choosing) as printed:
        monkeypatch.setattr(ports, "_RANGE", few)
        assert {next_port()} == set(few) - {int(number) for number in printed.split()}


def test_a_standard_port_that_another_process_has_just_chosen_is_taken() -> None:
    with another_process("from mita_otel.stack.ports import take\nprint(take(42_000), flush=True)") as printed:
        assert printed == "True\n"
        assert not take(42_000)
    assert take(42_000)
    assert take(42_000), "its own mark is in nobody's way"


def test_a_process_chooses_a_port_again_when_it_has_chosen_many_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_RANGE", few := range(41_000, 41_065))
    assert {next_port() for _ in range(500)} == set(few)
