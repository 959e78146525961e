"""Nothing inside our network can be reached through a connector or an HTTP step, however it is written."""

import asyncio
import ipaddress

import pytest
from werkzeug import Response as Answer

from integrations.framework.addresses import checked_url, is_public
from integrations.framework.client import Client
from integrations.framework.errors import AddressRefused, PermanentError, TemporaryError


def fetch(client, url, method="GET", **options):
    return client.send_sync(method, url, **options)


def resolving_to(*answers):
    """A resolver that gives these lists of addresses, one a call, the last for ever."""
    calls = []

    async def resolve(host, port):
        calls.append(host)
        return list(answers[min(len(calls), len(answers)) - 1])

    resolve.calls = calls
    return resolve


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://0/",
        "http://0.0.0.0/",
        "http://127.0.0.1./",
        "http://10.0.0.1/",
        "http://172.16.5.4/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/",
        "http://168.63.129.16/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://192.0.0.192/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[ff02::1]/",
        "http://[::127.0.0.1]/",
        "http://[2001:0:53aa:64c:0:fffe:80ff:fffe]/",
        "http://[fec0::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:0:7f00:1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[64:ff9b:1::7f00:1]/",
        "http://[2001:db8::1]/",
        "http://[100::1]/",
        "http://[3fff::1]/",
        "http://100.100.100.200/",
        "http://198.18.0.1/",
        "http://0x7f.1/",
        "http://0177.1/",
        "http://metadata.google.internal/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://metadata/",
        "http://user@example.com/",
        "http://example.com:pass@127.0.0.1/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com:22/",
        "http://example.com:6379/",
        "http://example.com:5432/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http:///",
        "http://exa mple.com/",
        "http://example.com/\r\nHost: x",
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://①②⑦.0.0.1/",
    ],
)
def test_addresses_of_our_own_network_are_refused_in_every_spelling(url):
    with pytest.raises(AddressRefused) as caught:
        fetch(Client(resolve=resolving_to(["127.0.0.1"])), url)
    assert str(caught.value).startswith("We do not call this address: ")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://10.0.0.1/", "it is inside a private network"),
        ("http://metadata.google.internal/", "it is inside a private network"),
        ("http://2130706433/", "the host is a number written in an unusual way"),
        ("http://localhost/", "the host is a name of a local network"),
        ("http://example.com:5432/", "port 5432 is not for web services"),
        ("http://user@example.com/", "it must not contain a user name or password"),
        ("ftp://example.com/", "only http and https are possible"),
        ("http://exa mple.com/", "it contains spaces or control characters"),
    ],
)
def test_the_reason_is_told(url, reason):
    with pytest.raises(AddressRefused) as caught:
        fetch(Client(resolve=resolving_to(["127.0.0.1"])), url)
    assert caught.value.message == f"We do not call this address: {reason}."


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "http://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
        "https://example.com:8443/a?b=c",
        "https://münchen.example/",
        "https://example.com./",
    ],
)
def test_public_addresses_are_accepted(url):
    assert checked_url(url)


@pytest.mark.parametrize("text", ["64:ff9b::808:808", "::ffff:8.8.8.8", "8.8.8.8", "2606:4700:4700::1111"])
def test_wrapped_public_addresses_stay_public(text):
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["169.254.169.254"],
        ["8.8.8.8", "10.0.0.1"],
        ["fe80::1%eth0"],
    ],
)
def test_a_public_name_that_resolves_inside_is_refused(answers):
    with pytest.raises(AddressRefused):
        fetch(Client(resolve=resolving_to(answers)), "http://inside.example.com/")


def test_a_rebinding_name_is_resolved_once_and_the_checked_address_is_used(httpserver):
    """The second answer would be private: nobody asks a second time between check and connection."""
    httpserver.expect_request("/").respond_with_data("ours")
    resolve = resolving_to(["127.0.0.1"], ["10.9.9.9"])
    name = f"service.example.com:{httpserver.port}"
    client = Client(resolve=resolve, allow_private=frozenset({name}))
    assert fetch(client, f"http://{name}/").content == b"ours"
    assert resolve.calls == ["service.example.com"]


def test_the_server_still_sees_the_name_that_was_asked_for(httpserver):
    httpserver.expect_request("/").respond_with_handler(lambda request: Answer(request.host))
    name = f"service.example.com:{httpserver.port}"
    client = Client(resolve=resolving_to(["127.0.0.1"]), allow_private=frozenset({name}))
    assert fetch(client, f"http://{name}/").text == name


