"""The HTTP client of the API: retries, pagination and error messages."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from monitum_cli.credentials import Credentials
from monitum_cli.errors import ApiError, CliError, FieldPath, Unreachable

TIMEOUTS_S = (10, 40)
"""To connect and to wait for the response: API Gateway gives up after 29 s."""
RETRY_DELAYS_S = (0.5, 1.0, 2.0)
MAX_RATE_LIMIT_WAIT_S = 60.0
"""The longest total wait for the rate limit, per call."""
PAGE_SIZE = 200
"""The most items that the API returns in one page."""
_IDEMPOTENT_METHODS = {"GET", "DELETE"}
_TRANSIENT_STATUSES = {502, 503, 504}


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response: its JSON value (None for an empty body) and ETag.

    `is_replayed`: it repeats the response to an earlier request with the same Idempotency-Key.
    """

    value: Any
    etag: str | None = None
    is_replayed: bool = False


class Api:
    """The API of one installation, called with one token.

    Every method raises ApiError for an error response and Unreachable without a response.
    `notify` receives a message before a long wait.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        sleep: Callable[[float], None] = time.sleep,
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.credentials, self._sleep, self._notify = credentials, sleep, notify
        self._session = requests.Session()
        # Set through `auth`: requests would replace a header by a password from ~/.netrc.
        self._session.auth = self._authenticate
        self._session.headers.update({"User-Agent": "monitum-cli", "Accept": "application/json"})

    def get(self, path: str, **query: object) -> Any:
        """Return the value at a path. Query parameters that are None are left out."""
        return self.get_response(path, **query).value

    def get_response(self, path: str, **query: object) -> ApiResponse:
        """Return the value at a path with its ETag."""
        # A trailing underscore makes a Python keyword usable as a parameter: `from_`.
        params = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        return self._call("GET", path, params=params)

    def create(self, path: str, body: object) -> Any:
        """POST a new resource; a new Idempotency-Key makes retries safe."""
        return self.create_with_key(path, body, str(uuid.uuid4())).value

    def create_with_key(self, path: str, body: object, key: str) -> ApiResponse:
        """POST a new resource; the same key within a day returns the same resource."""
        return self._call("POST", path, body, headers={"Idempotency-Key": key}, retry=True)

    def post(self, path: str, body: object = None, *, retry: bool = False) -> Any:
        """POST to an action; set `retry` only if repeating it is harmless."""
        return self._call("POST", path, body, retry=retry).value

    def update(self, path: str, body: object, etag: str | None = None) -> ApiResponse:
        """PATCH a resource, if it still has the ETag.

        With an ETag it is never retried: if the first attempt succeeded, the second would fail.
        """
        headers = {"If-Match": etag} if etag else {}
        return self._call("PATCH", path, body, headers=headers, retry=etag is None)

    def delete(self, path: str, etag: str | None = None) -> None:
        """DELETE a resource, if it still has the ETag."""
        self._call("DELETE", path, headers={"If-Match": etag} if etag else {})

    def paginate(self, path: str, **query: object) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, requesting page after page."""
        params = {"limit": PAGE_SIZE, **query}
        cursors: set[str] = set()
        while True:
            page = self.get(path, **params)
            try:
                items, cursor = page["items"], page["next_cursor"]
            except (KeyError, TypeError):
                raise self._not_monitum() from None
            yield from items
            if cursor is None:
                return
            if cursor in cursors:
                raise Unreachable("the API returned the same cursor twice: please report this bug")
            cursors.add(cursor)
            params["cursor"] = cursor

    def _authenticate(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Token {self.credentials.token}"
        return request

    def _call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        retry: bool = False,
    ) -> ApiResponse:
        def send() -> requests.Response:
            return self._session.request(
                method,
                self.credentials.url + path,
                params={name: _query_value(value) for name, value in (params or {}).items()},
                headers=dict(headers or {}),
                json=body,
                timeout=TIMEOUTS_S,
                allow_redirects=False,
            )

        response, was_retried = self._send(send, retry=retry or method in _IDEMPOTENT_METHODS)
        if method == "DELETE" and was_retried and response.status_code == 404:
            # The attempt whose response was lost has deleted it.
            return ApiResponse(None)
        if not response.ok or response.is_redirect:
            raise self._error(response)
        is_replayed = response.headers.get("Idempotent-Replayed") == "true"
        return ApiResponse(self._value(response), response.headers.get("ETag"), is_replayed)

    def _send(
        self, send: Callable[[], requests.Response], *, retry: bool
    ) -> tuple[requests.Response, bool]:
        """Send until the response is final; also returns whether earlier attempts failed.

        A rate-limited request was not processed, so it is repeated even without `retry`.
        """
        waited, was_retried, delays = 0.0, False, list(RETRY_DELAYS_S if retry else ())
        while True:
            try:
                response = self._send_once(send)
            except Unreachable:
                if not delays:
                    raise
            else:
                if response.status_code == 429:
                    delay = _retry_after(response)
                    if waited + delay > MAX_RATE_LIMIT_WAIT_S:
                        return response, was_retried
                    waited += delay
                    self._notify(f"rate limited: waiting {delay:.0f} s")
                    self._sleep(delay)
                    continue
                if response.status_code not in _TRANSIENT_STATUSES or not delays:
                    return response, was_retried
            was_retried = True
            self._sleep(delays.pop(0))

    def _send_once(self, send: Callable[[], requests.Response]) -> requests.Response:
        url = self.credentials.url
        try:
            return send()
        except requests.exceptions.SSLError as error:
            raise CliError(f"no secure connection to {url}: {_root_cause(error)}") from error
        except (requests.exceptions.InvalidURL, UnicodeError) as error:
            raise CliError(f"{url} is not a valid URL") from error
        except requests.exceptions.Timeout as error:
            raise Unreachable(f"{url} did not respond in time") from error
        except requests.exceptions.RequestException as error:
            raise Unreachable(f"could not connect to {url}: {_root_cause(error)}") from error

    def _value(self, response: requests.Response) -> Any:
        if not response.content:
            return None
        try:
            return json.loads(response.content)
        except ValueError:
            raise self._not_monitum() from None

    def _error(self, response: requests.Response) -> CliError:
        url, status = self.credentials.url, response.status_code
        if response.is_redirect:
            location = response.headers.get("Location", "another URL")
            return Unreachable(f"{url} redirects to {location}: log in there")
        if status == 401:
            return ApiError(401, "the token is no longer valid: run `monitum login`")
        try:
            problem = json.loads(response.content)
            field_errors = tuple((_field(one["loc"]), str(one["msg"])) for one in problem["errors"])
            detail = str(problem["detail"])
        except (ValueError, KeyError, TypeError):
            reason = f"{status} {response.reason or ''}".strip()
            return ApiError(status, f"{url} responded with {reason}")
        if status >= 500 and "request_id" in problem:
            detail = f"{detail} (request {problem['request_id']})"
        if status == 429:
            detail = f"{detail}; try again in {_retry_after(response):.0f} s"
        return ApiError(status, detail, field_errors, problem)

    def _not_monitum(self) -> Unreachable:
        return Unreachable(f"{self.credentials.url} is not a Monitum API: check the URL")


def _query_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _retry_after(response: requests.Response) -> float:
    """Return the seconds to wait, at least one; one if the header is missing or no number."""
    text = response.headers.get("Retry-After", "")
    return max(1.0, float(text)) if text.isascii() and text.isdigit() else 1.0


def _field(loc: list[str | int]) -> FieldPath:
    """Return the path of a field within its part of the request: `body`, `query` or `header`."""
    return tuple(loc[1:] if loc and loc[0] in {"body", "query", "header"} else loc)


def _root_cause(error: BaseException) -> str:
    """Return the message of the innermost exception, without those that libraries wrap it in."""
    cause: object = error
    while True:
        inner = getattr(cause, "reason", None) or next(
            (arg for arg in getattr(cause, "args", ()) if isinstance(arg, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        cause = inner
    text = getattr(cause, "strerror", None) or str(cause)
    return str(text).rpartition(": ")[2] or "the connection failed"
