"""Kills the running local stack at random moments, and compares what is left with a journal.

    python -m benchmarks.kills --kills 20

Users, tokens and targets are created and deleted all the time. After each kill, everything that was
acknowledged more than 15 seconds before it has to be there, and nothing deleted by then may be
back.
"""

import argparse
import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass, field

import requests

from ops import stages
from ops.local import emulator, stack

MAX_LOSS_S = 15
PAUSE_S = 0.2


@dataclass
class Thing:
    """A user, token or target, and when its creation and its deletion were acknowledged."""

    kind: str
    check_path: str
    delete_path: str
    token: str
    created_at: float
    deleted_at: float | None = None


@dataclass
class Journal:
    """What was acknowledged."""

    api_url: str
    admin: str
    things: list[Thing] = field(default_factory=list)
    stopped: bool = False

    def call(
        self, method: str, path: str, token: str = "", body: object = None
    ) -> requests.Response:
        headers = {"Authorization": f"Token {token or self.admin}"}
        return requests.request(method, self.api_url + path, json=body, headers=headers, timeout=30)

    def change(self) -> None:
        """Create and delete things until the stack is killed."""
        try:
            while not self.stopped:
                random.choice((self._create_target, self._create_token, self._create_user))()
                alive = [thing for thing in self.things if thing.deleted_at is None]
                if random.random() < 0.5 and (old := [t for t in alive if t.kind != "user"]):
                    self._delete(random.choice(old))
                time.sleep(PAUSE_S)
        except (requests.RequestException, KeyError, ValueError):
            return

    def _create_target(self) -> None:
        body = {"name": "T", "kind": "tcp", "host": "127.0.0.1", "port": 9, "interval_s": 86_400}
        found = self.call("POST", "/v1/targets", body=body).json()
        path = f"/v1/targets/{found['id']}"
        self.things.append(Thing("target", path, path, self.admin, time.time()))

    def _create_token(self) -> None:
        found = self.call("POST", "/v1/tokens", body={"name": "t"}).json()
        path = f"/v1/tokens/{found['id']}"
        self.things.append(Thing("token", "/v1/me", path, found["token"], time.time()))

    def _create_user(self) -> None:
        found = self.call("POST", "/v1/users", body={"name": "u"}).json()
        self.things.append(Thing("user", "/v1/me", "", found["token"], time.time()))

    def _delete(self, thing: Thing) -> None:
        self.call("DELETE", thing.delete_path).raise_for_status()
        thing.deleted_at = time.time()

    def losses(self, killed_at: float) -> list[tuple[str, float]]:
        """What is not as acknowledged, and how long before the kill that was; then forget it."""
        found = []
        for thing in list(self.things):
            exists = self.call("GET", thing.check_path, thing.token).ok
            expected = thing.deleted_at is None
            if exists == expected:
                continue
            changed_at = thing.created_at if expected else thing.deleted_at or 0
            what = f"{thing.kind} {'lost' if expected else 'back'}"
            found.append((what, killed_at - changed_at))
            self.things.remove(thing)
        self.things = [thing for thing in self.things if thing.deleted_at is None][-60:]
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    description = stack.description()
    worst = 0.0
    journal = Journal(description["api_url"], description["token"])
    for number in range(1, options.kills + 1):
        journal.stopped = False
        worker = threading.Thread(target=journal.change)
        worker.start()
        time.sleep(random.uniform(2, 20))
        pid_file = stages.local_directory() / "ministack.pid"
        os.kill(int(pid_file.read_text(encoding="utf-8").split()[0]), signal.SIGKILL)
        killed_at, journal.stopped = time.time(), True
        worker.join()
        emulator.start()
        losses = journal.losses(killed_at)
        worst = max([worst, *(age for _, age in losses)])
        print(number, len(journal.things), [f"{what} {age:.1f} s" for what, age in losses])
    print(f"{options.kills} kills: the oldest change that was lost was {worst:.1f} s old")
    return int(worst > MAX_LOSS_S)


if __name__ == "__main__":
    sys.exit(main())
