"""The commands behind the Makefile: `python -m ops COMMAND`."""

import argparse
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.common.settings import STAGES
from ops import stages
from ops.console import Failure, confirm, fail, say, step
from ops.stages import Stage

_FLAG = "store_true"
COMMANDS = {
    "up": ("ops.local.stack:up", "start the local stack and deploy the code to it"),
    "down": ("ops.local.stack:down", "stop the local stack and keep its data"),
    "reset": ("ops.local.stack:reset", "stop the local stack and delete its data"),
    "mail": ("ops.local.stack:mail", "print the emails that the local stack sent"),
    "dev": ("ops.local.dev:run", "run everything in this process, on moto"),
    "openapi": ("ops.openapi.document:write", "generate docs/openapi.json and the route index"),
}
"""Commands without options: the function, imported only when it is called, and the help."""
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "logs": {"--once": {"action": _FLAG, "help": "the last minutes only"}},
    "package": {"--alone": {"action": _FLAG, "help": "verify that it is complete"}},
    "backup": {
        "--file": {"required": True, "type": Path},
        "--without-results": {"action": _FLAG, "help": "leave out single checks: most of the data"},
    },
    "restore": {"--file": {"required": True, "type": Path}},
    "deploy": {
        "--replace": {
            "action": "append",
            "default": [],
            "metavar": "NAME",
            "help": "a table or queue of the template whose data may be lost",
        }
    },
    "destroy": {
        "--yes": {"action": _FLAG, "help": "do not ask for confirmation"},
        "--data": {"action": _FLAG, "help": "delete the tables too"},
    },
    "rollup": {
        "--from": {"required": True, "help": "a date, or a time in UTC"},
        "--to": {"required": True, "help": "a date, or a time in UTC"},
    },
    "user": {
        "--name": {"required": True},
        "--admin": {"action": _FLAG},
        "--quiet": {"action": _FLAG, "help": "print only the token"},
    },
}
"""The options of a command besides `--stage`."""


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit code, which is 1 after a failure."""
    options = _parser().parse_args(arguments)
    try:
        if "stage" in options:
            STAGE_COMMANDS[options.command](stages.stage(options.stage), options)
        else:
            pkgutil.resolve_name(COMMANDS[options.command][0])()
    except Failure as error:
        return fail(error)
    except (BotoCoreError, ClientError) as error:
        return fail(Failure(f"a call of AWS or of the local stack failed: {error}"))
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ops", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, help_) in COMMANDS.items():
        commands.add_parser(name, help=help_)
    for name, function in STAGE_COMMANDS.items():
        command = commands.add_parser(name, help=function.__doc__)
        command.add_argument("--stage", default="local", choices=list(STAGES))
        for option, settings in OPTIONS.get(name, {}).items():
            command.add_argument(option, **settings)
    return parser


# Each command imports its own modules, because some of them are slow to load.
def _logs(stage: Stage, options: argparse.Namespace) -> None:
    """follow the functions' logs"""
    from ops.deployment import logs

    logs.show(stage, follow=not options.once)


def _package(stage: Stage, options: argparse.Namespace) -> None:
    """build the template and the zip"""
    from ops.packaging import package

    built = package.build(stage.name, package.build_directory(stage.name))
    say(f"{built.directory}: {built.zip.stat().st_size:,} bytes zipped")
    if options.alone:
        with step("importing every module of it without other libraries"):
            package.verify_imports(built)


def _deploy(stage: Stage, options: argparse.Namespace) -> None:
    """deploy to AWS or an emulator and run the smoke test"""
    from ops.deployment import mail
    from ops.deployment.release import release
    from ops.packaging.package import build_in_subprocess

    outputs = release(stage, build_in_subprocess(stage), lambda: _smoke(stage), options.replace)
    _repair(stage)
    if advice := mail.advice(stage):
        say(f"  warning: {advice}")
    say(f"\nAPI: {stages.api_base(stage, outputs['RestAPIId'])}")
    say(f"To create the first user: make user NAME=you ADMIN=1 STAGE={stage.name}")


