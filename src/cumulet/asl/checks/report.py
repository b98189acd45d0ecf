"""What a check finds, and where it looks.

Codes and words are AWS's: recorded answers first (tests/oracle, measurements of ValidateStateMachineDefinition), and
for the rest its documentation. Locations are AWS's too: `/States/A/Branches[0]/States/B/Choices[1]/Variable`.
"""

from dataclasses import dataclass, replace
from typing import Self

ERROR, WARNING = "ERROR", "WARNING"
SCHEMA = "SCHEMA_VALIDATION_FAILED"
JSONPATH, JSONATA = "JSONPath", "JSONata"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `location` is "" where AWS gives none."""

    severity: str
    code: str
    message: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a check stands: the location, the query language there, the type of the machine, and where findings go."""

    found: list[Diagnostic]
    location: str = ""
    language: str = JSONPATH
    default: str = JSONPATH
    """The query language of the whole machine."""
    express: bool = False

    def at(self, name: str) -> Self:
        return replace(self, location=f"{self.location}/{name}")

    def item(self, index: int) -> Self:
        return replace(self, location=f"{self.location}[{index}]")

    def speaking(self, language: str) -> Self:
        return replace(self, language=language)

    def wrong(self, message: str, code: str = SCHEMA) -> None:
        self.found.append(Diagnostic(ERROR, code, message, self.location or "/"))

    def warn(self, code: str, message: str) -> None:
        self.found.append(Diagnostic(WARNING, code, message, self.location or "/"))

    def nowhere(self, code: str, message: str) -> None:
        """An error of the definition as a whole, to which AWS gives no location."""
        self.found.append(Diagnostic(ERROR, code, message))
