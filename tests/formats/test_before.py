"""Earlier code reads what is written now: `before.zip` contains its unchanged readers.

docs/decisions/0072-compatible-formats.md says when newer code replaces it.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.formats.test_formats import FORMATS, SAMPLES

ZIP = Path(__file__).parent / "before.zip"
READ_AND_WRITE_AGAIN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from chalicelib.domain import folds, jobs, outbox, status
from chalicelib.store import packing, rollups

assert jobs.__file__.startswith(sys.argv[1])

def check(text):
    return jobs.CheckJob.from_json(text).to_json()

def message(text):
    return outbox.read_job(text).to_json()

def results(text):
    found = packing.unpack(bytes.fromhex(text), {})
    return packing.pack(found, dict.fromkeys(found, 60)).hex()

def rollup(text):
    return rollups.Rollup.of(0, rollups.Rollup(0, bytes.fromhex(text), 2).pieces, 2).packed.hex()

again = {
    "check job": check,
    "check outside the schedule": check,
    "fold": lambda text: folds.Fold.from_json(text).to_json(),
    "flips": message,
    "flush": message,
    "delivery": message,
    "watchdog": message,
    "outbox": lambda text: outbox.Entry.from_json(text).to_json(),
    "state": lambda text: json.dumps(status.State.from_list(json.loads(text)).to_list()),
    "results": results,
    "rollup": rollup,
}
given = json.load(sys.stdin)
print(json.dumps({name: again[name](text) for name, text in given.items() if name in again}))
"""
SINCE = {"sections of a page", "sums of a rollup"}
"""Formats that did not exist then."""
IGNORED = {
    "state": SAMPLES["state"][1],
    **{name: SAMPLES[name][-2] for name in ("check job", "check outside the schedule")},
}
"""What that code writes for formats with newer fields: the same without the fields."""


def test_earlier_code_reads_what_is_written_now() -> None:
    """The earlier code writes everything again, to compare what it understood."""
    written = {name: FORMATS[name].write(FORMATS[name].value) for name in FORMATS}
    done = subprocess.run(
        [sys.executable, "-c", READ_AND_WRITE_AGAIN, str(ZIP)],
        input=json.dumps(written),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    expected = {name: text for name, text in {**written, **IGNORED}.items() if name not in SINCE}
    assert json.loads(done.stdout) == expected
