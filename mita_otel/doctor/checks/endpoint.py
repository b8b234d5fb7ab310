"""What each signal's receiver made of a request, and which setting is to blame."""

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

from mita_otel.doctor.facts.model import Delivery, Facts
from mita_otel.doctor.model import Judgement, Verdict, error, ok, warning

_NO_OTLP: Final = "the answer is not an OTLP response"
_MILLISECONDS: Final = 1000


def judge(facts: Facts) -> Iterator[Judgement]:
    """Judge each delivery; what goes wrong alike at one receiver is told once."""
    alike: dict[tuple[Verdict, str, str, str], list[Delivery]] = {}
    for delivery in facts.deliveries:
        if delivery.outcome == "accepted":
            yield _accepted(delivery)
        else:
            verdict, what, fix = _cause(delivery)
            alike.setdefault((verdict, _base(delivery), what, fix), []).append(delivery)
    for (verdict, base, what, fix), deliveries in alike.items():
        where = deliveries[0].endpoint.destination if len(deliveries) == 1 else base
        signals = ", ".join(delivery.signal for delivery in deliveries)
        yield Judgement(verdict, f"{signals}: {where} {what}", fix)


def _base(delivery: Delivery) -> str:
    return delivery.endpoint.destination.removesuffix(f"/v1/{delivery.signal}")


def _accepted(delivery: Delivery) -> Judgement:
    at = f"{delivery.signal}: {delivery.endpoint.destination}"
    if delivery.reason == _NO_OTLP:
        return error(f"{at} answers with success, but not as an OTLP receiver does", _fix_address(delivery))
    if delivery.rejected:
        return warning(
            f"{at} takes requests and throws their items away: {delivery.reason or 'no reason given'}",
            "look at the receiver's limits and log",
        )
    if delivery.reason:
        return warning(f"{at} accepts with a warning: {delivery.reason}", "look at the receiver's log")
    return ok(f"{at} accepts, in {delivery.seconds * _MILLISECONDS:.0f} ms")


def _cause(delivery: Delivery) -> tuple[Verdict, str, str]:
    """Return verdict, what the receiver does, and the fix."""
    for applies, say in _CAUSES:
        if applies(delivery):
            return (Verdict.WARNING if delivery.reason == "HTTP 429" else Verdict.ERROR, *say(delivery))
    return Verdict.ERROR, f"cannot be delivered to: {delivery.reason}", _fix_address(delivery)


def _says(*reasons: str) -> Callable[[Delivery], bool]:
    return lambda delivery: delivery.reason.partition(",")[0] in reasons


def _wants_tls(delivery: Delivery) -> bool:
    return delivery.endpoint.insecure and delivery.speaks == "tls"


def _wants_no_tls(delivery: Delivery) -> bool:
    return not delivery.endpoint.insecure and delivery.speaks in {"http/1.1", "http/2"}


def _wants_grpc(delivery: Delivery) -> bool:
    return delivery.endpoint.protocol == "http/protobuf" and delivery.speaks == "http/2"


def _wants_http(delivery: Delivery) -> bool:
    return delivery.endpoint.protocol == "grpc" and delivery.speaks == "http/1.1"


def _is_untrusted(delivery: Delivery) -> bool:
    return delivery.reason.startswith("TLS: CERTIFICATE")


def _has_no_address(delivery: Delivery) -> bool:
    return bool(re.search("name or service|name resolution|no address", delivery.reason, re.IGNORECASE))


def _is_unheard(delivery: Delivery) -> bool:
    return delivery.speaks == "nothing"


def _is_broken(delivery: Delivery) -> bool:
    return bool(re.fullmatch("HTTP 5[0-9][0-9]|gRPC (UNAVAILABLE|INTERNAL|UNKNOWN)", delivery.reason))


def _say_grpc(delivery: Delivery) -> tuple[str, str]:
    return (
        "speaks gRPC, and is spoken to by HTTP",
        f"set {_option(delivery, 'PROTOCOL')}=grpc, or set {delivery.variable} to the HTTP port, 4318 as a rule",
    )


def _say_http(delivery: Delivery) -> tuple[str, str]:
    return (
        "speaks HTTP, and is spoken to by gRPC",
        f"set {_option(delivery, 'PROTOCOL')}=http/protobuf, or {delivery.variable} to the gRPC port, 4317 as a rule",
    )


