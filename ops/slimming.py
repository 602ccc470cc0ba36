"""Leaves out of the libraries what the functions do not use: each start downloads and reads it.

botocore brings the models of four hundred services, of which a handful are called. Docstrings are
an eighth of all bytecode. Some modules are loaded at each start for what nobody asks of them.
"""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from chalicelib.alerting.notifiers.apprise_services import SERVICES as CHAT_SERVICES
from ops.console import Failure

_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

# Whose models stay in botocore; a client of any other service fails in the functions.
SERVICES = frozenset({"dynamodb", "lambda", "sqs", "sesv2", "sts"})
# What nothing in the functions imports: boto3 (they use botocore), pydantic's first version, time
# zones beside those of the system, DNS beyond the messages themselves.
UNUSED = (
    # Time zones are read one by one: the lists of them are for people.
    "tzdata/zoneinfo/*.tab",
    "tzdata/zoneinfo/*.zi",
    "tzdata/zoneinfo/leapseconds",
    "apprise/assets",
    "apprise/cli.py",
    "apprise/i18n",
    "bin",
    "boto3*",
    "s3transfer*",
    "botocore/cacert.pem",
    "botocore/docs/[!_du]*",
    # What it is compiled from does the same, and nobody waits for it.
    "charset_normalizer/*.so",
    "dateutil/easter.py",
    "dateutil/rrule.py",
    "dateutil/zoneinfo",
    "dns/_*_backend.py",
    "dns/async*.py",
    "dns/dnssec.py",
    "dns/dnssecalgs",
    "dns/versioned.py",
    "dns/xfr.py",
    "dns/zone.py",
    "dns/zonefile.py",
    "dns/quic",
    "charset_normalizer/cli",
    "dns/e164.py",
    "pydantic/mypy.py",
    "pydantic/v1",
    "urllib3/contrib/emscripten",
    "urllib3/http2/connection.py",
)
# chalice's command line stays out: the runtime is these two files.
CHALICE_RUNTIME = frozenset({"chalice/__init__.py", "chalice/app.py"})
DIST_INFO = frozenset({"METADATA", "entry_points.txt"})
# Stand for modules that others import at their start and make no use of here: the documentation of
# every call for help(), HTTP/2 unless it is switched on, plugins of pydantic's unless some are
# installed. They bring html.parser, importlib.metadata, zipfile and a search of all that is
# installed: a tenth of a start.
STAND_INS = {
    "botocore/docs/__init__.py": "",
    "botocore/docs/docstring.py": (
        "ClientMethodDocstring = PaginatorDocstring = WaiterDocstring = lambda **_: ''\n"
    ),
    "pydantic/plugin/_loader.py": "def get_plugins():\n    return ()\n",
    "urllib3/http2/__init__.py": "",
}


def slim(site: Path) -> None:
    """Take what is not used out of the libraries that are installed in `site`.

    Raises:
        Failure: a library has no such module any more as one of STAND_INS stands for.
    """
    for name, text in STAND_INS.items():
        if not (site / name).exists():
            raise Failure(f"{name} is not there to be replaced: see {Path(__file__).name}")
        (site / name).write_text(text, encoding="utf-8")
    _prune(site)
    for source in site.rglob("*.py"):
        source.write_bytes(without_docstrings(source.read_bytes()))
    for metadata in site.glob("*.dist-info/METADATA"):
        # Behind the first empty line comes the description.
        metadata.write_bytes(metadata.read_bytes().partition(b"\n\n")[0] + b"\n")


def without_docstrings(source: bytes) -> bytes:
    """UTF-8 source with every docstring empty, and everything else on the line where it was.

    Empty, and not gone: there is code that calls methods of its docstrings.
    """
    lines = source.splitlines(keepends=True)
    found = [node.body[0] for node in ast.walk(ast.parse(source)) if _has_docstring(node)]
    for text in sorted(found, key=lambda node: node.lineno, reverse=True):
        first, last = text.lineno - 1, (text.end_lineno or text.lineno) - 1
        after = lines[last][text.end_col_offset :]
        before = lines[first][: text.col_offset]
        lines[first : last + 1] = [before + b'""' + b"\n" * (last - first) + after]
    return b"".join(lines)


def _has_docstring(node: ast.AST) -> TypeGuard[_Documented]:
    return isinstance(node, _Documented) and ast.get_docstring(node, clean=False) is not None


def _prune(site: Path) -> None:
    for path in list(_superfluous(site)):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()


def _superfluous(site: Path) -> Iterator[Path]:
    yield from _superfluous_services(site / "apprise" / "plugins")
    yield from (path for pattern in UNUSED for path in site.glob(pattern))
    models = site / "botocore" / "data"
    yield from (path for path in models.iterdir() if path.is_dir() and path.name not in SERVICES)
    yield from (path for path in site.rglob("*") if _is_junk(path, path.relative_to(site)))


def _superfluous_services(plugins: Path) -> Iterator[Path]:
    """Of apprise's two hundred services all to which no alerts go."""
    kept = {module for module, _ in CHAT_SERVICES.values()} | {"__init__", "base"}
    if plugins.exists():
        yield from (path for path in plugins.iterdir() if path.stem not in kept)


def _is_junk(path: Path, relative: Path) -> bool:
    if path.is_dir():
        return path.name in {"tests", "__pycache__"}
    if relative.parts[0].endswith(".dist-info"):
        return path.name not in DIST_INFO and "LICEN" not in path.name.upper()
    if relative.parts[0] == "chalice":
        return relative.as_posix() not in CHALICE_RUNTIME
    return path.suffix in {".pyi", ".exe"} or path.name == "py.typed"
