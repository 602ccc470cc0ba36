"""The search for secrets in logs finds them."""

import logging

import pytest

from chalicelib.access.token import new_token
from tests.support import leaks

LOG = logging.getLogger("chalicelib.test")
TOKEN = new_token("01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002")


@pytest.fixture(autouse=True)
def caught() -> list[str]:
    """The leaks found so far; the tests empty it, because they leak on purpose."""
    return leaks._leaks


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(TOKEN, id="token"),
        "whsec_MfKQ9r8GKYqrTwjU",
        "https://me:pass@shop.example/",
        *leaks.PLANTED,
    ],
)
def test_a_secret_is_found_wherever_it_is_logged(caught: list[str], secret: str) -> None:
    LOG.info("message %s", secret)
    LOG.info("extra", extra={"about": {"deep": [secret]}})
    LOG.error("failed", exc_info=ValueError(secret))
    logging.getLogger("some.library").warning(secret)

    assert len(caught) == 4
    assert TOKEN not in str(caught)
    caught.clear()


def test_other_text_passes(caught: list[str]) -> None:
    LOG.info("checked", extra={"owner": TOKEN[:8], "url": "https://shop.example:443/a@b"})

    assert caught == []
