"""A user who logs in, looks around and spends; now and then something fails, or takes long."""

import random
import secrets
import struct
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from mita_otel.demo import web

_NOBODYS: Final = "00000000-0000-0000-0000-000000000000"
_CATEGORIES: Final = ("food", "transport", "housing", "entertainment", "shopping")
_INSIGHTS: Final = ("spending_pattern", "saving_opportunity", "budget_advice", "unusual_spending")
_PRODUCTS: Final = ("premium.month", "premium.year", "tips.small")

_random: Final = random.Random()  # noqa: S311 - chance, not secrecy


class Traffic:
    """Requests to the reference service, one after the other.

    Args:
        url: Base URL of the service.

    Attributes:
        sent: Requests by status.
        failed: Requests without an answer.
        last_trace_id: Of the newest answer, in hexadecimal.
        last_error_trace_id: Of the newest answer of status 500 and above; empty until there is one.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._user: dict[str, str] = {}
        self._headers: dict[str, str] = {}
        self._refresh_token = ""
        self.sent: Counter[int] = Counter()
        self.failed = 0
        self.last_trace_id = ""
        self.last_error_trace_id = ""
        # What users do, and how often of a hundred times.
        self._steps: tuple[tuple[Callable[[], Any], int], ...] = (
            (lambda: self._get("/api/transactions?limit=10"), 18),
            (lambda: self._post("/api/transactions", self._purchase()), 14),
            (self.spend, 9),
            (lambda: self._get("/api/budgets/dashboard"), 14),
            (lambda: self._get(f"/api/insights?kind={_random.choice(_INSIGHTS)}"), 9),
            (lambda: self._get("/api/calendar"), 4),
            (lambda: self._get("/api/analytics/summary"), 4),
            (lambda: self._get("/api/notifications"), 4),
            (lambda: self._get("/api/users/me"), 4),
            (self._save, 4),
            (self._enter_many, 3),
            (self._photograph, 2),
            (self._buy, 2),
            (self.log_in, 2),
            (self._refresh, 2),
            (lambda: self._post("/api/auth/login", {**self._user, "password": "not the one"}), 2),
            (lambda: self._get(f"/api/transactions/{_NOBODYS}"), 2),
            (lambda: self._post("/api/transactions", {"amount": "-1", "category": "food"}), 1),
        )

    def sign_up(self) -> None:
        """Register a new user."""
        self._user = {"email": f"{secrets.token_hex(8)}@example.com", "password": secrets.token_hex(8)}
        self._authorise(self._post("/api/auth/register", {**self._user, "currency": "USD"}))

    def log_in(self) -> None:
        """Exchange the user's password for a new token."""
        self._authorise(self._post("/api/auth/login", self._user))

    def spend(self) -> None:
        """Spend in a foreign currency: a request with a query, cache commands and at times a call."""
        self._post("/api/transactions", {**self._purchase(), "currency": _random.choice(("EUR", "GBP", "THB"))})

    def step(self) -> None:
        """Do one thing, chosen by chance."""
        actions, weights = zip(*self._steps, strict=True)
        _random.choices(actions, weights)[0]()

    def tour(self) -> None:
        """Do everything that a user can do once, and overspend a budget, so that every metric has its first value."""
        month = f"{datetime.now(UTC):%Y-%m}"
        self._send("PUT", "/api/budgets", {"month": month, "category": "food", "limit": "1"})
        for action, _ in self._steps:
            action()
        self._post("/api/transactions", {"amount": "25", "category": "food"})
        self._post("/api/auth/password-reset/request", {"email": self._user["email"]})
        self._post("/api/auth/password-reset/confirm", {"token": "not a token", "password": "correct horse"})
        self._log_in_with_google()

    def _save(self) -> None:
        goal = self._post("/api/goals", {"name": "a bicycle", "target": "20"})
        if goal and "id" in goal:
            self._post(f"/api/goals/{goal['id']}/contributions", {"amount": "20"})
            self._send("DELETE", f"/api/goals/{goal['id']}")

    def _enter_many(self) -> None:
        self._post("/api/transactions/bulk", {"items": [self._purchase(), self._purchase(), {"amount": "none"}]})

    def _photograph(self) -> None:
        mark = secrets.token_hex(8)
        head = f'--{mark}\r\ncontent-disposition: form-data; name="file"; filename="receipt.jpg"\r\n\r\n'
        body = head.encode() + _receipt() + f"\r\n--{mark}--\r\n".encode()
        receipt = self._send("POST", "/api/receipts", body, {"content-type": f"multipart/form-data; boundary={mark}"})
        if receipt and "id" in receipt:
            missing = {} if receipt["draft"]["currency"] else {"currency": "USD"}
            self._post(f"/api/receipts/{receipt['id']}/confirm", missing)

    def _buy(self) -> None:
        product, number = _random.choice(_PRODUCTS), secrets.token_hex(8)
        sale = {"store": "google_play", "transaction_id": number, "product": product}
        self._post("/api/purchases", {**sale, "receipt": f"valid:{product}:{number}"})

    def _refresh(self) -> None:
        self._authorise(self._post("/api/auth/refresh", {"refresh_token": self._refresh_token}))

    def _log_in_with_google(self) -> None:
        """Walk to the provider and back, as a browser would; the user stays who they are."""
        start = self._ask("GET", f"{self._url}/api/auth/google/start")
        there = self._ask("GET", start.headers["location"]) if start and "location" in start.headers else None
        if start and there and "location" in there.headers:
            cookie = start.headers.get("set-cookie", "").partition(";")[0]
            self._ask("GET", there.headers["location"], headers={"cookie": cookie})

    @staticmethod
    def _purchase() -> dict[str, str]:
        return {"amount": f"{_random.randint(1, 20_000) / 100:.2f}", "category": _random.choice(_CATEGORIES)}

    def _authorise(self, answer: Any) -> None:
        if answer and "access_token" in answer:
            self._headers = {"authorization": f"Bearer {answer['access_token']}"}
            self._refresh_token = answer["refresh_token"]

    def _get(self, path: str) -> Any:
        return self._send("GET", path)

    def _post(self, path: str, body: object) -> Any:
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        answer = self._ask(method, self._url + path, body, {**self._headers, **(headers or {})})
        if answer is None:
            return None
        self.sent[answer.status] += 1
        # traceresponse: version-traceid-spanid-flags.
        self.last_trace_id = answer.headers.get("traceresponse", "--").split("-")[1]
        if answer.status >= 500:  # noqa: PLR2004 - the first status that tells a server's error
            self.last_error_trace_id = self.last_trace_id
        return answer.body

    def _ask(
        self, method: str, url: str, body: object = None, headers: dict[str, str] | None = None
    ) -> web.Answer | None:
        try:
            return web.send(method, url, body, headers)
        except OSError:
            self.failed += 1
            return None


def _receipt() -> bytes:
    """Return a JPEG that holds the text of a receipt in a comment, where the stand-in for recognition finds it.

    One of twenty names no currency, which the user has to add.
    """
    total = f"{_random.randint(100, 9_999) / 100:.2f}{' USD' if _random.randrange(20) else ''}"
    comment = f"CORNER BAKERY\n{datetime.now(UTC):%Y-%m-%d}\nTOTAL {total}\nthank you".encode()
    segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    return b"\xff\xd8\xff\xe0\x00\x04\x00\x00" + segment + b"\xff\xda\x00\x02" + b"\x00" * 16 + b"\xff\xd9"