def _smoke(stage: Stage, _options: argparse.Namespace | None = None) -> None:
    """run the smoke test on a deployed stage"""
    from ops.deployment import smoke

    with step("smoke test: creating a target, waiting for its check, deleting it"):
        smoke.run(stage)


def _plan(stage: Stage, _options: argparse.Namespace) -> None:
    """show what a deployment would change, and changes made by hand"""
    from ops.deployment import cloudformation, deploy
    from ops.packaging.package import build_in_subprocess

    changes = deploy.plan(stage, build_in_subprocess(stage))
    say("\n".join(map(str, changes)) or "a deployment would change nothing")
    with step("looking for changes made by hand"):
        drift = cloudformation.find_drift(stage)
    say("drift detection is not available here" if drift is None else "\n".join(drift) or "none")


def _destroy(stage: Stage, options: argparse.Namespace) -> None:
    """delete a deployed stage"""
    from ops.deployment import destroy

    say(destroy.warning(stage, data=options.data))
    if not options.yes:
        confirm(f"Type {stage.stack_name} to continue: ", stage.stack_name)
    destroy.destroy(stage, data=options.data)


def _backup(stage: Stage, options: argparse.Namespace) -> None:
    """copy the data into a file"""
    from ops.data import backup

    count = backup.backup(stage, options.file, with_results=not options.without_results)
    say(f"{count:,} items in {options.file}; keep it secret, it contains credentials")


def _restore(stage: Stage, options: argparse.Namespace) -> None:
    """add the data of a file to a stage, and wait until its targets are checked"""
    from chalicelib.alerting.overdue import send_all_waiting
    from ops.data import first_checks, restore
    from ops.deployment import deploy

    runtime = deploy.enter_runtime(stage)
    with step("restoring"):
        written, kept = restore.restore(stage, options.file, runtime.now)
    say(f"{written:,} items restored; {kept:,} are in the stage already and stay as they are")
    _repair(stage)
    say(f"{send_all_waiting(runtime):,} waiting alerts are attempted now")
    with step("waiting for the next check of each target"):
        lines = first_checks.wait_for_checks(stage, runtime)
    say("\n".join(lines))


def _repair(stage: Stage, _options: argparse.Namespace | None = None) -> None:
    """rebuild the schedule from the targets"""
    from ops.data import repair
    from ops.deployment import deploy

    runtime = deploy.enter_runtime(stage)
    lines = [f"repaired: {line}" for line in repair.repair(stage, runtime)]
    say("\n".join(lines) or "nothing to repair")


def _user(stage: Stage, options: argparse.Namespace) -> None:
    """create a user and print the token"""
    from chalicelib.users import service as users_service
    from ops.deployment import deploy

    deploy.enter_runtime(stage)
    user_id, token = users_service.create_user(options.name, admin=options.admin)
    say(token if options.quiet else f"user {user_id}\ntoken {token}  (not shown again)")


def _rollup(stage: Stage, options: argparse.Namespace) -> None:
    """recompute the rollups of a time range from the results"""
    from ops.data import rollups

    bounds = vars(options)
    start, end = rollups.parse_range(bounds["from"], bounds["to"])
    with step("rolling up"):
        lanes, hours = rollups.recompute(stage, start, end)
    say(f"recomputed {hours:,} hours of {lanes:,} lanes")


def _redrive(stage: Stage, _options: argparse.Namespace) -> None:
    """retry dead letters"""
    from ops.data import redrive

    for queue, moved in redrive.redrive(stage).items():
        say(f"{queue}: {moved} dead letters moved back")


STAGE_COMMANDS: dict[str, Callable[[Stage, argparse.Namespace], None]] = {
    "logs": _logs,
    "package": _package,
    "deploy": _deploy,
    "plan": _plan,
    "smoke": _smoke,
    "destroy": _destroy,
    "backup": _backup,
    "restore": _restore,
    "repair": _repair,
    "user": _user,
    "rollup": _rollup,
    "redrive": _redrive,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
