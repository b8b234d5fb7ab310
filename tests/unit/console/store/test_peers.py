"""Whom a client called is read from its attributes, by the best name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console.store.peers import peer_of
from tests.fixtures.otlp_requests import pairs


def serialized(attributes: dict[str, Any]) -> list[bytes]:
    return [pair.SerializeToString() for pair in pairs(attributes)]


@pytest.mark.parametrize(
    ("attributes", "peer"),
    [
        ({"server.address": "db.local", "db.system.name": "postgresql"}, "database:postgresql"),
        ({"db.system": "redis"}, "database:redis"),
        ({"server.address": "bank.example", "server.port": 443}, "external:bank.example"),
        ({"net.peer.name": "old.example"}, "external:old.example"),
        ({"peer.service": "bank", "server.address": "10.0.0.7"}, "external:bank"),
        ({"messaging.destination.name": "orders", "server.address": "kafka"}, "external:orders"),
        ({"server.address": ""}, None),
        ({"server.addresses": "no"}, None),
        ({"http.route": "/"}, None),
        ({}, None),
    ],
)
def test_the_best_name_wins(attributes: dict[str, Any], peer: str | None) -> None:
    assert peer_of(serialized(attributes)) == peer


def test_a_name_without_end_names_nobody() -> None:
    assert peer_of(serialized({"server.address": "x" * 5000})) is None


@given(st.text(min_size=1, max_size=200))
def test_an_address_is_the_peer_whatever_it_looks_like(address: str) -> None:
    assert peer_of(serialized({"server.address": address})) == f"external:{address}"
