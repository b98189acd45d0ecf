"""`cumulet keys`: the root access key, as lines for a shell or as JSON.

    export $(cumulet keys)

It is made at the first start and kept in the data folder, readable by its owner alone.
"""

import argparse
import json
from pathlib import Path

from cumulet.base.errors import CumuletError
from cumulet.server.config import KEY_FILE, default_data


class NoKeys(CumuletError):
    """There is no key in this folder yet."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=None, metavar="DIR", help="the data folder (default: XDG's)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def main(arguments: argparse.Namespace) -> int:
    path = (arguments.data or default_data()) / KEY_FILE
    try:
        pair = json.loads(path.read_text())
    except FileNotFoundError:
        raise NoKeys(f"there is no {path}\nhint: `cumulet up` makes it at its first start") from None
    except (OSError, ValueError) as error:
        raise NoKeys(f"cannot read {path}: {error}\nhint: start `cumulet up`, it is written anew") from None
    lines = (f"AWS_ACCESS_KEY_ID={pair['AccessKeyId']}", f"AWS_SECRET_ACCESS_KEY={pair['SecretAccessKey']}")
    print(json.dumps(pair) if arguments.json else "\n".join(lines))  # noqa: T201
    return 0
