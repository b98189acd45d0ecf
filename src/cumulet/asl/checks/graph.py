"""Checks of the whole machine: where transitions lead, which names are used twice, whether it can end, Map labels.

Run only on a definition whose shape is right, as AWS does it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from cumulet.asl.checks.report import Place

type States = Mapping[str, Any]

NO_TARGET = "MISSING_TRANSITION_TARGET"


def check_graph(definition: Mapping[str, Any], place: Place) -> None:
    for machine, here in scopes(definition, place):
        _targets(machine, here)
    ends = _ends(definition["States"])
    if not ends:
        place.nowhere("MISSING_END_STATE", "Workflow has no terminal state")
    for machine, here in scopes(definition, place):
        if ends:
            _reachable(machine, here)
    _duplicates(definition, place)
    _labels(definition, place)


def scopes(machine: Mapping[str, Any], place: Place) -> Iterator[tuple[Mapping[str, Any], Place]]:
    """The machine and all machines within, each with its place."""
    yield machine, place
    for name, state in machine["States"].items():
        here = place.at("States").at(name)
        for field in ("ItemProcessor", "Iterator"):
            if field in state:
                yield from scopes(state[field], here.at(field))
        for index, branch in enumerate(state.get("Branches", ())):
            yield from scopes(branch, here.at("Branches").item(index))


def transitions(state: Mapping[str, Any], place: Place) -> Iterator[tuple[str, Place]]:
    """Names of states that this one leads to, each with the place of the field that says so."""
    for field in ("Next", "Default"):
        if field in state:
            yield state[field], place.at(field)
    for field in ("Choices", "Catch"):
        for index, entry in enumerate(state.get(field, ())):
            yield entry["Next"], place.at(field).item(index).at("Next")


def _edges(machine: Mapping[str, Any], place: Place) -> Iterator[tuple[str, str, Place]]:
    for name, state in machine["States"].items():
        for target, where in transitions(state, place.at("States").at(name)):
            yield name, target, where


def _targets(machine: Mapping[str, Any], place: Place) -> None:
    if machine["StartAt"] not in machine["States"]:
        place.at("StartAt").wrong(f"Missing 'Next' target: {machine['StartAt']}", NO_TARGET)
    for _, target, where in _edges(machine, place):
        if target not in machine["States"]:
            where.wrong(f"Missing 'Next' target: {target}", NO_TARGET)


def _reachable(machine: Mapping[str, Any], place: Place) -> None:
    """A state that nothing leads to is refused, as AWS refuses it."""
    reached = {target for source, target, _ in _edges(machine, place) if source != target} | {machine["StartAt"]}
    for name in machine["States"]:
        if name not in reached:
            place.at("States").at(name).wrong(f'State "{name}" is not reachable.', NO_TARGET)


def _ends(states: States) -> bool:
    return any(state["Type"] in ("Succeed", "Fail") or state.get("End") is True for state in states.values())


def _duplicates(definition: Mapping[str, Any], place: Place) -> None:
    seen: set[str] = set()
    for machine, here in scopes(definition, place):
        for name in machine["States"]:
            if name in seen:
                here.at("States").at(name).wrong(f"Duplicate State name: {name}", "DUPLICATE_STATE_NAME")
            seen.add(name)


_LABEL = re.compile(r'[^\s?*<>{}\[\]:;,\\|^~$#%&`"\x00-\x1f\x7f-\x9f/]{1,40}')


def _labels(definition: Mapping[str, Any], place: Place) -> None:
    used: Counter[str] = Counter()
    for machine, here in scopes(definition, place):
        for name, state in machine["States"].items():
            label = state.get("Label")
            if label is None:
                continue
            where = here.at("States").at(name).at("Label")
            used[label] += 1
            if not _LABEL.fullmatch(label):
                where.wrong(f"Invalid label name: {label}", "INVALID_LABEL_NAME")
            if used[label] > 1:
                where.wrong(f"Duplicate label name: {label}", "DUPLICATE_LABEL_NAME")
