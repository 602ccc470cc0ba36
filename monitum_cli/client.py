"""Calls of the API: retries where they are harmless, pages, and errors in plain words."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.auth import AuthBase

from monitum_cli.config import Login
from monitum_cli.errors import ApiFailure, Failure, Unreachable

TIMEOUTS_S = (10, 40)
"""To connect, and to wait for an answer: API Gateway gives up after 29 s."""
WAITS_S = (0.5, 1.0, 2.0)
LONGEST_WAIT_S = 60.0
"""How long all waiting for a rate limit may take together, for one call."""
PAGE = 200
"""Items that a page may hold at most."""
_HARMLESS = {"GET", "DELETE"}
_PASSING = {502, 503, 504}
_REFUSED = "the token is not accepted any more: monitum login"


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON value, None for an empty body, and the ETag of what it shows.

    `is_repeated`: an earlier call with the same Idempotency-Key was answered so.
    """

    value: Any
    etag: str | None
    is_repeated: bool = False


class Api:
    """One installation of Monitum, called with one token.

    `sleep` waits, `notice` is told when that takes long.
    """

    def __init__(
        self,
        login: Login,
        *,
        sleep: Callable[[float], None] = time.sleep,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.login, self._sleep, self._notice = login, sleep, notice
        self._session = requests.Session()
        # Set as such and not as a header: else requests would look into ~/.netrc for a better one.
        self._session.auth = _TokenAuth(login.token)
        self._session.headers.update({"User-Agent": "monitum-cli", "Accept": "application/json"})

    def get(self, path: str, **query: object) -> Any:
        """The value at a path; raises ApiFailure, Unreachable."""
        return self.fetch(path, **query).value

    def fetch(self, path: str, **query: object) -> Answer:
        """The value at a path with its ETag; raises ApiFailure, Unreachable."""
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        return self._call("GET", path, query=given)

    def create(self, path: str, body: object) -> Any:
        """What a POST makes: one thing, however often it has to be sent."""
        return self.create_once(path, body, str(uuid.uuid4())).value

    def create_once(self, path: str, body: object, key: str) -> Answer:
        """What a POST makes, or made within the day, with this key."""
        return self._call("POST", path, body, headers={"Idempotency-Key": key}, again=True)

    def do(self, path: str, body: object = None, *, again: bool = False) -> Any:
        """What a POST answers that makes nothing; with `again` repeating it is harmless."""
        return self._call("POST", path, body, again=again).value

    def change(self, path: str, body: object, etag: str | None = None) -> Answer:
        """What a PATCH answers; with an ETag it is sent once, as a second one could not fit."""
        headers = {"If-Match": etag} if etag else {}
        return self._call("PATCH", path, body, headers=headers, again=etag is None)

    def remove(self, path: str, etag: str | None = None) -> None:
        """Delete what is there; what a lost answer has deleted already is as well."""
        headers = {"If-Match": etag} if etag else {}
        self._call("DELETE", path, headers=headers)

    def each(self, path: str, **query: object) -> Iterator[dict[str, Any]]:
        """All items of a list, page after page."""
        asked = {"limit": PAGE, **query}
        seen: set[str] = set()
        while True:
            page = self.get(path, **asked)
            try:
                items, cursor = page["items"], page["next_cursor"]
            except (KeyError, TypeError):
                raise _not_monitum(self.login.url) from None
            yield from items
            if cursor is None:
                return
            if cursor in seen:
                raise Unreachable("the API goes in circles with a list: please report it")
            seen.add(cursor)
            asked["cursor"] = cursor

    def _call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> Answer:
        request = requests.Request(
            method,
            self.login.url + path,
            params={name: _as_query(value) for name, value in (query or {}).items()},
            headers=dict(headers or {}),
            json=body,
        )
        response, lost = self._send(request, again=again or method in _HARMLESS)
        if method == "DELETE" and lost and response.status_code == 404:
            return Answer(None, None)
        if not response.ok or response.is_redirect:
            raise self._failure(response)
        headers = response.headers
        return Answer(
            self._value(response), headers.get("ETag"), headers.get("Idempotent-Replayed") == "true"
        )

    def _send(self, request: requests.Request, *, again: bool) -> tuple[requests.Response, bool]:
        """The first answer that is final, and whether one was lost before it."""
        waited, lost, pauses = 0.0, False, list(WAITS_S if again else ())
        while True:
            try:
                response = self._once(request)
            except Unreachable:
                if not pauses:
                    raise
                lost = True
            else:
                if response.status_code == 429:
                    pause = _retry_after(response)
                    if waited + pause > LONGEST_WAIT_S:
                        return response, lost
                    waited += pause
                    self._notice(f"over the rate: waiting {pause:.0f} s")
                    self._sleep(pause)
                    continue
                if response.status_code not in _PASSING or not pauses:
                    return response, lost
                lost = True
            self._sleep(pauses.pop(0))

    def _once(self, request: requests.Request) -> requests.Response:
        try:
            prepared = self._session.prepare_request(request)
            settings = self._session.merge_environment_settings(prepared.url, {}, None, None, None)
            return self._session.send(
                prepared, timeout=TIMEOUTS_S, allow_redirects=False, **settings
            )
        except requests.exceptions.SSLError as error:
            raise Failure(f"no safe connection to {self.login.url}: {_root(error)}") from error
        except (requests.exceptions.InvalidURL, UnicodeError) as error:
            raise Failure(f"{self.login.url} is no address that can be called") from error
        except requests.exceptions.Timeout as error:
            raise Unreachable(f"{self.login.url} does not answer in time") from error
        except requests.exceptions.RequestException as error:
            raise Unreachable(f"{self.login.url} cannot be reached: {_root(error)}") from error

    def _value(self, response: requests.Response) -> Any:
        if not response.content:
            return None
        try:
            return json.loads(response.content)
        except ValueError:
            raise _not_monitum(self.login.url) from None

    def _failure(self, response: requests.Response) -> Failure:
        if response.is_redirect:
            place = response.headers.get("Location", "elsewhere")
            return Unreachable(f"{self.login.url} sends on to {place}: log in there")
        if response.status_code == 401:
            return ApiFailure(401, _REFUSED)
        try:
            problem = json.loads(response.content)
            faults = tuple((_field(one["loc"]), str(one["msg"])) for one in problem["errors"])
            detail = str(problem["detail"])
        except (ValueError, KeyError, TypeError):
            return ApiFailure(response.status_code, f"{self.login.url} answers {_said(response)}")
        if response.status_code >= 500 and "request_id" in problem:
            detail = f"{detail} (request {problem['request_id']})"
        if response.status_code == 429:
            detail = f"{detail}; try again in {_retry_after(response):.0f} s"
        return ApiFailure(response.status_code, detail, faults, problem)


class _TokenAuth(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Token {self._token}"
        return request


def _as_query(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _retry_after(response: requests.Response) -> float:
    """Seconds to wait; one where the header does not say so in seconds."""
    text = response.headers.get("Retry-After", "")
    return max(1.0, float(text)) if text.isascii() and text.isdigit() else 1.0


def _field(loc: list[str | int]) -> tuple[str | int, ...]:
    """Where a fault is, without the part of the request where all of them are."""
    return tuple(loc[1:] if loc and loc[0] in {"body", "query", "header"} else loc)


def _said(response: requests.Response) -> str:
    return f"{response.status_code} {response.reason or ''}".strip()


def _root(error: BaseException) -> str:
    """The innermost reason, without the objects that libraries wrap it in."""
    cause: object = error
    while True:
        inner = getattr(cause, "reason", None) or next(
            (one for one in getattr(cause, "args", ()) if isinstance(one, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        cause = inner
    text = getattr(cause, "strerror", None) or str(cause)
    return str(text).rpartition(": ")[2] or "the connection failed"


def _not_monitum(url: str) -> Unreachable:
    return Unreachable(f"{url} does not answer as Monitum does: is the address right?")
