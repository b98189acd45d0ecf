"""`cumulet version`."""

import argparse
import json
import platform
from importlib.metadata import version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON")


def main(arguments: argparse.Namespace) -> int:
    found = {"cumulet": version("cumulet"), "python": platform.python_version()}
    print(json.dumps(found) if arguments.json else f"cumulet {found['cumulet']}")  # noqa: T201
    return 0
