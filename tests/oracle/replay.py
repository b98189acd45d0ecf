#!/usr/bin/env python3
"""Replay recorded AWS Step Functions behaviour against an endpoint and compare strictly.

See README.md for the case format. Needs Python >= 3.12 and boto3.
"""

# ruff: noqa  a script that came with the recorded cases; only its layout was changed

import argparse
import base64
import copy
import json
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

TERMINAL = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"}
TEMPLATE = re.compile(r"\$\{(unique|ref|account|secondary|region)(?::([^}]*))?\}")
UUID = re.compile(r"[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{12}")
ISO8601 = re.compile(
    r"[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-][01]\d:?(?:[0-5]\d)?)"
)
CAUSE_INPUT = re.compile(r".*'({.*})'")
NUMBERED = re.compile(r"<([A-Za-z][A-Za-z0-9_. -]*):(\d+)>")
ARN = re.compile(r"arn:(?:aws[a-z-]*)?:(?:[a-zA-Z0-9-_.]+)?:(?:[^:]+)?:(?:\d{12})?:(.*)")

# Applied to every case before and after its own `normalise` rules.
HEADERS = ("X-Amzn-Trace-Id", "x-amz-crc32", "x-amzn-RequestId", "x-amzn-requestid")
PRE_RULES: list[dict[str, Any]] = [
    {"path": "$..SdkHttpMetadata..Date", "as": "date"},
    {"path": "$..SdkResponseMetadata..RequestId", "as": "RequestId"},
    *({"path": f"$..{name}", "as": name} for name in HEADERS),
    {"key": "cause", "extract": CAUSE_INPUT.pattern, "json": True, "as": "json-input", "reference": True},
]
POST_RULES: list[dict[str, Any]] = [
    {"text": "${account}", "as": "111111111111"},
    {"text": "${region}", "as": "<region>"},
    {"text": "arn:aws:", "as": "arn:<partition>:"},
    {"metadata": True},
    {"key_suffix": "id", "extract": f"({UUID.pattern}.*)", "as": "uuid", "reference": True},
    {"regex": ISO8601.pattern, "as": "date"},
    {"times": True},
]


class ReplayError(Exception):
    """A step could not be performed, so the case fails."""


OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "@json": json.loads,
    "@tail": lambda text: text.rpartition(":")[2],
    "@head": lambda text: text.rpartition(":")[0],
    "@slash": lambda text: text.rpartition("/")[2],
    "@terminal": lambda events: next(e for e in events if e.get("type") in TERMINAL),
    "@sorted_by_time": lambda es: sorted(es, key=lambda e: (e["time"], e["detail"].get("status") != "RUNNING")),
    "@sorted_by_detail": lambda events: sorted(events, key=lambda e: json.dumps(e.get("detail", {}))),
}


def lookup(value: Any, path: list[str]) -> Any:
    """Follow a reference path of keys, indexes and the operations above."""
    for part in path:
        if part.startswith("@each/"):
            value = [lookup(item, part[6:].split("/")) for item in value]
        elif part in OPERATIONS:
            value = OPERATIONS[part](value)
        else:
            value = value[int(part) if isinstance(value, list) else part]
    return value


class Scope:
    """Everything a case has produced so far; resolves references and placeholders."""

    def __init__(self, account: str, region: str) -> None:
        self.account, self.region = account, region
        self.results: dict[str, Any] = {}
        self._unique: dict[str, str] = {}

    def ref(self, expression: str) -> Any:
        step, *path = expression.split(".")
        if step not in self.results:
            raise ReplayError(f"step {step} has no result")
        try:
            return lookup(self.results[step], path)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration) as exc:
            raise ReplayError(f"cannot resolve {expression}: {type(exc).__name__} {exc}") from exc

    def _placeholder(self, match: re.Match[str]) -> str:
        kind, name = match[1], match[2]
        if kind == "ref":
            return str(self.ref(name))
        if kind == "unique":
            fresh = str(uuid.uuid4())
            return self._unique.setdefault(name, fresh if name.endswith("/36") else fresh[:8])
        return {"account": self.account, "secondary": "000000000002", "region": self.region}[kind]

    def resolve(self, value: Any) -> Any:
        if isinstance(value, str):
            return TEMPLATE.sub(self._placeholder, value)
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"$ref"}:
            return copy.deepcopy(self.ref(value["$ref"]))
        if value.keys() == {"$bytes"}:
            return base64.b64decode(value["$bytes"])
        return {key: self.resolve(item) for key, item in value.items()}


