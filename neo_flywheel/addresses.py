"""Addresses of servers that people write down: without a name or password in them.

What stands in an address ends up in settings, catalogues, progress lines and error messages.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from neo_description.errors import NeoError


def check(address: str, what: str, instead: str) -> None:
    """NeoError when ``address`` carries credentials; the message does not repeat them.

    ``instead``: where they belong.
    """
    parts = urlsplit(address)
    if parts.scheme and "@" in parts.netloc:
        host = parts.netloc.rpartition("@")[2]
        raise NeoError(f"{what}: {parts.scheme}://…@{host} carries a name or password; {instead}")
