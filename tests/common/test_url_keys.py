"""Values of query parameters that look like keys are masked."""

import base64
import random

import pytest

from chalicelib.common.url_keys import keys_in, mask_keys

URL = "https://shop.example/health"


@pytest.mark.parametrize(
    "name",
    [
        "api_key", "apikey", "apiKey", "API-KEY", "key", "x-api-key", "subscription-key",
        "token", "access_token", "accessToken", "auth", "id_token", "jwt", "secret",
        "client_secret", "password", "pwd", "sig", "signature", "X-Amz-Signature",
        "X-Amz-Credential", "X-Amz-Security-Token", "AWSAccessKeyId", "sid", "sessionid",
        "api%5Fkey", "userToken", "pass", "hmac", "X-Goog-Signature",
    ],
)  # fmt: skip
def test_value_is_masked_by_its_name(name: str) -> None:
    assert mask_keys(f"{URL}?a=1&{name}=abc&b=2") == f"{URL}?a=1&{name}=***&b=2"
    assert mask_keys(f"{URL}?{name}=abc") == f"{URL}?{name}=***"


@pytest.mark.parametrize("seed", range(20))
def test_long_random_value_is_masked_whatever_its_name(seed: int) -> None:
    raw = random.Random(seed).randbytes(24)
    for value in (
        raw.hex(),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
    ):
        assert mask_keys(f"{URL}?q={value}&b=2") == f"{URL}?q=***&b=2"
    assert mask_keys(f"{URL}?q=0190c1de-1111-7000-8000-0123456789ab") == f"{URL}?q=***"


@pytest.mark.parametrize(
    "query",
    [
        "", "?", "?page=2&sort=name", "?from=2026-11-22T06:40:04Z", "?q=winter-sale-2026",
        "?keyword=shoes", "?author=me", "?design=flat", "?n=12345678901234567890", "?passenger=2",
        "?redirect=https%3A%2F%2Fother.example%2Flogin", "?flag&other", "?lang=en#section=2",
        "?callback=jQueryAnswerFunction",
    ],
)  # fmt: skip
def test_other_values_stay(query: str) -> None:
    assert mask_keys(URL + query) == URL + query


def test_keys_are_masked_in_every_url_of_a_text() -> None:
    text = 'expected "x", got "https://a.example/?token=abc" and https://b.example/#access_token=x.'
    masked = (
        'expected "x", got "https://a.example/?token=***" and https://b.example/#access_token=***'
    )
    assert mask_keys(text) == masked
    nested = "https://a.example/?next=https%3A%2F%2Fb.example%2F%3Ftoken%3Dabc"
    assert "abc" not in mask_keys(nested)


def test_keys_are_also_found_decoded() -> None:
    assert set(keys_in(f"{URL}?page=1&token=a%2Bb")) == {"a%2Bb", "a+b"}
