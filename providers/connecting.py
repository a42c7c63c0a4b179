"""The connection to a provider: dialled only where `addresses` allows, cut where an answer is out of all measure."""

import random
import time
from functools import cache

import httpcore2
import httpx2
from django.utils.translation import gettext as _

from providers.addresses import PROVIDERS, aresolve, check_place, resolve
from providers.errors import BadAddress, ProviderError, Unclear, Unreadable, wait_of

MEGABYTE = 1024**2
MOST_BYTES = {"list": 16 * MEGABYTE, "answer": 32 * MEGABYTE, "stream": 8 * MEGABYTE}
MOST_SECONDS = 300
PAUSES = (0.2, 0.6)  # seconds before a read is repeated
LONGEST_PAUSE = 5
WORTH_REPEATING = {408, 429, 500, 502, 503, 504}
BROKEN_OFF = (httpx2.ConnectError, httpx2.ReadError, httpx2.RemoteProtocolError)
PLAIN = {"Accept-Encoding": "identity"}  # what is packed small may be large, so nothing comes packed


@cache
def certificates():
    """Whom we trust, read once: that takes longer than a call to a provider near by."""
    return httpx2.create_ssl_context(trust_env=False)


class Meter:
    """Bytes and seconds that one answer may take; begun anew with each request."""

    def __init__(self, most_seconds=None):
        self.most_seconds = most_seconds or MOST_SECONDS

    def begin(self, most_bytes):
        self.left, self.ends = most_bytes, None

    def patience(self, timeout):
        """How long to wait for the next bytes. The clock starts with the first: sending is not counted."""
        now = time.monotonic()
        self.ends = self.ends or now + self.most_seconds
        if now >= self.ends:
            raise Unclear(_("The provider did not answer in time."), "timeout")
        return min(timeout or self.most_seconds, self.ends - now)

    def count(self, data):
        self.left -= len(data)
        if self.left < 0:
            raise Unreadable(_("The provider's answer is too large."), "too_large")
        return data


class Stream(httpcore2.NetworkStream):
    def __init__(self, inner, meter):
        self.inner, self.meter = inner, meter
        self.write, self.close, self.get_extra_info = inner.write, inner.close, inner.get_extra_info

    def read(self, max_bytes, timeout=None):
        return self.meter.count(self.inner.read(max_bytes, self.meter.patience(timeout)))

    def start_tls(self, *args, **kwargs):
        return Stream(self.inner.start_tls(*args, **kwargs), self.meter)


class AsyncStream(httpcore2.AsyncNetworkStream):
    def __init__(self, inner, meter):
        self.inner, self.meter = inner, meter
        self.write, self.aclose, self.get_extra_info = inner.write, inner.aclose, inner.get_extra_info

    async def read(self, max_bytes, timeout=None):
        return self.meter.count(await self.inner.read(max_bytes, self.meter.patience(timeout)))

    async def start_tls(self, *args, **kwargs):
        return AsyncStream(await self.inner.start_tls(*args, **kwargs), self.meter)


class Dialler(httpcore2.SyncBackend):
    """Resolves a name once, checks all that it stands for, and dials what it has checked."""

    def __init__(self, meter, exempt):
        self.meter, self.exempt = meter, exempt

    def connect_tcp(self, host, port, **options):
        try:
            addresses = resolve(host, port, self.exempt)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        for address in addresses:
            try:
                return Stream(super().connect_tcp(address, port, **options), self.meter)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                problem = error
        raise problem


class AsyncDialler(httpcore2.AnyIOBackend):
    def __init__(self, meter):
        self.meter = meter

    async def connect_tcp(self, host, port, **options):
        try:
            addresses = await aresolve(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        for address in addresses:
            try:
                return AsyncStream(await super().connect_tcp(address, port, **options), self.meter)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                problem = error
        raise problem


class Transport(httpx2.HTTPTransport):
    """Repeats reads that failed for a moment, after `pauses`, and nothing else."""

    def __init__(self, pauses=PAUSES, exempt=PROVIDERS, most_seconds=None):
        super().__init__(verify=certificates(), trust_env=False)
        self.meter, self.pauses, self.exempt = Meter(most_seconds), pauses, exempt
        self._pool = httpcore2.ConnectionPool(certificates(), network_backend=Dialler(self.meter, exempt))

    def handle_request(self, request):
        check_place(request.url, self.exempt)
        most = MOST_BYTES["list" if "limit" in request.url.params else "answer"]
        for pause in (*self.pauses, None) if request.method == "GET" else (None,):
            self.meter.begin(most)
            try:
                response = super().handle_request(request)
            except BROKEN_OFF:
                if pause is None:
                    raise
                wait = _jittered(pause)
            else:
                wait = _wait_before_repeating(response, pause)
                if wait is None:
                    return _unpacked(response)
                response.close()
            time.sleep(wait)


class AsyncTransport(httpx2.AsyncHTTPTransport):
    """For streams."""

    def __init__(self):
        super().__init__(verify=certificates(), trust_env=False)
        self.meter = Meter()
        self._pool = httpcore2.AsyncConnectionPool(certificates(), network_backend=AsyncDialler(self.meter))

    async def handle_async_request(self, request):
        check_place(request.url)
        self.meter.begin(MOST_BYTES["stream"])
        return _unpacked(await super().handle_async_request(request))


def answers(url) -> bool:
    """Whether somebody says 200 there within two seconds."""
    try:
        with httpx2.Client(transport=Transport(pauses=()), trust_env=False, timeout=2) as http:
            return http.get(url, headers=PLAIN).status_code == 200
    except (httpx2.HTTPError, httpx2.InvalidURL, ProviderError):
        return False


def post(url, body, headers, exempt, patience) -> int | None:
    """The status that is answered, None where nothing is; BadAddress where nobody may be called. Nothing is read."""
    transport = Transport(pauses=(), exempt=exempt, most_seconds=patience)
    try:
        with (
            httpx2.Client(transport=transport, trust_env=False, timeout=patience) as http,
            http.stream("POST", url, content=body, headers=headers | PLAIN) as answer,
        ):
            return answer.status_code
    except BadAddress:
        raise
    except (httpx2.HTTPError, httpx2.InvalidURL, ProviderError):
        return None


def _wait_before_repeating(response, pause) -> float | None:
    """Seconds, or None where the answer is to be taken as it is."""
    if pause is None or response.status_code not in WORTH_REPEATING:
        return None
    asked = wait_of(response.headers)
    if asked is None:
        return _jittered(pause)
    return asked + _jittered(pause) if asked <= LONGEST_PAUSE else None


def _jittered(pause):
    return pause * random.uniform(0.5, 1.5)


def _unpacked(response):
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unreadable(_("The provider's answer comes packed, though we asked for it plain."), "packed")
    return response
