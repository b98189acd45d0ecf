"""Static checks of a state machine definition, in the codes, words and locations of ValidateStateMachineDefinition.

    diagnostics = check(text_or_document, kind="STANDARD")
    if errors(diagnostics): raise InvalidDefinition(summary(diagnostics))

`check` says what AWS would refuse; `unsupported` names what is good ASL but not carried out here yet. The tables
stand in `cumulet.asl.checks`. Pure: nothing is looked up, so a Resource that does not exist is not found here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cumulet.asl.checks.graph import check_graph, scopes
from cumulet.asl.checks.report import ERROR, JSONATA, JSONPATH, Diagnostic, Place
from cumulet.asl.checks.states import MACHINE
from cumulet.asl.checks.text import deep, no_object, read, too_deep

__all__ = ["Diagnostic", "check", "errors", "summary", "unsupported"]


def check(definition: str | Mapping[str, Any], *, kind: str = "STANDARD") -> list[Diagnostic]:
    """All that is wrong with a definition (text or document) of a STANDARD or EXPRESS machine; warnings too."""
    if isinstance(definition, str):
        document, found = read(definition)
        return found if document is None else found + _check(document, kind)
    if too_deep(definition):
        return [deep()]
    return _check(definition, kind) if isinstance(definition, dict) else [no_object()]


def _check(document: Mapping[str, Any], kind: str) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    language = JSONATA if document.get("QueryLanguage") == JSONATA else JSONPATH
    place = Place(found, language=language, default=language, express=kind == "EXPRESS")
    MACHINE(document, place)
    if not errors(found):
        check_graph(document, place)
    return found


def errors(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Those that make a definition invalid."""
    return [one for one in diagnostics if one.severity == ERROR]


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """The message of InvalidDefinition, as CreateStateMachine gives it."""
    told = ", ".join(_told(one) for one in errors(diagnostics))
    return f"Invalid State Machine Definition: '{told}'"


def _told(one: Diagnostic) -> str:
    # INVALID_JSON_DESCRIPTION has its location in the message
    where = f" at {one.location}" if one.location.startswith("/") else ""
    return f"{one.code}: {one.message}{where}"


def unsupported(document: Mapping[str, Any]) -> list[str]:
    """What a valid definition uses that is not carried out here yet, each named with its location."""
    named: list[str] = []
    default = document.get("QueryLanguage", JSONPATH)
    for machine, place in scopes(document, Place([])):
        for name, state in machine["States"].items():
            where = place.at("States").at(name).location
            if state.get("QueryLanguage", default) == JSONATA:
                named.append(f"the query language JSONata (at {where})")
            named.extend(_of_map(state, where))
    return named


def _of_map(state: Mapping[str, Any], where: str) -> list[str]:
    processor = state.get("ItemProcessor", state.get("Iterator", {}))
    named: list[str] = []
    if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
        named.append(f"the distributed Map state (at {where})")
    named.extend(f"{field} of a Map state (at {where})" for field in _DISTRIBUTED if field in state)
    return named


_DISTRIBUTED = ("ItemReader", "ItemBatcher", "ResultWriter")
