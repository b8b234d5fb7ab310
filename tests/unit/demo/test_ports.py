"""Which ports the demonstration takes."""

from itertools import count

from mita_otel.demo import Ports


def test_standard_ports_are_taken_where_they_are_free() -> None:
    chosen = Ports.chosen(lambda _: True)
    assert (chosen, chosen.moved()) == (Ports(), [])


def test_a_port_in_use_is_replaced_and_told() -> None:
    chosen = Ports.chosen(lambda number: number != 4318, lambda: 23_456)
    assert chosen == Ports(otlp_http=23_456)
    assert chosen.moved() == ["port 4318 is taken: OTLP over HTTP uses 23456"]


def test_no_port_is_given_twice() -> None:
    numbers = count(20_000)
    chosen = Ports.chosen(lambda number: number >= 20_000, lambda: next(numbers) // 2 * 2)
    assert len({chosen.service, chosen.console, chosen.otlp_http, chosen.otlp_grpc, chosen.external}) == 5