def _say_tls(delivery: Delivery) -> tuple[str, str]:
    return "speaks TLS, and is spoken to in plain text", f"begin the URL in {delivery.variable} with https://"


def _say_no_tls(delivery: Delivery) -> tuple[str, str]:
    return "speaks plain text, and is spoken to by TLS", f"begin the URL in {delivery.variable} with http://"


def _say_untrusted(delivery: Delivery) -> tuple[str, str]:
    return (
        f"shows a certificate that is not trusted ({delivery.reason})",
        f"set {_option(delivery, 'CERTIFICATE')} to the PEM file of its authority; the host name must be in it, too",
    )


def _say_unauthorised(delivery: Delivery) -> tuple[str, str]:
    headers = _option(delivery, "HEADERS")
    if delivery.endpoint.headers:
        names = ", ".join(name for name, _ in delivery.endpoint.headers)
        return (
            f"refuses the credentials ({delivery.reason})",
            f"put a valid token into {headers}; it sends {names} now",
        )
    return (
        f"asks for credentials, and none are sent ({delivery.reason})",
        f"set {headers}, as in authorization=Bearer%20<token>",
    )


def _say_not_there(delivery: Delivery) -> tuple[str, str]:
    path = f"/v1/{delivery.signal}"
    own = f"OTEL_EXPORTER_OTLP_{delivery.signal.upper()}_ENDPOINT"
    sentence = f"has no such path ({delivery.reason})"
    if delivery.endpoint.protocol == "grpc":
        return f"has no such service ({delivery.reason})", _fix_address(delivery)
    if delivery.variable == own and not urlsplit(delivery.endpoint.url).path.endswith(path):
        return sentence, f"{own} is used as it is: append {path}, or set OTEL_EXPORTER_OTLP_ENDPOINT in its place"
    if delivery.variable != own and re.search(f"/v1/[a-z]+{path}$", delivery.endpoint.url):
        return sentence, f"{delivery.variable} gets {path} appended: take the path out of it"
    return sentence, _fix_address(delivery)


def _say_nameless(delivery: Delivery) -> tuple[str, str]:
    return "cannot be found: its host name has no address", f"correct the host name in {delivery.variable}"


def _say_unheard(delivery: Delivery) -> tuple[str, str]:
    fix = "start what should listen there (mita-otel console, or mita-otel stack up)"
    return f"does not take connections ({delivery.reason})", f"{fix}, or {_fix_address(delivery)}"


def _say_slow(delivery: Delivery) -> tuple[str, str]:
    return (
        f"has not answered within {delivery.seconds:.1f} s",
        f"look for a firewall in between and a receiver that hangs, or {_fix_address(delivery)}; proxies are not used",
    )


def _say_full(_: Delivery) -> tuple[str, str]:
    return "asks for fewer requests", "nothing is lost while it is short; else give the receiver more room"


def _say_broken(delivery: Delivery) -> tuple[str, str]:
    return f"cannot take anything now ({delivery.reason})", "look at the receiver's log: what is behind it may be down"


def _option(delivery: Delivery, option: str) -> str:
    """Name the variable of an option beside the endpoint's, both a signal's own or both general."""
    return delivery.variable.removesuffix("ENDPOINT") + option


def _fix_address(delivery: Delivery) -> str:
    return f"{'correct' if delivery.given else 'set'} {delivery.variable}"


_CAUSES: Final[tuple[tuple[Callable[[Delivery], bool], Callable[[Delivery], tuple[str, str]]], ...]] = (
    (_has_no_address, _say_nameless),
    (_is_unheard, _say_unheard),
    (_wants_tls, _say_tls),
    (_wants_no_tls, _say_no_tls),
    (_wants_grpc, _say_grpc),
    (_is_untrusted, _say_untrusted),
    (_says("HTTP 401", "HTTP 403", "gRPC UNAUTHENTICATED", "gRPC PERMISSION_DENIED"), _say_unauthorised),
    (_says("HTTP 429"), _say_full),
    (_wants_http, _say_http),
    (_says("HTTP 404", "HTTP 405", "gRPC UNIMPLEMENTED"), _say_not_there),
    (_says("timeout", "gRPC DEADLINE_EXCEEDED"), _say_slow),
    (_is_broken, _say_broken),
)
"""The first cause that applies is told."""
