"""How much the service takes and how long it waits: one frozen value, checked. Knows nothing of HTTP's machinery."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, fields
from pathlib import Path

from digit_recognizer.errors import FileError, InputError, UsageError
from digit_recognizer.files import read_bytes
from digit_recognizer.pictures.load import MAX_PIXELS

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")

_MIN_TOKEN, _MAX_TOKEN = 16, 1024  # characters


@dataclass(frozen=True)
class Limits:
    """What one request may bring, and what all of them together may hold. Whatever is past a limit is refused.

    body_bytes: of one request. held_bytes: of all requests in flight together. json_bytes, json_depth: of a JSON body.
    pixels: width times height of one picture. parts: pictures in one multipart request. images: 28x28 images in one
    request. in_flight: requests worked on or waiting at the same time. waiting_images: images that wait for the
    network. corrections: pictures kept in the folder of corrections. header_s, body_s, write_s: seconds until the
    headers and the body must have come, and until a client must have taken what was sent to it. drain_s: seconds that
    accepted requests get to finish after SIGTERM.

    Raises UsageError where one of them is not above 0.

    >>> Limits(parts=4).parts
    4
    """

    body_bytes: int = 32 * 2**20
    held_bytes: int = 256 * 2**20
    json_bytes: int = 4 * 2**20
    json_depth: int = 16
    pixels: int = MAX_PIXELS
    parts: int = 16
    images: int = 1024
    in_flight: int = 96
    waiting_images: int = 8192
    corrections: int = 100_000
    header_s: float = 10.0
    body_s: float = 15.0
    write_s: float = 15.0
    drain_s: float = 8.0

    def __post_init__(self) -> None:
        for limit in fields(self):
            if not getattr(self, limit.name) > 0:
                raise UsageError(f"limit {limit.name}: expected more than 0, found {getattr(self, limit.name)}")


@dataclass(frozen=True)
class ServerSettings:
    """How a service is set up.

    host, port: where it listens; port 0 lets the system choose. allowed_hosts: names besides ``host`` by which clients
    may call it (the Host header); a browser that was led here by any other name is turned away. token: what clients
    must send as ``Authorization: Bearer``, or None. corrections: the folder that keeps pictures which a person
    corrected, or None. gather_s: how long a request may wait for company before the network runs, 0 to 0.1 s.

    Raises UsageError where a value makes no sense.

    >>> ServerSettings(port=8000).is_local
    True
    """

    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ()
    token: str | None = field(default=None, repr=False)
    corrections: Path | None = None
    gather_s: float = 0.002
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise UsageError(f"expected a port from 0 to 65535, found {self.port}")
        if not self.host or any(c.isspace() or c in "/@?#" for c in self.host):
            raise UsageError(f"expected a host such as 127.0.0.1 to listen on, found {self.host!r}")
        if not 0 <= self.gather_s <= 0.1:
            raise UsageError(f"expected gather_s from 0 to 0.1 s, found {self.gather_s:g}")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the service."""
        return self.host in LOOPBACK_NAMES or is_loopback(self.host)

    def knows_host(self, name: str) -> bool:
        """Whether clients may call the service by this name (a Host header without its port).

        A page of another site can make a browser call any address under a name of its own (DNS rebinding), but never
        under an address. So addresses are good where the service listens on all of this machine's, which it may not
        even know itself (behind a router, in a container); where it listens on one address, only that one is.
        """
        name = name.lower().removeprefix("[").removesuffix("]")
        if name in LOOPBACK_NAMES or name in {host.lower() for host in (self.host, *self.allowed_hosts)}:
            return True
        return _is_unspecified(self.host) and _is_address(name)


def read_token(path: Path) -> str:
    """The token in a file: its one line, 16 to 1,024 visible ASCII characters. Raises FileError, InputError.

    >>> read_token(Path("token.txt"))                                     # doctest: +SKIP
    'c0ffee...'
    """
    try:
        text = read_bytes(path, limit=4 * _MAX_TOKEN).decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected a token of ASCII characters") from error
    except FileError as error:
        if error.code == "too_large":
            raise InputError(f"{path}: expected a token of {_MAX_TOKEN:,} characters at most") from error
        raise
    if not (_MIN_TOKEN <= len(text) <= _MAX_TOKEN and text.isprintable() and " " not in text):
        raise InputError(
            f"{path}: expected one line of {_MIN_TOKEN} to {_MAX_TOKEN:,} visible characters; "
            "make one with: openssl rand -hex 24"
        )
    return text


def is_loopback(host: str) -> bool:
    """Whether this is an address under which a machine reaches itself, also one of IPv4 as IPv6 writes it.

    >>> is_loopback("127.0.0.1"), is_loopback("::ffff:127.0.0.1"), is_loopback("192.168.1.7"), is_loopback("me")
    (True, True, False, False)
    """
    if not _is_address(host):
        return False
    address = ipaddress.ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _is_unspecified(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


__all__ = ["LOOPBACK_NAMES", "Limits", "ServerSettings", "is_loopback", "read_token"]
