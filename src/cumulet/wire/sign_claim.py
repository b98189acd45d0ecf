"""What a request says of its signer, read from the Authorization header or the query string (Signature Version 4).

Nothing is verified here, and no time looked at: `sign` does that. A claim that cannot be read, or whose scope is not
that of the request, is refused in AWS's words. SigV4A (asymmetric, many regions) is refused by name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from cumulet.wire.http import Request
from cumulet.wire.sign_errors import (
    WORDS,
    AuthorizationQueryParametersError,
    DateMissing,
    Refused,
    UnsupportedMechanism,
)

ALGORITHM: Final = "AWS4-HMAC-SHA256"
WEEK: Final = 604_800
TIMESTAMP: Final = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
HTTP_DATE: Final = "%a, %d %b %Y %H:%M:%S GMT"

_CREDENTIAL: Final = re.compile(r"([^/].*)/(\d{8})/([^/]+)/([^/]+)/aws4_request", re.ASCII)
_QUERY_FIELDS: Final = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
)
_MALFORMED: Final = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
_NO_SUCH_DATE: Final = "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of its signer. `family` is that of `sign_errors`."""

    family: str
    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    """As signed: `20261123T083300Z`."""
    token: str | None = None
    presigned: bool = False
    expires: int | None = None
    """Seconds that a presigned request is good for."""

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read(request: Request, family: str, service: str) -> Claim | None:
    """The claim of `request` to a service that signs as `service`; None where it is unsigned."""
    header = request.headers.get("authorization")
    if header is not None:
        claim = _from_header(request, header, family)
    elif "X-Amz-Algorithm=" in request.query or "X-Amz-Signature=" in request.query:
        claim = _from_query(request, family)
    else:
        return None
    _check_scope(claim, service)
    return claim


def parameters(query: str) -> dict[str, str]:
    """The decoded parameters; of several with one name, the first. A `+` is a plus."""
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        found.setdefault(unquote(name), unquote(value))
    return found


def _from_header(request: Request, header: str, family: str) -> Claim:
    fields = dict(_fields(header.removeprefix(ALGORITHM))) if header.startswith(f"{ALGORITHM} ") else {}
    timestamp = _timestamp(request)
    refused = _header_refused(family, header, fields, timestamp)
    if refused is not None or timestamp is None:
        raise refused or DateMissing
    found = _CREDENTIAL.fullmatch(fields["Credential"])
    if found is None:
        raise WORDS[family].incomplete(problem=_MALFORMED if family == "s3" else _shape_of(fields["Credential"]))
    key, date, region, service = found.groups()
    token = request.headers.get("x-amz-security-token")
    names = _names(fields["SignedHeaders"])
    return Claim(family, key, date, region, service, names, fields["Signature"], timestamp, token)


def _header_refused(family: str, header: str, fields: Mapping[str, str], timestamp: str | None) -> Refused | None:
    """What is wrong with the header as such."""
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not fields.get(name)]
    if family != "s3":
        problems = [f"Authorization header requires '{name}' parameter." for name in missing]
        if timestamp is None:
            problems.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        text = " ".join([*problems, f"Authorization={header}"])
        return WORDS[family].incomplete(problem=text) if problems else None
    if not header.startswith(f"{ALGORITHM} "):
        return UnsupportedMechanism()
    if missing:
        problem = "The authorization header requires three components: Credential, SignedHeaders, and Signature."
        return WORDS[family].incomplete(problem=problem)
    return DateMissing() if timestamp is None else None


