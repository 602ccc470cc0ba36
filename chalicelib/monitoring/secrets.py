"""A target's secrets: header values, a URL's userinfo and what is sent over TCP.

They go in and never come out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.common.errors import Fault, InvalidError

MASK = "***"
"""Shown in place of a secret; given back, it stands for the one that is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretNames:
    """Which secrets a target has, never what they are."""

    headers: tuple[str, ...] = ()
    userinfo: bool = False
    send: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Header values by name, `user:password`, and the text to send; None where there is none."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    userinfo: str | None = field(default=None, repr=False)
    send: str | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return bool(self.headers) or self.userinfo is not None or self.send is not None

    @property
    def names(self) -> SecretNames:
        return SecretNames(
            headers=tuple(self.headers),
            userinfo=self.userinfo is not None,
            send=self.send is not None,
        )

    @property
    def has_masks(self) -> bool:
        """Whether some of it stands for what is stored."""
        return MASK in {*self.headers.values(), self.userinfo, self.send}

    def over(self, stored: "Secrets") -> "Secrets":
        """These secrets, the masked ones taken from `stored`.

        Raises InvalidError, naming the field, where nothing is stored to stand for.
        """
        faults = [
            Fault(("body", "headers", name), f"{MASK} stands for a stored value, and there is none")
            for name, value in self.headers.items()
            if value == MASK and name not in stored.headers
        ]
        if self.userinfo == MASK and stored.userinfo is None:
            faults.append(
                Fault(("body", "url"), f"{MASK} stands for stored credentials: there are none")
            )
        if self.send == MASK and stored.send is None:
            faults.append(
                Fault(("body", "send"), f"{MASK} stands for a stored text: there is none")
            )
        if faults:
            raise InvalidError("a masked value does not stand for anything", tuple(faults))
        return Secrets(
            headers={
                name: stored.headers[name] if value == MASK else value
                for name, value in self.headers.items()
            },
            userinfo=stored.userinfo if self.userinfo == MASK else self.userinfo,
            send=stored.send if self.send == MASK else self.send,
        )

    def to_json(self) -> dict[str, Any]:
        values = {"headers": dict(self.headers), "userinfo": self.userinfo, "send": self.send}
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Secrets":
        return cls(
            headers=stored.get("headers", {}),
            userinfo=stored.get("userinfo"),
            send=stored.get("send"),
        )
