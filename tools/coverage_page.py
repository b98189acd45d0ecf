"""Writes docs/reference/coverage.md from the models and the services' classes: what is done, what answers 501.

python tools/coverage_page.py [--check]
"""

import sys
from pathlib import Path

from cumulet.services.iam.service import Iam
from cumulet.services.lambda_.service import Lambda
from cumulet.services.logs.service import Logs
from cumulet.services.s3.service import S3
from cumulet.services.states.service import States
from cumulet.services.sts.service import Sts
from cumulet.wire import models
from cumulet.wire.service import Service

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "coverage.md"
SERVICES: tuple[type[Service], ...] = (States, S3, Lambda, Logs, Iam, Sts)
HEAD = """# Coverage

Made by `python tools/coverage_page.py` from AWS's models and Cumulet's classes; a test keeps it true. What is not done
answers HTTP 501 with the error `NotImplemented` and the operation's name; so does an option that an operation does not
carry out (each service's module docstring names those). A service that is not listed here answers 501 too.
"""


def page() -> str:
    return HEAD + "".join(section(service) for service in SERVICES)


def section(service: type[Service]) -> str:
    model = models.load(service.model)
    names = sorted(model.operation_names)
    done = [name for name in names if service.method_of(name)]
    missing = [name for name in names if not service.method_of(name)]
    title = model.metadata.get("serviceFullName", service.model)
    return (
        f"\n## {title}: {len(done)} of {len(names)}\n\n"
        f"**Done:** {', '.join(done)}\n\n**501:** {', '.join(missing) or 'none'}\n"
    )


def main() -> int:
    if "--check" in sys.argv:
        return 0 if PAGE.read_text() == page() else 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
