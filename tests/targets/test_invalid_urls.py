"""Refused URLs: the response names the field, and nothing is written."""

import pytest

from tests.support.stages import stored
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}
MALFORMED = r"""
shop.example //shop.example/ http: http:/ http:// http:///path http://?q http://#f http://:80/
http:shop.example http:/shop.example http:\\shop.example
ftp://shop.example/ file:///etc/passwd javascript:alert(1) data:text/plain,x ws://shop.example/
gopher://shop.example:70/_x unix:///var/run/docker.sock jar:http://shop.example!/
http://@/ http://@shop.example/ http://user@ http://user:pass@/ http://a@b@shop.example/
http://shop.example@127.0.0.1/ http://shop.example\@127.0.0.1/ http://127.0.0.1\@shop.example/
http://usér:pass@shop.example/ http://***@shop.example/ http://user:pass@127.0.0.1/
http://shop..example/ http://-shop.example/ http://shop%2eexample/ http://shop<>.example/
http://[shop.example]/ http://[::1/ http://[fe80::1%25eth0]/
http://shop.example:0/ http://shop.example:65536/ http://shop.example:-1/
http://shop.example:80a/ http://shop.example:80:80/ http://shop.example:25/
http://shop.example:6379/
"""
NOT_PUBLIC = """
localhost LOCALHOST. a.localhost metadata.google.internal
127.0.0.1 127.0.0.1. 127.1 0x7f.1 0x7f000001 0177.0.0.1 2130706433 017700000001
0.0.0.0 0 10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 169.254.169.254/latest/meta-data
224.0.0.1 255.255.255.255 256.1.1.1 1.2.3.4.5 0x
[::] [::1] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [64:ff9b::7f00:1]
[2002:7f00:1::] [fc00::1] [fe80::1] [fec0::1] [fd00:ec2::254]
"""
"""Hosts that are not public, in every notation."""
URLS = [
    *MALFORMED.split(),
    *(f"http://{host}/" for host in NOT_PUBLIC.split()),
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://shop.example:\u0668\u0660/",
    "",
    "http ://shop.example",
    " http://shop.example",
    "http://shop.example ",
    "http://shop .example",
    "http://shop\r.example/",
    *(f"http://shop.example/{text}" for text in ("\r\nHost: evil", "\n", "\x00", "\t")),
    *(f"http://user:{text}@shop.example/" for text in ("pa ss", "pa\r\nX: y", "pa\x00")),
    "http://" + "u" * 513 + "@shop.example/",
    "http://" + "a" * 64 + ".example/",
    "https://shop.example/" + "x" * 2048,
]


@pytest.fixture(scope="module")
def alice(shared_stage: World) -> Person:
    """One owner for all cases, as refused requests store nothing."""
    return shared_stage.user("alice")


@pytest.mark.parametrize("url", URLS, ids=[ascii(url)[:60] for url in URLS])
def test_refused_url_is_named(alice: Person, url: str) -> None:
    before = stored()
    reply = alice.post("/v1/targets", {**SHOP, "url": url})
    assert (reply.status, reply.fields) == (422, ["body.url"])
    assert stored() == before


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ftp://shop.example/", "http://a@b@c/"])
def test_change_and_batch_refuse_the_same_urls(alice: Person, url: str) -> None:
    target = alice.make_target()
    before = stored()
    reply = alice.patch(f"/v1/targets/{target['id']}", {"url": url})
    assert (reply.status, reply.fields) == (422, ["body.url"])
    batch = alice.post("/v1/targets/batch", {"items": [{**SHOP, "url": url}]}).json
    assert batch["items"][0]["status"] == 422
    assert stored() == before


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "HTTPS://Shop.Example:8443/a/../b?x=@&y=//z#f",
        "http://münchen.example/",
        "http://1.1.1.1/",
        "http://[2606:4700:4700::1111]:8080/",
        "http://shop.example/path@with/at:signs",
        "http://shop.example/?next=http://a@b/",
        "https://u@shop.example/" + "x" * (2048 - len("https://shop.example/")),
    ],
)
def test_accepted_url_is_returned_as_given(alice: Person, url: str) -> None:
    target = alice.make_target(url=url)
    assert target["url"] == url.replace("//u@", "//***@")
    assert alice.get(f"/v1/targets/{target['id']}").json == target
