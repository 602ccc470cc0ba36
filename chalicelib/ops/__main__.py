"""The commands behind the Makefile: `python -m chalicelib.ops COMMAND`."""

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.ops import stages
from chalicelib.ops.console import Failure, fail, say, step
from chalicelib.settings import STAGES


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
    parser = argparse.ArgumentParser(prog="python -m chalicelib.ops", description=__doc__)
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
        ("deploy", "deploy to AWS or an emulator"),
        ("user", "make a user and print the token"),
        ("rollup", "make the rollups of a range again from the results"),
        ("redrive", "give dead letters another chance"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--stage", default="local", choices=list(STAGES))
        if name == "logs":
            command.add_argument("--once", action="store_true", help="the last minutes only")
        if name == "package":
            command.add_argument("--alone", action="store_true", help="prove that it is complete")
        if name == "rollup":
            for bound in ("from", "to"):
                command.add_argument(
                    f"--{bound}", dest=bound, required=True, help="a date or a time in UTC"
                )
        if name == "user":
            command.add_argument("--name", required=True)
            command.add_argument("--admin", action="store_true")
            command.add_argument("--quiet", action="store_true", help="print nothing but the token")
    return parser


# Each command imports what it needs: the package's and the stack's modules are slow to load.
def _up(_options: argparse.Namespace) -> None:
    from chalicelib.ops import stack

    stack.up()


def _down(_options: argparse.Namespace) -> None:
    from chalicelib.ops import stack

    stack.down()


def _reset(_options: argparse.Namespace) -> None:
    from chalicelib.ops import stack

    stack.reset()


def _dev(_options: argparse.Namespace) -> None:
    from chalicelib.ops import dev

    dev.run()


def _openapi(_options: argparse.Namespace) -> None:
    from chalicelib.ops import openapi

    openapi.write()


def _logs(options: argparse.Namespace) -> None:
    from chalicelib.ops import logs

    show = logs.show if options.once else logs.follow
    show(stages.stage(options.stage))


def _package(options: argparse.Namespace) -> None:
    from chalicelib.ops import package

    directory = stages.local_directory() / "build" / options.stage
    built = package.build(options.stage, directory)
    say(f"{built.directory}: {built.zip.stat().st_size:,} bytes zipped")
    if options.alone:
        with step("importing all of it with nothing beside it"):
            package.imports_alone(built)


def _deploy(options: argparse.Namespace) -> None:
    from chalicelib.ops import deploy, stack

    stage = stages.stage(options.stage)
    built = stack.build_package(stage)
    with step(f"deploying {stage.stack_name}"):
        outputs = deploy.deploy(stage, built)
    for name, value in sorted(outputs.items()):
        say(f"  {name}: {value}")
    say(f"\nAPI: {stages.api_base(stage, outputs['RestAPIId'])}")
    say(f"A first user: make user NAME=you ADMIN=1 STAGE={stage.name}")


def _user(options: argparse.Namespace) -> None:
    from chalicelib.ops import users

    user_id, token = users.create(stages.stage(options.stage), options.name, admin=options.admin)
    say(token if options.quiet else f"user {user_id}\ntoken {token}  (shown only now)")


def _rollup(options: argparse.Namespace) -> None:
    from chalicelib.ops import rollups

    bounds = vars(options)
    start, end = rollups.read_range(bounds["from"], bounds["to"])
    stage = stages.stage(options.stage)
    with step("folding"):
        lanes, hours = rollups.fold_again(stage, start, end)
    say(f"{hours:,} hours of {lanes:,} lanes made again")


def _redrive(options: argparse.Namespace) -> None:
    from chalicelib.ops import redrive

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
    "user": _user,
    "rollup": _rollup,
    "redrive": _redrive,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
