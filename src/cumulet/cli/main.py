"""The command `cumulet`: finds the command's module in one table and lets it do the work.

Answers go to standard output, talk to standard error. Exit codes: 0 done; 1 it failed, and the last line of the error
is a hint; 2 the command line was wrong; 130 interrupted.

A command is a module with `add_arguments(parser)` and `main(arguments) -> int`; only the chosen one is imported.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

from cumulet.base.errors import CumuletError

COMMANDS = {
    "up": ("cumulet.cli.up", "run the cloud until Ctrl-C"),
    "run": ("cumulet.cli.run", "run a state machine to its end without a server"),
    "doctor": ("cumulet.cli.doctor", "say what this machine has, and what each lack costs"),
    "keys": ("cumulet.cli.keys", "show the root access key of a data folder"),
    "version": ("cumulet.cli.version", "show the version"),
}
"""Name to module and one line of help."""

EXIT_CODES = "exit codes: 0 done, 1 failed (see the hint), 2 wrong command line, 130 interrupted"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    chosen = given[0] if given and given[0] in COMMANDS else None
    parser = argparse.ArgumentParser(
        prog="cumulet", description="A small cloud on your own machine: it speaks the AWS APIs.", epilog=EXIT_CODES
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (module, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=EXIT_CODES)
        if name == chosen:
            found = importlib.import_module(module)
            found.add_arguments(command)
            command.set_defaults(run=found.main)
    options = parser.parse_args(given)
    try:
        code: int = options.run(options)
    except CumuletError as error:
        print(f"cumulet: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    return code
