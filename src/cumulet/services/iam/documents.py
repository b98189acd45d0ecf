"""Policy documents: the grammar that IAM checks when one is given. Stored as given, shown percent-encoded."""

from typing import Any
from urllib.parse import quote

from cumulet.base import json
from cumulet.services.iam.errors import MalformedPolicyDocumentException

_PARTS = ("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")


def check_document(text: str, *, trust: bool = False) -> str:
    """Return `text` where it is a policy document (a trust policy names principals and no resources)."""
    try:
        document = json.loads(text)
    except ValueError:
        raise MalformedPolicyDocumentException(problem="This policy contains invalid Json") from None
    if not isinstance(document, dict) or not document.keys() <= {"Version", "Id", "Statement"}:
        raise MalformedPolicyDocumentException(problem="Syntax errors in policy.")
    if document.get("Version", "2008-10-17") not in ("2012-10-17", "2008-10-17"):
        raise MalformedPolicyDocumentException(problem="The policy must contain a valid version string")
    statements = document.get("Statement")
    for statement in [statements] if isinstance(statements, dict) else statements or [None]:
        _check_statement(statement, trust=trust)
    return text


def _check_statement(statement: Any, *, trust: bool) -> None:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicyDocumentException(problem="Syntax errors in policy.")
    actions, resources, principals = (sum(name in statement for name in names) for names in _PARTS)
    if actions != 1:
        raise MalformedPolicyDocumentException(problem="Policy statement must contain actions.")
    if trust:
        if resources:
            raise MalformedPolicyDocumentException(problem="Has prohibited field Resource")
        if principals != 1:
            raise MalformedPolicyDocumentException(problem="Missing required field Principal cannot be empty!")
    elif principals:
        raise MalformedPolicyDocumentException(problem="Policy document should not specify a principal.")
    elif resources != 1:
        raise MalformedPolicyDocumentException(problem="Policy statement must contain resources.")


def shown(text: str) -> str:
    """As the API shows documents: percent-encoded (RFC 3986)."""
    return quote(text, safe="")