def test_the_allowance_is_for_one_port_only(httpserver):
    httpserver.expect_request("/").respond_with_data("ours")
    url = httpserver.url_for("/")
    assert fetch(Client(allow_private=frozenset({f"localhost:{httpserver.port}"})), url).content == b"ours"
    with pytest.raises(AddressRefused):
        fetch(Client(allow_private=frozenset({"localhost:1"})), url)


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://2130706433/",
        "file:///etc/passwd",
        "http://user:pass@127.0.0.1/",
        "//10.0.0.1/",
    ],
)
def test_redirects_into_our_network_are_refused(httpserver, target):
    httpserver.expect_request("/").respond_with_data("", status=302, headers={"Location": target})
    client = Client(allow_private=frozenset({f"localhost:{httpserver.port}"}))
    with pytest.raises(AddressRefused):
        fetch(client, httpserver.url_for("/"))


def test_a_redirect_to_another_server_leaves_the_credentials_behind(httpserver):
    seen = []

    def note(request):
        seen.append({name.lower() for name, _ in request.headers})
        return Answer("there")

    httpserver.expect_request("/same").respond_with_handler(note)
    httpserver.expect_request("/other").respond_with_handler(note)
    here, there = f"localhost:{httpserver.port}", f"other.example.com:{httpserver.port}"
    httpserver.expect_request("/a").respond_with_data("", status=302, headers={"Location": "/same"})
    httpserver.expect_request("/b").respond_with_data(
        "", status=302, headers={"Location": f"http://{there}/other"}
    )
    client = Client(resolve=resolving_to(["127.0.0.1"]), allow_private=frozenset({here, there}))
    headers = {"Authorization": "Bearer secret-token", "X-Api-Key": "secret-key", "Accept": "text/plain"}
    fetch(client, httpserver.url_for("/a"), headers=headers)
    fetch(client, httpserver.url_for("/b"), headers=headers)
    assert {"authorization", "x-api-key", "accept"} <= seen[0]
    assert "accept" in seen[1]
    assert not {"authorization", "x-api-key"} & seen[1]


def test_data_is_not_redirected_to_another_server(httpserver):
    here, there = f"localhost:{httpserver.port}", f"other.example.com:{httpserver.port}"
    httpserver.expect_request("/a").respond_with_data(
        "", status=307, headers={"Location": f"http://{there}/b"}
    )
    client = Client(resolve=resolving_to(["127.0.0.1"]), allow_private=frozenset({here, there}))
    with pytest.raises(AddressRefused):
        fetch(client, httpserver.url_for("/a"), method="POST", json_body={"card": "4242"})


def test_endless_redirects_end(httpserver):
    httpserver.expect_request("/").respond_with_data("", status=302, headers={"Location": "/"})
    with pytest.raises(PermanentError, match="redirected us too often"):
        fetch(Client(allow_private=frozenset({"localhost"})), httpserver.url_for("/"))


def test_an_answer_larger_than_the_limit_is_not_read(httpserver):
    httpserver.expect_request("/declared").respond_with_data(b"x" * 2000)
    import gzip

    httpserver.expect_request("/bomb").respond_with_data(
        gzip.compress(b"x" * 200_000), headers={"Content-Encoding": "gzip"}
    )
    client = Client(allow_private=frozenset({"localhost"}), max_bytes=1000)
    for path in ("/declared", "/bomb"):
        with pytest.raises(PermanentError, match="larger than"):
            fetch(client, httpserver.url_for(path))


def test_a_name_nobody_knows_can_be_tried_again():
    with pytest.raises(TemporaryError) as caught:
        fetch(Client(resolve=resolving_to([])), "https://gone.example.com/")
    assert not caught.value.may_have_happened


def test_a_closed_port_means_nothing_happened_and_a_broken_answer_means_it_may_have(httpserver):
    async def hang_up(reader, writer):
        await reader.read(1024)
        writer.close()

    async def both():
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = Client(allow_private=frozenset({"127.0.0.1"}))
        with pytest.raises(TemporaryError) as broken:
            await client.send("POST", f"http://127.0.0.1:{port}/", json_body={})
        server.close()
        await server.wait_closed()
        await client.aclose()
        with pytest.raises(TemporaryError) as closed:
            await client.send("POST", f"http://127.0.0.1:{port}/", json_body={})
        await client.aclose()
        return broken.value.may_have_happened, closed.value.may_have_happened

    assert asyncio.run(both()) == (True, False)


def test_the_calls_are_counted_and_no_secret_is_logged(httpserver, caplog):
    httpserver.expect_request("/canary-path").respond_with_data("", status=204)
    calls = []
    client = Client(allow_private=frozenset({"localhost"}), on_call=lambda *call: calls.append(call[:2]))
    with caplog.at_level("DEBUG"):
        fetch(
            client,
            httpserver.url_for("/canary-path"),
            headers={"Authorization": "Bearer canary-0123456789"},
            query=[("api_key", "canary-abcdef")],
            provider="SLACK",
        )
    assert calls == [("SLACK", 204)]
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name != "werkzeug")
    assert "provider=SLACK" in ours
    assert "canary" not in ours
