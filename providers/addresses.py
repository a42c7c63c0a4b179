"""Which addresses we call. Whoever may enter a provider must not reach the inside of our network through us.

https only, names and addresses in their one plain spelling, and every address that a name stands for must be a public
one. Hosts and networks that staff have named in a setting are exempt: PROVIDER_HOSTS for what trains and answers, with
the engine of this installation; WEBHOOK_HOSTS for where courses send their webhooks.
"""

import asyncio
import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx2
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from providers.errors import BadAddress

PROVIDERS, WEBHOOKS = "PROVIDER_HOSTS", "WEBHOOK_HOSTS"
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"{LABEL}(\.{LABEL})*")
NUMBER = re.compile(
    r"(.*\.)?(\d+|0x[0-9a-f]*)"
)  # what resolvers read as an IPv4 address, however it is spelled
NAT64 = ip_network("64:ff9b::/96")
TRANSLATED, COMPATIBLE = ip_network("::ffff:0:0:0/96"), ip_network("::/96")
NEVER = [
    ip_network(each)
    for each in (
        "192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b:1::/48",
        "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fec0::/10",
    )
]  # fmt: skip


def check_address(text: str, exempt=PROVIDERS):
    """For forms: ValidationError that says what is wrong with an address, and what to do."""
    try:
        url = parse(text)
        check_place(url, exempt)
        resolve(url.host, url.port or 443, exempt)
    except BadAddress as error:
        raise ValidationError(error.text) from error
    except OSError:
        return  # a name that nobody knows yet; it is looked at again whenever it is called


def parse(text: str) -> httpx2.URL:
    """The address as the client will read it, or BadAddress."""
    if not text.isprintable() or text != text.strip() or "\\" in text:
        raise BadAddress(_("The address holds characters that do not belong there."), "bad_address")
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError) as error:
        raise BadAddress(
            _("This is no address. Write one such as https://api.example.com/v1."), "bad_address"
        ) from error
    if url.userinfo or "@" in text:
        raise BadAddress(
            _("Put no name and no password into the address: the key has its own field."), "bad_address"
        )
    if "?" in text or "#" in text:
        raise BadAddress(_("The address must not hold “?” or “#”."), "bad_address")
    return url


def check_place(url: httpx2.URL, exempt=PROVIDERS):
    """Scheme, host and port of whatever is about to be called, or BadAddress."""
    host, port = url.raw_host.decode("ascii").lower(), url.port
    if not host or url.scheme not in ("http", "https"):
        raise BadAddress(
            _("This is no address. Write one such as https://api.example.com/v1."), "bad_address"
        )
    if port is not None and not 0 < port < 65536:
        raise BadAddress(_("The port must be between 1 and 65535."), "bad_address")
    literal = _literal(host)
    port = port or {"http": 80, "https": 443}[url.scheme]
    if url.scheme == "http" and not (
        _is_named(host, port, exempt) or (literal and _is_ours(literal, exempt))
    ):
        raise BadAddress(
            _("The address must begin with https://. Staff name exceptions in %s.") % exempt, "bad_address"
        )


def _literal(host) -> IPv4Address | IPv6Address | None:
    """The IP address that the host is, None for a name; BadAddress for any other spelling."""
    try:
        if ":" in host and "%" not in host:
            return IPv6Address(host)
        if NUMBER.fullmatch(host):
            return IPv4Address(host)
    except ValueError as error:
        raise BadAddress(_("Write an IP address in full, such as 192.0.2.7."), "bad_address") from error
    if len(host) > 253 or not NAME.fullmatch(host):
        raise BadAddress(_("The host of the address has no valid name."), "bad_address")
    return None


def resolve(host: str, port: int, exempt=PROVIDERS) -> list[str]:
    """The IP addresses to dial, all of them checked; BadAddress if one is not public, OSError if there is none."""
    return _checked(host, port, socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), exempt)


async def aresolve(host: str, port: int, exempt=PROVIDERS) -> list[str]:
    loop = asyncio.get_running_loop()
    return _checked(host, port, await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM), exempt)


def _checked(host, port, found, exempt):
    addresses = list(dict.fromkeys(sockaddr[0] for *_family, sockaddr in found))
    if not _is_named(host.lower(), port, exempt):
        for each in addresses:
            address = ip_address(each)
            if not (_is_ours(address, exempt) or is_public(address)):
                raise BadAddress(
                    _(
                        "%(host)s is not on the public internet (%(address)s). Staff name exceptions in %(setting)s."
                    )
                    % {"host": host, "address": each, "setting": exempt},
                    "bad_address",
                )
    return addresses


def _is_named(host, port, exempt) -> bool:
    """Whether this host, on this port, is one of those that staff of this installation have named."""
    engine = httpx2.URL(settings.ENGINE_URL)
    its_place = (engine.host.lower(), engine.port or {"https": 443}.get(engine.scheme, 80))
    if exempt == PROVIDERS and (host, port) == its_place:
        return True
    for entry in getattr(settings, exempt):
        if "/" not in entry:
            named = httpx2.URL(f"//{entry.lower()}")
            if host == named.host and named.port in (None, port):
                return True
    return False


def _is_ours(address, exempt) -> bool:
    networks = [ip_network(entry) for entry in getattr(settings, exempt) if "/" in entry]
    return any(address in network for network in networks)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether anybody's packets to it leave our network. An address that carries another is as public as that."""
    carried = _carried(address)
    if carried:
        return all(is_public(each) for each in carried)
    if any(address in network for network in NEVER):
        return False
    inner = address.is_multicast or address.is_unspecified or address.is_link_local or address.is_loopback
    return address.is_global and not inner


def _carried(address) -> list[IPv4Address]:
    """The IPv4 addresses inside an IPv6 one that is a vehicle for them."""
    if address.version == 4:
        return []
    if address.teredo:
        return list(address.teredo)
    inside = address.ipv4_mapped or address.sixtofour
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if inside is None and any(address in network for network in (NAT64, TRANSLATED, COMPATIBLE)):
        inside = low
    return [inside] if inside else []
