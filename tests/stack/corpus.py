"""Two thousand sensitive strings of twelve kinds, the same in every run."""

import base64
import itertools
import json
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from urllib.parse import quote, quote_plus

from mita_otel.redaction.ibans import LENGTHS

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Secret:
    """A string that must never be found.

    Attributes:
        name: what such strings are called.
        value: the string.
        has_form: it is known by its form; else only by a name before it.
        core: the part of it that is secret, where that is not all of it.
    """

    name: str
    value: str
    has_form: bool
    core: str = ""

    @property
    def said(self) -> str:
        """How it stands in a sentence."""
        return self.value if self.has_form else f"{self.name}={self.value}"

    @property
    def spellings(self) -> set[str]:
        """Everything that a search must look for."""
        core = self.core or self.value
        compact = core.replace(" ", "").replace("-", "")
        found = {core, quote(core, safe=""), quote_plus(core), json.dumps(core)[1:-1]}
        return found | ({compact} if self.name in {"card_number", "iban"} else set())


def _digits(random: Random, count: int) -> str:
    return "".join(random.choices(string.digits, k=count))


def _word(random: Random, count: int, alphabet: str = _ALPHABET) -> str:
    return "".join(random.choices(alphabet, k=count))


def _card(random: Random) -> Secret:
    prefix, length = random.choice(
        [
            ("4", 16),
            ("51", 16),
            ("2221", 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("3528", 16),
            ("62", 16),
            ("36", 14),
        ]
    )
    body = prefix + _digits(random, length - len(prefix) - 1)
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))]
    number = body + str(-sum(digit // 10 + digit % 10 for digit in doubled) % 10)
    separator = random.choice(["", " ", "-"])
    sizes = {15: (4, 6, 5), 14: (4, 6, 4)}.get(length, (4, 4, 4, 4))
    ends = list(itertools.accumulate(sizes))
    return Secret("card_number", separator.join(number[end - size : end] for end, size in zip(ends, sizes)), True)  # noqa: B905 - of one length


def _iban(random: Random) -> Secret:
    country = random.choice(["DE", "GB", "FR", "NL", "ES", "IT", "PL", "CH", "SA", "MT"])
    account = _digits(random, LENGTHS[country] - 4)
    check = 98 - int("".join(str(int(character, 36)) for character in f"{account}{country}00")) % 97
    compact = f"{country}{check:02}{account}"
    spaced = " ".join(compact[start : start + 4] for start in range(0, len(compact), 4))
    return Secret("iban", random.choice([compact, spaced]), True)


def _ssn(random: Random) -> Secret:
    area = random.choice([number for number in range(1, 899) if number != 666])
    return Secret("ssn", f"{area:03}-{random.randrange(1, 100):02}-{random.randrange(1, 10_000):04}", True)


def _mail(random: Random) -> Secret:
    name = _word(random, 10, string.ascii_lowercase)
    return Secret(
        "email", f"{name}{random.choice(['.', '+', '_'])}x@{_word(random, 8, string.ascii_lowercase)}.org", True
    )


def _phone(random: Random) -> Secret:
    form = random.choice(["+44 20 7{0} {1}", "(5{2}) 5{3}-{1}", "+1-5{2}-5{3}-{1}", "1-8{2}-5{3}-{1}"])
    return Secret("phone", form.format(*(_digits(random, count) for count in (3, 4, 2, 2))), True)


def _encoded(random: Random, claims: dict[str, str]) -> str:
    claims = {**claims, "jti": _word(random, 8)}
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def _jwt(random: Random) -> Secret:
    signature = _word(random, 43)
    token = f"{_encoded(random, {'alg': 'HS256'})}.{_encoded(random, {'sub': 'ann'})}.{signature}"
    return Secret("session", token, True, core=signature)


def _api_key(random: Random) -> Secret:
    form, count = random.choice(
        [("sk_live_{0}", 24), ("ghp_{0}", 36), ("AKIA{0}", 16), ("xoxb-1-{0}", 24), ("AIza{0}", 35)]
    )
    key = _word(random, count, string.ascii_uppercase + string.digits if form.startswith("AKIA") else _ALPHABET)
    return Secret("api_key", form.format(key), True, core=key)


def _authorization(random: Random) -> Secret:
    basic = base64.b64encode(f"user:{_word(random, 12)}".encode()).decode()
    scheme, core = random.choice([("Bearer", _word(random, 20) + "7"), ("Basic", basic)])
    return Secret("authorization", f"{scheme} {core}", True, core=core)


def _opaque(name: str, length: int) -> Callable[[Random], Secret]:
    return lambda random: Secret(name, _word(random, length), False)


def _cvv(random: Random) -> Secret:
    return Secret("cvv", _digits(random, random.choice([3, 4])), False)


KINDS: tuple[Callable[[Random], Secret], ...] = (
    *(_card, _iban, _ssn, _mail, _phone, _jwt, _api_key, _authorization, _cvv),
    *(_opaque("password", 14), _opaque("access_token", 24), _opaque("cookie", 24)),
)


def corpus(count: int = 2_000) -> list[Secret]:
    """Return so many secrets, the kinds taking turns."""
    random = Random(7)
    return [kind(random) for kind in itertools.islice(itertools.cycle(KINDS), count)]


def searched_for(secrets: list[Secret]) -> Iterator[str]:
    """Yield every spelling; of security codes, which are short as any number, a search needs the name, too."""
    for secret in secrets:
        if secret.name != "cvv":
            yield from secret.spellings
