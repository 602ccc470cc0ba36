"""The package of a stage: chalice's template merged with resources.json, and the functions' zip.

The template is that of `chalice package --merge-template .chalice/resources.json`. The zip is not
chalice's, which downloads every wheel again whenever the code changes, and contains all of botocore
and no bytecode.
"""

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from chalicelib.common.settings import STAGES
from ops import ROOT
from ops.console import Failure, run_command, step
from ops.packaging import exclusions, layer
from ops.stages import Stage, local_directory

MERGE_TEMPLATE = ROOT / ".chalice" / "resources.json"
REQUIREMENTS = ROOT / "requirements.txt"
MAX_ZIP_BYTES = 9_500_000
# The inputs of a package besides the code that is shipped.
RECIPE = (REQUIREMENTS, *map(Path, (__file__, layer.__file__, exclusions.__file__)))

IMPORT_ALL = """
import sys
sys.path.insert(0, sys.argv[1])
import importlib, pkgutil
import app, apprise.plugins, chalicelib, dns.message, dns.rdtypes, jsonpath, re2
for package in (apprise.plugins, chalicelib, dns.rdtypes):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
"""


@dataclass(frozen=True)
class Package:
    """A built package: a directory with `template.json`, `deployment.zip` and `digest`."""

    directory: Path

    @property
    def template(self) -> dict[str, Any]:
        text = (self.directory / "template.json").read_text(encoding="utf-8")
        parsed: dict[str, Any] = json.loads(text)
        return parsed

    @property
    def zip(self) -> Path:
        return self.directory / "deployment.zip"

    @property
    def digest(self) -> str:
        """The hash of the package's inputs; empty before the first build."""
        path = self.directory / "digest"
        return path.read_text(encoding="utf-8") if path.exists() else ""


def build(stage: str, directory: Path) -> Package:
    """Build the stage's package into `directory`, unless the one there has the same inputs.

    Raises:
        Failure: the configuration is invalid, a dependency is missing or the zip is too large.
    """
    package = Package(directory)
    digest = inputs(stage)
    if package.digest == digest:
        return package
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "digest").unlink(missing_ok=True)
    _write_zip(stage, package.zip, directory.parent)
    if (size := package.zip.stat().st_size) > MAX_ZIP_BYTES:
        raise Failure(f"{package.zip} has {size:,} bytes, more than {MAX_ZIP_BYTES:,}")
    text = json.dumps(template(stage), indent=1)
    (directory / "template.json").write_text(text, encoding="utf-8")
    (directory / "digest").write_text(digest, encoding="utf-8")
    return package


def build_in_subprocess(stage: Stage) -> Package:
    """Build the stage's package if its inputs have changed.

    In a separate process, because chalice imports the application to read its routes.

    Raises:
        Failure: the package cannot be built.
    """
    package = Package(build_directory(stage.name))
    if package.digest == inputs(stage.name):
        return package
    with step("packaging the code"):
        run_command("package", "--stage", stage.name, error="the code cannot be packaged")
    return package


def build_directory(stage: str) -> Path:
    """The directory that a stage's package is built in."""
    return local_directory() / "build" / stage


def inputs(stage: str) -> str:
    """The hash of everything that a package is built from."""
    digest = hashlib.sha256(f"{stage} {sys.version} {architecture(stage)}".encode())
    chalice_files = sorted((ROOT / ".chalice").glob("*.json"))
    for path in (*RECIPE, *chalice_files, *_shipped()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()


def architecture(stage: str) -> str:
    """The Lambda architecture: from config.json for AWS, this machine's for the emulators."""
    if STAGES[stage].on_aws:
        text = (ROOT / ".chalice" / "config.json").read_text(encoding="utf-8")
        return str(json.loads(text)["stages"][stage]["lambda_architecture"])
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def template(stage: str) -> dict[str, Any]:
    """The stage's SAM template; the functions' code is `./deployment.zip`.

    Raises:
        Failure: chalice's validation, which `chalice package` skips, finds an error.
    """
    # Imported here because they take a second to load and no other command uses them.
    from chalice import package as chalice_package
    from chalice.cli.factory import CLIFactory
    from chalice.deploy import appgraph, deployer
    from chalice.deploy.swagger import CFNSwaggerGenerator
    from chalice.deploy.validate import validate_configuration
    from chalice.policy import AppPolicyGenerator
    from chalice.utils import OSUtils

    factory = CLIFactory(str(ROOT))
    params = {"lambda_architecture": architecture(stage)}
    config = factory.create_config_obj(stage, user_provided_params=params)
    try:
        validate_configuration(config)
    except ValueError as error:
        raise Failure(f"the configuration is invalid: {error}") from error
    steps = [
        deployer.InjectDefaults(),
        deployer.DeploymentPackager(cast("Any", _PrebuiltZip())),
        deployer.PolicyGenerator(AppPolicyGenerator(OSUtils()), OSUtils()),
        deployer.SwaggerBuilder(CFNSwaggerGenerator()),
    ]
    builder = chalice_package.ResourceBuilder(
        appgraph.ApplicationGraphBuilder(),
        appgraph.DependencyBuilder(),
        deployer.BuildStage(steps),
    )
    resources = builder.construct_resources(config, stage)
    options = cast("Any", _OfflineOptions())
    generated = chalice_package.SAMTemplateGenerator(config, options).generate(resources)
    additions = json.loads(MERGE_TEMPLATE.read_text(encoding="utf-8"))
    merged: dict[str, Any] = chalice_package.TemplateDeepMerger().merge(additions, generated)
    merged["Parameters"]["Stage"]["Default"] = stage
    merged["Parameters"]["Alarms"]["Default"] = STAGES[stage].alarms
    # A stage on AWS is deployed with the account's limit; this is that of a new account.
    merged["Parameters"]["Concurrency"]["Default"] = "10" if STAGES[stage].on_aws else "emulator"
    return merged


def verify_imports(package: Package) -> None:
    """Import every shipped module from the zip, with only the standard library besides it.

    Emulators run functions beside their own libraries, which would hide a missing one.

    Raises:
        Failure: a module cannot be imported.
    """
    with tempfile.TemporaryDirectory() as directory:
        with zipfile.ZipFile(package.zip) as archive:
            archive.extractall(directory)
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", IMPORT_ALL, directory],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise Failure("the package is incomplete:\n" + done.stderr[-2000:])


class _PrebuiltZip:
    """Replaces chalice's packager, which would build another zip."""

    def create_deployment_package(self, _project: str, _python_version: str) -> str:
        return "./deployment.zip"


class _OfflineOptions:
    """Replaces chalice's options, which need AWS credentials to find the region."""

    def service_principal(self, service: str) -> str:
        return f"{service}.amazonaws.com"


def _shipped() -> Iterator[Path]:
    """The files of the application's code, in order."""
    yield ROOT / "app.py"
    for path in sorted((ROOT / "chalicelib").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _write_zip(stage: str, target: Path, cache: Path) -> None:
    """Append the code to a copy of the dependencies' zip, which is cached."""
    wheels_for = None if stage == "local" else architecture(stage)
    dependencies = layer.build(REQUIREMENTS, cache / "layers", wheels_for)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        tree = Path(work) / "code"
        for path in _shipped():
            copy = tree / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        layer.compile_tree(tree)
        unfinished = Path(work) / "deployment.zip"
        shutil.copyfile(dependencies, unfinished)
        with zipfile.ZipFile(unfinished, "a", zipfile.ZIP_DEFLATED) as archive:
            layer.add_tree(archive, tree)
        unfinished.replace(target)