def plain(value: Any) -> Any:
    """Response value without streams and bytes."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if hasattr(value, "read"):
        value = value.read()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def satisfied(until: dict[str, Any], response: dict[str, Any], scope: Scope) -> bool:
    """Whether a polled response meets the step's `until` condition."""
    if "events" in until:
        return any(e.get("type") in TERMINAL for e in response.get("events", []))
    if "log" in until:
        return any(json.loads(e["message"]).get("type") in TERMINAL for e in response.get("events", []))
    try:
        value = lookup(response, until["path"].split("."))
    except (KeyError, IndexError, TypeError):
        return False
    if "not" in until or "count" in until:
        return value != until["not"] if "not" in until else len(value) >= until["count"]
    wanted = scope.resolve(until.get("has") or until.get("lacks"))
    found = any(all(item.get(k) == v for k, v in wanted.items()) for item in value)
    return found if "has" in until else not found


class Runner:
    """Replays cases against one endpoint."""

    def __init__(self, endpoint: str, account: str, region: str, timeout: float) -> None:
        self.endpoint, self.account, self.region, self.timeout = endpoint, account, region, timeout
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, principal: str) -> Any:
        with self._lock:
            key = (service, principal)
            if key not in self._clients:
                config = Config(
                    inject_host_prefix=False,
                    parameter_validation=False,
                    read_timeout=70,
                    retries={"total_max_attempts": 1},
                    max_pool_connections=64,
                    s3={"addressing_style": "path"},
                )
                self._clients[key] = boto3.session.Session().client(
                    service,
                    endpoint_url=self.endpoint,
                    region_name=self.region,
                    config=config,
                    aws_access_key_id="000000000002" if principal == "secondary" else "test",
                    aws_secret_access_key="test",
                )
            return self._clients[key]

    def call(self, step: dict[str, Any], scope: Scope) -> tuple[dict[str, Any], bool]:
        """Perform one call; returns the response (or the error response) and whether it failed."""
        client = self.client(step["service"], step.get("principal", "main"))
        try:
            return plain(client._make_api_call(step["operation"], scope.resolve(step["params"]))), False
        except ClientError as exc:
            error = {"response": exc.response, "typename": type(exc).__name__, "message": str(exc)}
            return {"@error": error}, True

    def perform(self, step: dict[str, Any], scope: Scope) -> dict[str, Any]:
        time.sleep(step.get("delay", 0))
        until, collect = step.get("until"), step.get("collect")
        deadline = time.monotonic() + self.timeout
        pause, gathered = 0.02, []
        while True:
            response, failed = self.call(step, scope)
            if collect and not failed:
                gathered += response.get(collect, [])
                response = response | {collect: list(gathered)}
            if until is None or (not failed and satisfied(until, response, scope)):
                return response
            if time.monotonic() > deadline:
                if failed:
                    raise ReplayError(f"{step['operation']}: {response['@error']['message']}")
                return response
            time.sleep(pause)
            pause = min(pause * 1.5, 0.4)

    def run(self, case: dict[str, Any]) -> str | None:
        """Replay one case; None when it passed, else the first difference."""
        scope = Scope(self.account, self.region)
        try:
            for number, step in enumerate(case["steps"]):
                result = self.perform(step, scope)
                scope.results[str(number)] = result
                if ("@error" in result) != step.get("fails", False):
                    problem = result["@error"]["message"] if "@error" in result else "expected an error"
                    return f"step {number} {step['operation']}: {problem}"
            observed = {e["key"]: scope.resolve(e["from"]) for e in case["expect"]}
            got = Normaliser(case, scope).apply(observed)
            return first_mismatch(case, got)
        except Exception as exc:  # malformed answers must not end the run
            return f"{type(exc).__name__}: {exc}"


