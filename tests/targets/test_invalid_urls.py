"""URLs that are not watched: that it is said, and that nothing is written."""

import pytest

from tests.support.stages import stored
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}
URLS = [
    "",
    "shop.example",
    "//shop.example/",
    "http:",
    "http:/",
    "http://",
    "http:///path",
    "http://?q",
    "http://#f",
    "http://:80/",
    "http:shop.example",
    "http:/shop.example",
    "http:\\\\shop.example",
    "http ://shop.example",
    " http://shop.example",
    "http://shop.example ",
    "http://shop .example",
    "ftp://shop.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "gopher://shop.example:70/_x",
    "data:text/plain,x",
    "ws://shop.example/",
    "unix:///var/run/docker.sock",
    "jar:http://shop.example!/",
    # userinfo
    "http://@/",
    "http://@shop.example/",
    "http://user@",
    "http://user:pass@/",
    "http://a@b@shop.example/",
    "http://shop.example@127.0.0.1/",
    "http://shop.example\\@127.0.0.1/",
    "http://127.0.0.1\\@shop.example/",
    "http://user:pa ss@shop.example/",
    "http://user:pa\r\nX: y@shop.example/",
    "http://user:pa\x00@shop.example/",
    "http://us\u00e9r:pass@shop.example/",
    "http://" + "u" * 513 + "@shop.example/",
    "http://***@shop.example/",
    "http://user:pass@127.0.0.1/",
    # control characters
    "http://shop.example/\r\nHost: evil",
    "http://shop.example/\n",
    "http://shop.example/\x00",
    "http://shop.example/\t",
    "http://shop\r.example/",
    # hosts
    "http://shop..example/",
    "http://-shop.example/",
    "http://shop%2eexample/",
    "http://shop<>.example/",
    "http://[shop.example]/",
    "http://[::1/",
    "http://[fe80::1%25eth0]/",
    "http://" + "a" * 64 + ".example/",
    # ports
    "http://shop.example:0/",
    "http://shop.example:65536/",
    "http://shop.example:-1/",
    "http://shop.example:80a/",
    "http://shop.example:\u0668\u0660/",
    "http://shop.example:80:80/",
    "http://shop.example:25/",
    "http://shop.example:6379/",
    # what is not public
    "http://localhost/",
    "http://LOCALHOST./",
    "http://a.localhost/",
    "http://metadata.google.internal/",
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://0.0.0.0/",
    "http://0/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fc00::1]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fd00:ec2::254]/",
    "http://256.1.1.1/",
    "http://1.2.3.4.5/",
    "http://0x/",
    # lengths
    "https://shop.example/" + "x" * 2048,
]


@pytest.fixture(scope="module")
def alice(shared_stage: World) -> Person:
    """One owner for all: what is refused leaves nothing behind."""
    return shared_stage.user("alice")


@pytest.mark.parametrize("url", URLS, ids=[ascii(url)[:60] for url in URLS])
def test_a_url_that_is_not_watched_is_named(alice: Person, url: str) -> None:
    before = stored()
    reply = alice.post("/v1/targets", {**SHOP, "url": url})
    assert (reply.status, reply.fields) == (422, ["body.url"])
    assert stored() == before


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ftp://shop.example/", "http://a@b@c/"])
def test_a_change_and_a_batch_take_no_more_than_a_creation(alice: Person, url: str) -> None:
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
def test_a_url_that_can_be_watched_is_shown_as_it_was_given(alice: Person, url: str) -> None:
    target = alice.make_target(url=url)
    assert target["url"] == url.replace("//u@", "//***@")
    assert alice.get(f"/v1/targets/{target['id']}").json == target
