"""The commands behind the Makefile: `python -m ops COMMAND`."""

import argparse
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.common.settings import STAGES
from ops import stages
from ops.console import Failure, confirm, fail, say, step
from ops.stages import Stage

_FLAG = "store_true"
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "logs": {"--once": {"action": _FLAG, "help": "the last minutes only"}},
    "package": {"--alone": {"action": _FLAG, "help": "prove that it is complete"}},
    "backup": {
        "--file": {"required": True, "type": Path},
        "--all": {"action": _FLAG, "help": "with results, deliveries and the schedule"},
    },
    "restore": {"--file": {"required": True, "type": Path}},
    "destroy": {
        "--yes": {"action": _FLAG, "help": "ask nothing"},
        "--data": {"action": _FLAG, "help": "delete the tables too"},
    },
    "rollup": {
        "--from": {"required": True, "help": "a date or a time in UTC"},
        "--to": {"required": True, "help": "a date or a time in UTC"},
    },
    "user": {
        "--name": {"required": True},
        "--admin": {"action": _FLAG},
        "--quiet": {"action": _FLAG, "help": "print nothing but the token"},
    },
}
"""What a command takes beside the stage."""


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit code, 1 with a plain line on a failure."""
    options = _parser().parse_args(arguments)
    try:
        COMMANDS[options.command](options)
    except Failure as error:
        return fail(error)
    except (BotoCoreError, ClientError) as error:
        return fail(Failure(f"AWS or the local stack refused: {error}"))
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ops", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "start the local stack and deploy the code to it"),
        ("down", "stop the local stack and keep its data"),
        ("reset", "stop the local stack and forget its data"),
        ("dev", "run everything in this process, on moto"),
        ("openapi", "write docs/openapi.json anew"),
    ):
        commands.add_parser(name, help=text)
    for name, text in (
        ("logs", "follow the functions' logs"),
        ("package", "build the template and the zip"),
        ("deploy", "deploy to AWS or an emulator, and try it"),
        ("plan", "show what deploying would change, and what was changed by hand"),
        ("smoke", "try a deployed stage"),
        ("destroy", "delete a deployed stage"),
        ("backup", "copy the data into a file"),
        ("restore", "put the data of a file in place"),
        ("user", "make a user and print the token"),
        ("rollup", "make the rollups of a range again from the results"),
        ("redrive", "give dead letters another chance"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--stage", default="local", choices=list(STAGES))
        for option, settings in OPTIONS.get(name, {}).items():
            command.add_argument(option, **settings)
    return parser


# Each command imports what it needs: the package's and the stack's modules are slow to load.
def _up(_options: argparse.Namespace) -> None:
    from ops import stack

    stack.up()


def _down(_options: argparse.Namespace) -> None:
    from ops import stack

    stack.down()


def _reset(_options: argparse.Namespace) -> None:
    from ops import stack

    stack.reset()


def _dev(_options: argparse.Namespace) -> None:
    from ops import dev

    dev.run()


def _openapi(_options: argparse.Namespace) -> None:
    from ops import openapi

    openapi.write()


def _logs(options: argparse.Namespace) -> None:
    from ops import logs

    show = logs.show if options.once else logs.follow
    show(stages.stage(options.stage))


def _package(options: argparse.Namespace) -> None:
    from ops import package

    directory = stages.local_directory() / "build" / options.stage
    built = package.build(options.stage, directory)
    say(f"{built.directory}: {built.zip.stat().st_size:,} bytes zipped")
    if options.alone:
        with step("importing all of it with nothing beside it"):
            package.imports_alone(built)


def _deploy(options: argparse.Namespace) -> None:
    from ops import deploy, regions, stack

    stage = stages.stage(options.stage)
    built = stack.build_package(stage)
    before = regions.of(stage)
    outputs = deploy.release(stage, built, lambda: _prove(stage))
    regions.follow(stage, built, before)
    say(f"\nAPI: {stages.api_base(stage, outputs['RestAPIId'])}")
    say(f"A first user: make user NAME=you ADMIN=1 STAGE={stage.name}")


def _prove(stage: Stage) -> None:
    from ops import smoke

    with step("smoke test: a target goes in, is checked, goes again"):
        smoke.prove(stage)


def _smoke(options: argparse.Namespace) -> None:
    _prove(stages.stage(options.stage))


def _plan(options: argparse.Namespace) -> None:
    from ops import deploy, drift, stack

    stage = stages.stage(options.stage)
    changes = deploy.plan(stage, stack.build_package(stage))
    say("\n".join(map(str, changes)) or "deploying would change nothing")
    with step("looking for what was changed by hand"):
        drifted = drift.drifted(stage)
    said = "nothing was" if drifted == [] else "that cannot be told here"
    say("\n".join(drifted or [said]))


def _destroy(options: argparse.Namespace) -> None:
    from ops import destroy

    stage = stages.stage(options.stage)
    say(destroy.what_happens(stage, data=options.data))
    if not options.yes:
        confirm(f"Type {stage.stack_name} to go on: ", stage.stack_name)
    destroy.destroy(stage, data=options.data)


def _backup(options: argparse.Namespace) -> None:
    from ops import backup

    stage = stages.stage(options.stage)
    count = backup.backup(stage, options.file, everything=options.all)
    say(f"{count:,} items in {options.file}: keep it like a password")


def _restore(options: argparse.Namespace) -> None:
    from ops import backup

    count = backup.restore(stages.stage(options.stage), options.file)
    say(f"{count:,} items restored")


def _user(options: argparse.Namespace) -> None:
    from ops import users

    user_id, token = users.create(stages.stage(options.stage), options.name, admin=options.admin)
    say(token if options.quiet else f"user {user_id}\ntoken {token}  (shown only now)")


def _rollup(options: argparse.Namespace) -> None:
    from ops import rollups

    bounds = vars(options)
    start, end = rollups.read_range(bounds["from"], bounds["to"])
    stage = stages.stage(options.stage)
    with step("folding"):
        lanes, hours = rollups.roll_up_again(stage, start, end)
    say(f"{hours:,} hours of {lanes:,} lanes made again")


def _redrive(options: argparse.Namespace) -> None:
    from ops import redrive

    for queue, moved in redrive.redrive(stages.stage(options.stage)).items():
        say(f"{queue}: {moved} dead letters moved back")


COMMANDS = {
    "up": _up,
    "down": _down,
    "reset": _reset,
    "dev": _dev,
    "openapi": _openapi,
    "logs": _logs,
    "package": _package,
    "deploy": _deploy,
    "plan": _plan,
    "smoke": _smoke,
    "destroy": _destroy,
    "backup": _backup,
    "restore": _restore,
    "user": _user,
    "rollup": _rollup,
    "redrive": _redrive,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