def ordered(value: Any) -> Any:
    """Dictionaries in key order (ResponseMetadata last), so that numbering is reproducible."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: (k == "ResponseMetadata", k))
        return {k: ordered(value[k]) for k in keys}
    return [ordered(v) for v in value] if isinstance(value, list) else value


def from_json(text: str) -> Any:
    """The parsed text, or None where it is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def parse_json_texts(node: Any) -> None:
    """Replace dictionary values that are JSON objects in text form by the object (one level)."""
    for key, value in node.items():
        if isinstance(value, (dict, list)):
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    parse_json_texts(item)
        elif isinstance(value, str) and value.startswith("{"):
            parsed = from_json(value)
            node[key] = value if parsed is None else parsed


def walk(node: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Every (dictionary, key), in order; values inside nested lists of lists are not visited."""
    for key in list(node):
        yield node, key
        value = node.get(key)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from walk(item)


def children(node: Any) -> list[tuple[Any, Any]]:
    """(container, key) for each direct child."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    return [(node, key) for key in keys]


def descend(node: Any) -> Iterator[Any]:
    yield node
    for parent, key in children(node):
        yield from descend(parent[key])


def select(root: Any, path: str) -> list[tuple[Any, Any]]:
    """(container, key) for each match of a small JSONPath: .name ..name [n] [*]."""
    found: list[tuple[Any, Any]] = [({"$": root}, "$")]
    for deep, name, index in re.findall(r"(\.\.)?\.?(?:([A-Za-z0-9_\-*']+)|\[([\d*]+|'[^']*')\])", path[1:]):
        name = (name or index).strip("'")
        nodes = [n for parent, key in found for n in (descend(parent[key]) if deep else [parent[key]])]
        found = [(p, k) for node in nodes for p, k in children(node) if name in ("*", str(k))]
    return found


class Normaliser:
    """Replaces run specific values by placeholders in the manner of the recorded values."""

    def __init__(self, case: dict[str, Any], scope: Scope) -> None:
        self.rules = [*PRE_RULES, *case.get("normalise", []), *POST_RULES]
        self.scope = scope
        self.replacements: list[Callable[[str], str]] = []
        self.counters: dict[str, int] = {}
        self.seen: set[str] = set()

    def _reference(self, value: str, name: str) -> None:
        """Replace `value` everywhere by <name:N>; N counts in order of first occurrence."""
        value = json.dumps(value, ensure_ascii=True)[1:-1]
        if value and value not in self.seen:
            self.seen.add(value)
            self.counters[name] = number = self.counters.get(name, 0) + 1
            self.replacements.append(lambda s: s.replace(value, f"<{name}:{number}>"))

    def apply(self, observed: dict[str, Any]) -> dict[str, Any]:
        state = {key: ordered(value) for key, value in observed.items()}
        parse_json_texts(state)
        for rule in self.rules:
            self._rule(rule, state)
        texts = {key: json.dumps(value, default=str) for key, value in state.items()}
        for replace in self.replacements:
            texts = {key: replace(text) for key, text in texts.items()}
        return {key: json.loads(text) for key, text in texts.items()}

    def _rule(self, rule: dict[str, Any], state: dict[str, Any]) -> None:
        target = rule.get("as", "")
        if "text" in rule:
            try:
                text = json.dumps(self.scope.resolve(rule["text"]))[1:-1]
            except ReplayError:  # the value never came into being; the comparison will tell
                return
            if text:
                self.replacements.append(lambda s: s.replace(text, target))
        elif "regex" in rule:
            self.replacements.append(lambda s: re.sub(rule["regex"], target, s))
        elif "path" in rule:
            for parent, key in select(state, rule["path"]):
                if not rule.get("reference"):
                    parent[key] = target
                elif isinstance(parent[key], str):
                    self._reference(parent[key], target)
        elif "metadata" in rule:
            for parent, key in walk(state):
                if key == "ResponseMetadata" and isinstance(parent[key].get("HTTPHeaders"), dict):
                    parent[key] = {"HTTPHeaders": {}, "HTTPStatusCode": parent[key].get("HTTPStatusCode")}
        elif "times" in rule:
            for parent, key in walk(state):
                named = "timestamp" in key.lower() or key in ("creationTime", "ingestionTime")
                if named and not ISO8601.match(str(parent[key])):
                    parent[key] = "timestamp"
                elif isinstance(parent[key], datetime):
                    parent[key] = "datetime"
        elif not rule.keys() & {"sort_values", "blur_parallel", "parse_outputs"}:
            self._key_rule(rule, state, target)

    def _key_rule(self, rule: dict[str, Any], state: dict[str, Any], target: str) -> None:
        for parent, key in walk(state):
            value = parent[key]
            if not isinstance(value, str) or not value:
                continue
            if "arn_name" in rule:
                match = ARN.match(value)
                found = re.split("[:/]", match[1])[-1] if match else ""
            elif key.lower() == rule.get("key", "").lower() or (
                "key_suffix" in rule and key.lower().endswith(rule["key_suffix"])
            ):
                match = re.match(rule.get("extract", "(?s)(.*)"), value)
                found = match[1] if match else ""
            else:
                continue
            if not found or (rule.get("json") and from_json(found) is None):
                continue
            if rule.get("reference"):
                self._reference(found, target)
            else:
                parent[key] = value.replace(found, target)


def renumber(value: Any) -> Any:
    """Number <name:N> placeholders by first occurrence in key order."""
    counters: dict[str, int] = {}
    names: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        if match[0] not in names:
            counters[match[1]] = counters.get(match[1], 0) + 1
            names[match[0]] = f"<{match[1]}:{counters[match[1]]}>"
        return names[match[0]]

    return json.loads(NUMBERED.sub(replace, json.dumps(value, sort_keys=True)))


def differences(want: Any, got: Any, path: str = "$") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted({*want, *got}):
            yield from differences(want.get(key, "(absent)"), got.get(key, "(absent)"), f"{path}.{key}")
    elif isinstance(want, list) and isinstance(got, list):
        for i, (a, b) in enumerate(zip_longest(want, got, fillvalue="(absent)")):
            yield from differences(a, b, f"{path}[{i}]")
    elif want != got or isinstance(want, bool) != isinstance(got, bool):
        yield path, want, got


def concurrent(value: Any) -> Any:
    """Order-insensitive form of histories: each event with its predecessor's identity, sorted."""
    if isinstance(value, list):
        return [concurrent(v) for v in value]
    if not isinstance(value, dict):
        return value
    value = {k: concurrent(v) for k, v in value.items()}
    events = value.get("events")
    if not isinstance(events, list) or not all(isinstance(e, dict) for e in events):
        return value
    content = [{k: v for k, v in e.items() if k not in ("id", "previousEventId")} for e in events]
    bare = [NUMBERED.sub(r"<\1>", json.dumps(c, sort_keys=True)) for c in content]
    by_id = {str(e.get("id")): b for e, b in zip(events, bare)}
    linked = [
        {"event": json.loads(b), "after": by_id.get(str(e.get("previousEventId")), "")[:300]}
        for e, b in zip(events, bare)
    ]
    return value | {"events": sorted(linked, key=lambda e: json.dumps(e, sort_keys=True))}


def canonical(case: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Order and drop what the case says is undefined; used on both sides of the comparison."""
    values = copy.deepcopy(values)
    for rule in case.get("normalise", []):
        if "sort_values" in rule:
            for parent, key in select(values, f"$..{rule['sort_values']}"):
                parent[key] = {k: sorted(v) for k, v in parent[key].items()}
        if "parse_outputs" in rule:
            for parent, key in select(values, "$..output"):
                if isinstance(parent[key], str) and (parsed := from_json(parent[key])) is not None:
                    parent[key] = parsed
        if "blur_parallel" in rule:
            for parent, key in select(values, "$..events"):
                blur_parallel(parent[key])
    for path in case.get("unstable", []):
        for parent, key in select(values, path):
            parent[key] = "(unstable)"
    return values


def blur_parallel(events: list[dict[str, Any]]) -> None:
    """Between ParallelStateStarted and its end: no ids, sorted by content; no ParallelStateSucceeded."""
    start: int | None = None
    events[:] = [e for e in events if e.get("type") != "ParallelStateSucceeded"]
    for i, event in enumerate(events):
        kind = str(event.get("type"))
        if kind == "ParallelStateStarted":
            start = i + 1
        elif kind in ("ParallelStateExited", "ParallelStateFailed", "ParallelStateAborted"):
            if start is not None:
                events[start:i] = sorted(events[start:i], key=lambda e: json.dumps(e, sort_keys=True))
            start = None
        elif start is not None:
            event["id"], event["previousEventId"] = [0], 0


def first_mismatch(case: dict[str, Any], got: dict[str, Any]) -> str | None:
    want = canonical(case, {e["key"]: e["value"] for e in case["expect"]})
    got = canonical(case, got)
    found = next(differences(renumber(want), renumber(got)), None)
    if found and case.get("order") == "concurrent":
        if not any(differences(renumber(concurrent(want)), renumber(concurrent(got)))):
            return None
    if not found:
        return None
    path, a, b = found
    return f"{path} expected {json.dumps(a)[:300]} got {json.dumps(b)[:300]}"


def load(folder: Path) -> list[dict[str, Any]]:
    return [
        {"group": file.stem, **case}
        for file in sorted(folder.glob("*.json"))
        for case in json.loads(file.read_text("utf-8"))
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--cases", type=Path, default=Path(__file__).parent / "cases")
    parser.add_argument("-k", default="", metavar="SUBSTR", help="only cases whose id contains this")
    parser.add_argument("--group", help="only this group")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--timeout", type=float, default=20, help="seconds a polling step may wait")
    parser.add_argument("--account", default="000000000000", help="account id the endpoint reports")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write results here")
    parser.add_argument("--min", type=int, default=0, metavar="N", help="exit 1 if fewer than N pass")
    parser.add_argument("-v", action="store_true", help="print the first difference of each failure")
    args = parser.parse_args()

    cases = [c for c in load(args.cases) if args.k in c["id"] and args.group in (None, c["group"])]
    runner = Runner(args.endpoint, args.account, args.region, args.timeout)

    def timed(case: dict[str, Any]) -> tuple[str | None, float]:
        begin = time.monotonic()
        return runner.run(case), round(time.monotonic() - begin, 3)

    with ThreadPoolExecutor(args.jobs) as pool:
        results = list(pool.map(timed, cases))
    groups: dict[str, list[tuple[dict[str, Any], str | None]]] = {}
    for case, (failure, _) in zip(cases, results):
        groups.setdefault(case["group"], []).append((case, failure))
    for group, members in groups.items():
        print(f"{group} {sum(f is None for _, f in members)}/{len(members)}")
        for case, failure in members if args.v else []:
            if failure is not None:
                print(f"  {case['id']}: {failure}")
    passed = sum(failure is None for failure, _ in results)
    if args.json:
        rows = [
            {"id": c["id"], "group": c["group"], "passed": f is None, "difference": f, "seconds": s}
            for c, (f, s) in zip(cases, results)
        ]
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"{passed} passed, {len(results) - passed} failed")
    return 1 if passed < args.min else 0


if __name__ == "__main__":
    sys.exit(main())
