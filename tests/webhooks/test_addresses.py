"""Where a message may go: nothing inside, under no disguise, and only to the address that was checked."""

import ipaddress
import socket
from collections.abc import Callable

import pytest
from receiver import HOST, make_certificate, receiving

from refusals import Refusal
from webhooks import addresses, sender
from webhooks.models import Delivery
from webhooks.posting import Outcome, post

INSIDE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.2.1", "198.18.0.1", "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "fec0::1",
    "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "2002:7f00:1::", "2002:a00:1::1",
    "2001:0:53aa:64c:0:fbff:80ff:fffe",
]  # fmt: skip
OUTSIDE = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::808:808"]
NO_ADDRESS = [
    "http://receiver.example.org/", "ftp://receiver.example.org/", "file:///etc/passwd", "gopher://a/",
    "//host/",
    "receiver.example.org", "https://", "https:///path", "https://user:word@receiver.example.org/",
    "https://receiver.example.org@127.0.0.1/", "https://receiver.example.org/#part", "https://host:99999/",
    "https://host:0/", "https://[::1/", "https://a b.org/", "https://host/\r\nX-Evil: 1",
    "https://host\\@evil.org/",
    "https://h\u00f6st.example.org/", "javascript:alert(1)", "",
]  # fmt: skip


@pytest.fixture(autouse=True)
def as_shipped(settings) -> None:
    settings.WEBHOOK_ALLOW_HTTP = False
    settings.WEBHOOK_ALLOWED_NETWORKS = []


@pytest.fixture
def names(monkeypatch) -> Callable[..., list[str]]:
    """A name server of ours: names(answers) gives each look-up the next answer; it returns what was asked."""

    def serve(*answers: list[str]) -> list[str]:
        asked: list[str] = []
        real = socket.getaddrinfo

        def look_up(host, port, *args, **kwargs):
            if not isinstance(host, str) or not host.endswith("example.org"):
                return real(host, port, *args, **kwargs)
            asked.append(host)
            given = answers[min(len(asked), len(answers)) - 1]
            return [real(ip, port, *args, **kwargs)[0] for ip in given]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        return asked

    return serve


@pytest.mark.parametrize("ip", INSIDE)
def test_an_address_inside_is_refused_whether_it_is_written_or_resolved(ip, names):
    host = f"[{ip}]" if ":" in ip else ip
    with pytest.raises(Refusal, match="lies inside"):
        addresses.parsed(f"https://{host}/")
    names([ip])
    with pytest.raises(Refusal) as refused:
        addresses.target(f"https://{HOST}/")
    assert refused.value.code == "forbidden_address"


@pytest.mark.parametrize("ip", OUTSIDE)
def test_an_address_outside_may_be_called(ip, names):
    names([ip])
    assert addresses.target(f"https://{HOST}:8443/a?b=c").ip == str(ipaddress.ip_address(ip))


def test_one_address_inside_among_many_is_enough_to_refuse(names):
    names(["8.8.8.8", "10.0.0.1"])
    with pytest.raises(Refusal):
        addresses.target(f"https://{HOST}/")


@pytest.mark.parametrize(
    "host", ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost", "[::ffff:7f00:1]"]
)
def test_other_ways_to_write_this_machine_are_refused(host):
    assert post(f"https://{host}/", b"{}", {}) == Outcome(None, "forbidden_address")


@pytest.mark.parametrize("address", NO_ADDRESS)
def test_what_is_not_an_address_to_call_is_refused(address):
    assert post(address, b"{}", {}).problem == "bad_address"


def test_a_name_that_nobody_knows_is_a_failure_and_not_a_fault():
    assert post("https://nobody.invalid/", b"{}", {}) == Outcome(None, "unresolved")


def test_only_listed_hosts_are_called_where_there_is_a_list(settings, names):
    settings.WEBHOOK_ALLOWED_HOSTS = [HOST, ".inside.example.org"]
    names(["8.8.8.8"])
    for host in (HOST, "a.inside.example.org", f"{HOST}."):
        assert addresses.parsed(f"https://{host}/")
    for host in ("evil.example.org", "inside.example.org.evil.org", "xinside.example.org", f"x{HOST}"):
        with pytest.raises(Refusal) as refused:
            addresses.parsed(f"https://{host}/")
        assert refused.value.code == "host_not_allowed"


def test_a_network_of_the_hospital_may_be_allowed_and_no_disguise_comes_with_it(settings, names):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("10.20.0.0/16")]
    names(["10.20.3.4"], ["10.21.0.1"], ["::ffff:10.20.3.4"])
    assert addresses.target(f"https://{HOST}/").ip == "10.20.3.4"
    for _ in range(2):
        with pytest.raises(Refusal):
            addresses.target(f"https://{HOST}/")


def test_the_name_is_asked_once_and_the_checked_address_is_called(settings, names):
    """DNS rebinding: whoever answers with another address the second time is not called there."""
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.2/32")]
    with receiving("127.0.0.2") as allowed, receiving("127.0.0.1") as inside:
        asked = names(["127.0.0.2"], ["127.0.0.1"])
        assert post(f"http://{HOST}:{allowed.port}/", b"{}", {}) == Outcome(204, "")
        assert asked == [HOST]
        assert post(f"http://{HOST}:{inside.port}/", b"{}", {}).problem == "forbidden_address"
    assert len(allowed.messages) == 1
    assert allowed.messages[0].headers["host"] == f"{HOST}:{allowed.port}"
    assert inside.messages == []


@pytest.mark.django_db
def test_an_address_that_has_moved_inside_since_it_was_added_is_not_called(
    add_webhook, happen, receiver, names, settings, time_passes
):
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.1/32")]
    names(["127.0.0.1"], ["127.0.0.3"])
    add_webhook(address=f"http://{HOST}:{receiver.port}/")
    for _ in range(2):
        happen()
        sender.deliver()
    assert len(receiver.messages) == 1
    assert Delivery.objects.get(state="waiting").last_problem == "forbidden_address"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> dict[str, tuple]:
    folder = tmp_path_factory.mktemp("certificates")
    return {host: make_certificate(folder, host) for host in (HOST, "other.example.org")}


@pytest.mark.parametrize(
    ("named", "outcome"), [(HOST, Outcome(204, "")), ("other.example.org", Outcome(None, "tls"))]
)
def test_the_certificate_must_be_the_names_although_a_number_is_called(
    named, outcome, certificates, settings, names
):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.1/32")]
    settings.WEBHOOK_CA_FILE = str(certificates[named][0])
    names(["127.0.0.1"])
    with receiving(certificate=certificates[named]) as receiver:
        assert post(f"https://{HOST}:{receiver.port}/", b"{}", {}) == outcome


def test_an_unknown_certificate_is_refused_and_nothing_is_sent(certificates, settings, names):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.1/32")]
    names(["127.0.0.1"])
    with receiving(certificate=certificates[HOST]) as receiver:
        assert post(f"https://{HOST}:{receiver.port}/", b"{}", {}) == Outcome(None, "tls")
    assert receiver.messages == []
