"""Ports: the standard ones where they are free."""

import subprocess
import sys
import tempfile
from dataclasses import asdict
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.stack.model import StackError
from mita_otel.stack.ports import Ports, next_port


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


@pytest.fixture
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def turn_file(folder: Path) -> Path:
    next_port()
    [file] = folder.iterdir()
    return file


def test_processes_that_ask_at_the_same_time_get_numbers_of_their_own(temporary_folder: Path) -> None:
    program = "from mita_otel.stack.ports import next_port; print(*(next_port() for _ in range(500)))"
    askers = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={"TMPDIR": str(temporary_folder), "PYTHONPATH": "."},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    numbers = [int(number) for asker in askers for number in asker.communicate()[0].split()]
    assert len(numbers) == len(set(numbers)) == 1500


def test_after_the_last_number_comes_the_first(temporary_folder: Path) -> None:
    turn_file(temporary_folder).write_text("31998")
    assert [next_port(), next_port()] == [31_999, 20_000]


@pytest.mark.parametrize("content", ["", "nonsense", "99999999999999999999"])
def test_a_turn_that_cannot_be_read_begins_anew(temporary_folder: Path, content: str) -> None:
    turn_file(temporary_folder).write_text(content)
    first = next_port()
    assert 20_000 <= first < 32_000
    assert next_port() == (20_000 if first == 31_999 else first + 1)


def test_without_a_file_for_the_turn_the_numbers_are_of_the_range_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert next_port() in range(20_000, 32_000)
