"""Who asks: believed only as far as trusted proxies have written it."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.ratelimit.forwarded import Header, MalformedError, address
from mita_otel.ratelimit.identity import Addresses, Digests

TRUSTED = ("10.0.0.0/8", "2001:db8:ffff::/48")


class Client:
    """Tells a client's address from what a server would put into the scope."""

    def __init__(self, *trusted: str, header: Header = "x-forwarded-for") -> None:
        self.malformed = 0
        self._addresses = Addresses(trusted, header, self._count)

    def _count(self) -> None:
        self.malformed += 1

    def of(self, peer: str | None, *headers: tuple[str, str]) -> str:
        encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        return self._addresses.of({"client": None if peer is None else (peer, 1), "headers": encoded})


def _xff(value: str) -> tuple[str, str]:
    return ("X-Forwarded-For", value)


@pytest.mark.parametrize("value", ["1.2.3.4", "1.2.3.4, 10.0.0.1", "", "garbage"])
def test_a_header_from_somebody_who_is_not_trusted_is_not_looked_at(value: str) -> None:
    client = Client(*TRUSTED)
    assert client.of("203.0.113.9", _xff(value)) == "203.0.113.9"
    assert client.malformed == 0


@pytest.mark.parametrize("value", ["1.2.3.4", "garbage"])
def test_without_trusted_proxies_the_peer_is_the_client(value: str) -> None:
    assert Client().of("10.0.0.1", _xff(value)) == "10.0.0.1"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.1.1.1", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.1.1.1, 10.2.2.2", "203.0.113.9"),
        ("10.0.0.7, 10.1.1.1", "10.0.0.7"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("  203.0.113.9  ", "203.0.113.9"),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_trusted_proxy(value: str, found: str) -> None:
    client = Client(*TRUSTED)
    assert client.of("10.0.0.1", _xff(value)) == found
    assert client.malformed == 0


def test_of_several_lines_the_last_is_the_newest() -> None:
    assert Client(*TRUSTED).of("10.0.0.1", _xff("1.1.1.1"), _xff("203.0.113.9, 10.3.3.3")) == "203.0.113.9"


@pytest.mark.parametrize("value", ["unknown", "", "203.0.113.9,", "1.2.3.4.5", "\xff\xfe", "203.0.113.9 x", "0x7f.1"])
def test_a_malformed_entry_is_counted_and_the_proxy_that_wrote_it_is_the_client(value: str) -> None:
    client = Client(*TRUSTED)
    assert client.of("10.0.0.1", _xff(value)) == "10.0.0.1"
    assert client.malformed == 1


@pytest.mark.parametrize("spoofed", ["garbage", "1.1.1.1", "10.0.0.1", ",,,", '"', "x" * 100_000, "1.1.1.1," * 50_000])
def test_what_a_client_has_written_itself_is_not_even_looked_at(spoofed: str) -> None:
    client = Client(*TRUSTED)
    assert client.of("10.0.0.1", _xff(f"{spoofed}, 203.0.113.9")) == "203.0.113.9"
    assert client.malformed == 0


def test_a_chain_of_proxies_without_an_end_is_not_followed_to_it() -> None:
    assert Client(*TRUSTED).of("10.0.0.1", _xff("203.0.113.9, " + "10.0.0.2, " * 100_000 + "10.0.0.3")) == "10.0.0.2"


def test_only_the_header_that_the_proxies_write_is_read() -> None:
    forged = ("Forwarded", "for=1.1.1.1")
    assert Client(*TRUSTED).of("10.0.0.1", forged, _xff("203.0.113.9")) == "203.0.113.9"
    assert Client(*TRUSTED, header="forwarded").of("10.0.0.1", forged, _xff("203.0.113.9")) == "1.1.1.1"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("for=203.0.113.9", "203.0.113.9"),
        ("For=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9"),
        ('for="203.0.113.9:4711"', "203.0.113.9"),
        ('proto=http; for="[2001:db8:1:2::17]:4711"', "2001:db8:1:2::/64"),
        ('for=1.1.1.1, for=203.0.113.9, for="10.1.1.1"', "203.0.113.9"),
        ('for="unbalanced, for=203.0.113.9', "203.0.113.9"),
    ],
)
def test_the_header_of_rfc_7239_is_read_too(value: str, found: str) -> None:
    client = Client(*TRUSTED, header="forwarded")
    assert client.of("10.0.0.1", ("Forwarded", value)) == found
    assert client.malformed == 0


@pytest.mark.parametrize("value", ["for=_hidden", "for=unknown", "proto=https", "for", "for="])
def test_a_client_that_a_proxy_hides_is_the_proxy(value: str) -> None:
    client = Client(*TRUSTED, header="forwarded")
    assert client.of("10.0.0.1", ("Forwarded", value)) == "10.0.0.1"
    assert client.malformed == 1


def test_the_addresses_of_one_ipv6_network_are_one_client() -> None:
    client = Client()
    assert client.of("2001:db8:1:2::1") == client.of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert client.of("2001:db8:1:3::1") != client.of("2001:db8:1:2::1")


def test_the_socket_of_a_proxy_on_the_same_machine_may_be_trusted() -> None:
    assert Client("unix").of(None, _xff("203.0.113.9")) == "203.0.113.9"
    assert Client("unix").of("203.0.113.1", _xff("203.0.113.9")) == "203.0.113.1"
    assert Client(*TRUSTED).of(None, _xff("203.0.113.9")) == ""


def test_a_peer_that_is_no_address_is_told_apart_by_its_name() -> None:
    assert Client(*TRUSTED).of("testclient", _xff("203.0.113.9")) == "testclient"


@given(st.ip_addresses())
def test_every_address_is_read_however_it_is_written(given: object) -> None:
    found = ip_address(str(given))
    expected = getattr(found, "ipv4_mapped", None) or found
    assert address(str(found)) == expected
    bracketed = f"[{found}]:80" if found.version == 6 else f"{found}:80"
    assert address(bracketed) == expected


@given(st.text(max_size=80))
def test_whatever_else_is_written_is_malformed_and_nothing_worse(text: str) -> None:
    try:
        found = address(text)
    except MalformedError:
        return
    assert found == ip_address(str(found))


@given(
    client=st.ip_addresses().filter(lambda found: not any(found in ip_network(each) for each in TRUSTED)),
    proxies=st.lists(st.integers(0, 2**24 - 1).map(lambda low: str(ip_address(10 * 2**24 + low))), max_size=10),
    forged=st.lists(st.text('0123456789.:,[]abcdef"= ', max_size=20), max_size=5),
)
def test_no_forged_entry_changes_who_the_client_is(client: object, proxies: list[str], forged: list[str]) -> None:
    honest = ", ".join([str(client), *proxies])
    expected = Client(*TRUSTED).of("10.0.0.1", _xff(honest))
    assert Client(*TRUSTED).of("10.0.0.1", _xff(", ".join([*forged, honest]))) == expected


def test_digests_differ_by_kind_value_and_secret_and_by_nothing_else() -> None:
    digests = Digests("s" * 16)
    assert digests.of("address", "x") == Digests("s" * 16).of("address", "x")
    others = {digests.of("user", "x"), digests.of("address", "y"), Digests("t" * 16).of("address", "x")}
    assert digests.of("address", "x") not in others
    assert len(others) == 3


def test_half_a_surrogate_pair_is_somebody_too() -> None:
    assert len(Digests("s" * 16).of("account", "\ud800")) == 16
