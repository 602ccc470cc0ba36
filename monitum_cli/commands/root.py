"""The command itself, with all that it has."""

from importlib.metadata import PackageNotFoundError, version

import click

from monitum_cli.commands import (
    channels,
    checks,
    files,
    imports,
    incidents,
    login,
    maintenance,
    pages,
    targets,
    tokens,
    users,
)

_EPILOG = """Exit codes: 0 done, 1 failed, 2 wrong usage, 3 denied, 4 not found, 5 conflict,
6 invalid, 7 over the rate, 8 unreachable, 9 partly done, 10 the answer is no."""


def _version() -> str:
    try:
        return version("monitum")
    except PackageNotFoundError:
        return "not installed"


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@click.version_option(_version(), message="monitum %(version)s")
def cli() -> None:
    """Monitum, the uptime monitor that you own, from the command line.

    Things are named by id, by the beginning of an id, or by name.
    What is shown is shown as the API's JSON with --json.
    """


for command in (
    login.login,
    login.logout,
    login.whoami,
    targets.targets,
    checks.checks,
    checks.stats,
    incidents.incidents,
    channels.channels,
    maintenance.maintenance,
    pages.pages,
    tokens.tokens,
    users.users,
    files.export_file,
    files.plan,
    files.apply_file,
    imports.import_file,
):
    cli.add_command(command)
