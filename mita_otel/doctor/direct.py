"""Asks one address and no other: without the environment's proxies, as the exporter sends, and without redirects."""

import urllib.request
from typing import Final


class _Staying(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a token must not be carried elsewhere."""

    def redirect_request(self, *_: object) -> None:
        """Say that there is nowhere to go."""


DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Staying())
