"""Whoever may enter a provider's address does not reach the inside of our network by it."""

import socket
from ipaddress import ip_address

import pytest
from django.core.exceptions import ValidationError

from providers.addresses import is_public
from providers.models import Provider

PUBLIC, INNER = "93.184.216.34", "10.0.0.5"


def problems(address):
    """What the form says beside the field; empty where the address is taken."""
    try:
        Provider(name="x", base_url=address).clean_fields()
    except ValidationError as error:
        assert set(error.message_dict) == {"base_url"}
        return error.message_dict["base_url"]
    return []


@pytest.fixture
def names(monkeypatch):
    """{name: addresses} that the resolver knows besides IP addresses."""
    known, ask = {}, socket.getaddrinfo

    def resolver(host, *args, **kwargs):
        if host in known:
            return [found for each in known[host] for found in ask(each, *args, **kwargs)]
        return ask(host, *args, **{**kwargs, "flags": socket.AI_NUMERICHOST})

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return known


@pytest.mark.parametrize(
    "address",
    [
        "http://api.example.com/v1",
        "ftp://api.example.com/v1",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "api.example.com/v1",
        "//api.example.com/v1",
        "https://",
        "https:///v1",
        "https://user@api.example.com/v1",
        "https://user:word@api.example.com/v1",
        "https://api.example.com@evil.example/v1",
        "https://api.example.com\\@evil.example/v1",
        "https://api.example.com/v1?x=1",
        "https://api.example.com/v1?",
        "https://api.example.com/v1#x",
        "https://api.example.com/v1\r\nX: y",
        "https://api.example.com/\x00v1",
        "https://api.example.com/\u202ev1",
        "https://api.exa mple.com/v1",
        "https://api.example.com:0/v1",
        "https://api.example.com:99999/v1",
        "https://api.example.com:-1/v1",
        "https://api.example.com:x/v1",
        "https://api.example.com./v1",
        "https://api..example.com/v1",
        "https://-x.example.com/v1",
        "https://%31%32%37.0.0.1/v1",
        f"https://{'a' * 64}.example.com/v1",
        # loopback, in every spelling that some resolver reads
        "https://2130706433/v1",
        "https://0x7f000001/v1",
        "https://0x7f.1/v1",
        "https://127.1/v1",
        "https://127.0.1/v1",
        "https://0177.0.0.1/v1",
        "https://127.0.0.01/v1",
        "https://127.0.0.0x1/v1",
        "https://0/v1",
        "https://①②⑦.0.0.1/v1",
        "https://127。0。0。1/v1",
        "https://[::ffff:7f00:2%25lo]/v1",
        "https://[fe80::1%25eth0]/v1",
    ],
)
def test_an_address_out_of_line_is_refused_beside_its_field(names, settings, address):
    settings.PROVIDER_HOSTS = []
    (text,) = problems(address)
    assert len(text) > 20


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.2", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "[::]", "[fe80::1]", "[fc00::1]", "[fec0::1]",
        "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
        "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]",
        "[2001:0:7f00:1::80ff:fffe]", "[2001:0:5db8:d822::80ff:fffe]", "[2001:db8::1]", "[fd00:ec2::254]",
    ],
)  # fmt: skip
def test_an_inner_address_is_refused_whatever_it_is_wrapped_in(host):
    (text,) = problems(f"https://{host}/v1")
    assert "PROVIDER_HOSTS" in text


@pytest.mark.parametrize(
    "address",
    [
        "https://8.8.8.8/v1",
        "https://8.8.8.8:8443/v1/",
        "https://[2606:4700:4700::1111]/v1",
        "https://API.Example.com/openai/v1/",
        "https://bücher.example.com/v1",
        "https://nobody-knows.invalid/v1",
        "http://127.0.0.1:8010/v1",
        "http://localhost:8010/v1",
        "http://[::1]:8010/v1",
        "",
    ],
)
def test_a_plain_public_address_is_taken_and_this_machine_where_it_is_named(names, address):
    assert problems(address) == []


def test_carried_addresses_are_as_public_as_what_they_carry():
    for text in ("64:ff9b::8.8.8.8", "2002:808:808::1", "::ffff:8.8.8.8"):
        assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "found", [[INNER], [PUBLIC, INNER], [INNER, PUBLIC], [PUBLIC, "::1"], ["169.254.169.254"]]
)
def test_a_name_is_refused_if_any_of_its_addresses_is_inside(names, found):
    names["rebind.example.com"] = found
    assert problems("https://rebind.example.com/v1")


def test_a_name_with_public_addresses_only_is_taken(names):
    names["api.example.com"] = [PUBLIC, "2606:4700:4700::1111"]
    assert problems("https://api.example.com/v1") == []


def test_a_named_host_may_be_inside_and_speak_plainly_on_its_port_only(names, settings):
    settings.PROVIDER_HOSTS = ["vllm:8000"]
    names["vllm"] = [INNER]
    assert problems("http://vllm:8000/v1") == []
    assert (
        problems("http://vllm:8001/v1") and problems("https://vllm/v1") and problems("http://other:8000/v1")
    )


def test_a_named_network_may_be_called_by_its_addresses_and_by_names_over_tls(names, settings):
    settings.PROVIDER_HOSTS = ["10.0.0.0/8", "fd00::/8"]
    names["gpu.example.com"], names["far.example.com"] = [INNER], ["172.16.0.1"]
    assert problems("http://10.1.2.3:8000/v1") == problems("http://[fd00::7]/v1") == []
    assert problems("https://gpu.example.com/v1") == []
    assert problems("http://gpu.example.com/v1") and problems("https://far.example.com/v1")
    assert problems("http://11.1.2.3/v1") and problems("http://127.0.0.1/v1")


def test_where_nothing_is_named_only_our_own_engine_is_inside(settings):
    settings.PROVIDER_HOSTS, settings.ENGINE_URL = [], "http://127.0.0.1:8010/v1"
    assert problems("http://127.0.0.1:8010/v1") == []
    for address in (
        "http://127.0.0.1:8011/v1",
        "https://127.0.0.1/v1",
        "http://localhost:8010/v1",
        "http://[::1]/v1",
    ):
        assert problems(address)
