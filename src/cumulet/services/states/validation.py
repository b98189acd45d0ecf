"""ValidateStateMachineDefinition: what the static checks find, as the API tells it."""

from typing import TYPE_CHECKING, Any, Unpack

from cumulet.asl.check import Diagnostic, check
from cumulet.services.states.parts import Parts
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_stepfunctions import type_defs as types

MOST = 100


class Validation(Parts):
    """Diagnostics without making anything."""

    async def validate_state_machine_definition(
        self, call: Call, **input: "Unpack[types.ValidateStateMachineDefinitionInputTypeDef]"
    ) -> Reply:
        found = check(input["definition"], kind=input.get("type", "STANDARD"))
        shown = [one for one in found if one.severity == "ERROR" or input.get("severity") == "WARNING"]
        count = input.get("maxResults") or MOST
        return {
            "result": "FAIL" if any(one.severity == "ERROR" for one in found) else "OK",
            "diagnostics": [_told(one) for one in shown[:count]],
            "truncated": len(shown) > count,
        }


def _told(one: Diagnostic) -> dict[str, Any]:
    told = {"severity": one.severity, "code": one.code, "message": one.message}
    return {**told, "location": one.location} if one.location else told
