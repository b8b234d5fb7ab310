"""Keys come as id:secret, the newest first."""

import pytest

from mita_otel.logs.audit.keys import UNKEYED, read_keys
from mita_otel.logs.audit.model import AuditError

SECRET = "s" * 32


def test_without_a_key_the_hash_is_a_plain_one() -> None:
    ring = read_keys(" \n")
    assert (ring.is_keyed, ring.current.id, list(ring.known)) == (False, UNKEYED, [UNKEYED])


def test_the_first_key_seals_and_all_of_them_verify() -> None:
    ring = read_keys(f"2026-11:{SECRET}, 2026-10:{SECRET}\n2026-09:{SECRET}")
    assert (ring.current.id, list(ring.known)) == ("2026-11", ["2026-11", "2026-10", "2026-09"])


@pytest.mark.parametrize(
    "text", ["secret", f":{SECRET}", "a:short", f"a b:{SECRET}", f"none:{SECRET}", "a:hunter2 " + SECRET]
)
def test_a_key_that_is_not_allowed_is_an_error_that_keeps_it_to_itself(text: str) -> None:
    with pytest.raises(AuditError, match="audit key 1 is not allowed: it takes id:secret") as error:
        read_keys(text)
    assert "hunter2" not in str(error.value)


def test_an_id_that_is_there_twice_is_an_error() -> None:
    with pytest.raises(AuditError, match="twice"):
        read_keys(f"a:{SECRET},a:{'t' * 32}")


def test_a_secret_does_not_show_in_what_is_printed() -> None:
    assert SECRET not in repr(read_keys(f"a:{SECRET}"))
