"""A scope to evaluate in."""

from typing import Any

from cumulet.asl.data.scope import Scope
from cumulet.base.step import Env

CONTEXT = {"Execution": {"Id": "arn:e", "Input": {"n": 1}}, "State": {"Name": "S"}}


def scope(document: Any = None, seed: bytes = b"seed", **variables: Any) -> Scope:
    return Scope({} if document is None else document, CONTEXT, variables, Env(0, seed))