def _from_query(request: Request, family: str) -> Claim:
    fields = parameters(request.query)
    if family == "s3":
        problem = _s3_problem(fields)
        if problem:
            raise AuthorizationQueryParametersError(problem=problem)
    elif problem := _query_problem(fields):
        raise WORDS[family].incomplete(problem=problem)
    found = _CREDENTIAL.fullmatch(fields["X-Amz-Credential"])
    if found is None:
        raise WORDS[family].incomplete(problem=_shape_of(fields["X-Amz-Credential"]))
    key, date, region, service = found.groups()
    expires = fields.get("X-Amz-Expires", "")
    return Claim(
        family,
        key,
        date,
        region,
        service,
        _names(fields["X-Amz-SignedHeaders"]),
        fields["X-Amz-Signature"],
        fields["X-Amz-Date"],
        token=fields.get("X-Amz-Security-Token"),
        presigned=True,
        expires=int(expires) if re.fullmatch(r"\d{1,9}", expires, re.ASCII) else None,
    )


def _query_problem(fields: Mapping[str, str]) -> str:
    missing = [name for name in _QUERY_FIELDS[:-1] if not fields.get(name)]
    if missing:
        return " ".join(f"AWS query-string parameters must include '{name}'." for name in missing)
    algorithm = fields["X-Amz-Algorithm"]
    return "" if algorithm == ALGORITHM else f"Unsupported AWS 'algorithm': '{algorithm}'."


def _s3_problem(fields: Mapping[str, str]) -> str:
    """What S3 finds wrong with the parameters of a presigned URL."""
    if not all(name in fields for name in _QUERY_FIELDS):
        names = ", ".join(_QUERY_FIELDS[:-1])
        return f"Query-string authentication version 4 requires the {names}, and X-Amz-Expires parameters."
    expires = fields["X-Amz-Expires"]
    if fields["X-Amz-Algorithm"] != ALGORITHM:
        return f'X-Amz-Algorithm only supports "{ALGORITHM}"'
    if not _CREDENTIAL.fullmatch(fields["X-Amz-Credential"]):
        return f"Error parsing the X-Amz-Credential parameter; {_MALFORMED}"
    if not TIMESTAMP.fullmatch(fields["X-Amz-Date"]):
        return "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
    if not re.fullmatch(r"-?\d+", expires, re.ASCII):
        return "X-Amz-Expires should be a number"
    if expires.startswith("-"):
        return "X-Amz-Expires must be non-negative"
    if len(expires.lstrip("0")) > len(str(WEEK)) or int(expires) > WEEK:
        return (
            "X-Amz-Expires must be less than a week (in seconds); "
            f"that is, the given X-Amz-Expires must be less than {WEEK} seconds"
        )
    return ""


def _check_scope(claim: Claim, service: str) -> None:
    """The scope of the signature must be that of the request: its service, its day."""
    s3 = claim.family == "s3"
    words = WORDS[claim.family]
    if not TIMESTAMP.fullmatch(claim.timestamp):
        raise words.incomplete(problem=_NO_SUCH_DATE.format(claim.timestamp))
    if claim.service != service and not (s3 and claim.service.startswith("s3")):
        if s3:
            raise words.incomplete(
                problem=f'incorrect service "{claim.service}". This endpoint belongs to "{service}".'
            )
        raise words.mismatch(problem=f"Credential should be scoped to correct service: '{service}'. ")
    day = claim.timestamp[:8]
    if claim.date != day:
        if s3:
            problem = f'Invalid credential date "{claim.date}". This date is not the same as X-Amz-Date: "{day}".'
            raise words.incomplete(problem=problem)
        raise words.mismatch(
            problem="Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{claim.date}' != '{day}', from '{claim.timestamp}'."
        )


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if equals:
            yield name, value


def _names(text: str) -> tuple[str, ...]:
    return tuple(sorted(name for name in text.lower().split(";") if name))


def _shape_of(credential: str) -> str:
    shape = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term"
    return f"{shape}, got '{credential}'"


def _timestamp(request: Request) -> str | None:
    """The time of signing: `X-Amz-Date`, else `Date` in either of its forms, written as the first is."""
    found = request.headers.get("x-amz-date") or request.headers.get("date")
    if found is None or TIMESTAMP.fullmatch(found):
        return found
    try:
        return f"{datetime.strptime(found, HTTP_DATE):%Y%m%dT%H%M%SZ}"  # noqa: DTZ007  the format says GMT
    except ValueError:
        return found
