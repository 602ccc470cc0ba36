"""The files of the libraries that are left out of the package, because no function reads them.

Every cold start downloads and unpacks the package. Files are left out whole; none is changed.
"""

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

from chalicelib.alerting.notifiers.apprise_services import SERVICES as CHAT_SERVICES

# botocore ships models of four hundred services. A client of a service that is not listed here
# fails in the functions.
AWS_SERVICES = frozenset({"dynamodb", "lambda", "sns", "sqs", "sesv2", "sts"})
# The functions call AWS through botocore, not boto3; pydantic's first version is never used; of
# dnspython only messages are needed.
UNUSED = (
    # The functions read time zones one by one; these files list them for people.
    "tzdata/zoneinfo/*.tab", "tzdata/zoneinfo/*.zi", "tzdata/zoneinfo/leapseconds",
    "apprise/assets", "apprise/cli.py", "apprise/i18n",
    "backports/zstd/_cffi", "backports/zstd/tarfile.py", "backports/zstd/zipfile",
    "bin", "boto3*", "s3transfer*", "botocore/cacert.pem", "botocore/data/*/*/examples-1.json",
    "botocore/data/dynamodb/2011-12-05", "botocore/data/lambda/2014-11-11", "jsonpath/cli.py",
    # The Python modules that these were compiled from do the same, and speed does not matter here.
    "charset_normalizer/*.so",
    "charset_normalizer/cli", "dateutil/easter.py", "dateutil/rrule.py", "dateutil/zoneinfo",
    "dns/_*_backend.py", "dns/_ddr.py", "dns/async*.py", "dns/btree*.py", "dns/dnssec.py",
    "dns/dnssecalgs", "dns/e164.py", "dns/nameserver.py", "dns/query.py", "dns/quic",
    "dns/resolver.py", "dns/tsigkeyring.py", "dns/update.py", "dns/versioned.py",
    "dns/win32util.py", "dns/xfr.py", "dns/zone.py", "dns/zonefile.py",
    "pydantic/color.py", "pydantic/experimental", "pydantic/mypy.py", "pydantic/v1",
    "urllib3/contrib/emscripten", "urllib3/contrib/pyopenssl.py",
    "urllib3/http2/connection.py",
)  # fmt: skip
_ELF_64 = b"\x7fELF\x02\x01"  # little-endian
# Everything else in chalice is its command line.
CHALICE_RUNTIME = frozenset({"chalice/__init__.py", "chalice/app.py"})


def remove_unused(site: Path) -> None:
    """Delete the unused files of the libraries that are installed in `site`."""
    for path in list(_unused(site)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def remove_debug_information(site: Path) -> None:
    """Cut off the sections of ELF files that follow what is loaded, which only debuggers read."""
    for path in site.rglob("*.so*"):
        content = path.read_bytes()
        if content.startswith(_ELF_64):
            path.write_bytes(_loaded_part(content))


def _loaded_part(elf: bytes) -> bytes:
    """Return an ELF file up to the end of its last segment, without its table of sections."""
    table, size, count = *struct.unpack_from("<Q", elf, 32), *struct.unpack_from("<2H", elf, 54)
    ends = [
        sum(struct.unpack_from("<Q16xQ", elf, table + number * size + 8)) for number in range(count)
    ]
    loaded = bytearray(elf[: max(ends)])
    struct.pack_into("<Q", loaded, 40, 0)
    struct.pack_into("<3H", loaded, 58, 0, 0, 0)
    return bytes(loaded)


def _unused(site: Path) -> Iterator[Path]:
    yield from (path for pattern in UNUSED for path in site.glob(pattern))
    models = site / "botocore" / "data"
    yield from (
        path for path in models.glob("*") if path.is_dir() and path.name not in AWS_SERVICES
    )
    plugins = {module for module, _ in CHAT_SERVICES.values()} | {"__init__", "base"}
    yield from (
        path for path in (site / "apprise" / "plugins").glob("*") if path.stem not in plugins
    )
    yield from (path for path in site.rglob("*") if _is_unused(path, path.relative_to(site)))


def _is_unused(path: Path, relative: Path) -> bool:
    if path.is_dir():
        return path.name in {"tests", "__pycache__"}
    if relative.parts[0].endswith(".dist-info"):
        # Vulnerability scanners find the versions in METADATA; licences have to be distributed.
        return path.name != "METADATA" and "LICEN" not in path.name.upper()
    if relative.parts[0] == "chalice":
        return relative.as_posix() not in CHALICE_RUNTIME
    return path.suffix in {".pyi", ".exe"} or path.name == "py.typed"
