"""Amazon Resource Names: `arn:partition:service:region:account:resource`."""

import re
from dataclasses import dataclass
from typing import Self

_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|aws)?:(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of an ARN; `str()` writes it again."""

    service: str
    region: str
    account: str
    resource: str
    partition: str = "aws"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The parts of `text`, or None where it is no ARN."""
        found = _ARN.fullmatch(text)
        if found is None:
            return None
        partition, service, region, account, resource = found.groups()
        return cls(service, region, account or "", resource, partition)

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"
