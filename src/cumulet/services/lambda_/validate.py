"""What may be set on a function, in AWS's words where it may not.

Sizes, patterns and enumerations of the model are checked before (wire.check); here is what the model does not say, and
what is refused by name because it is not carried out.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cumulet.base.errors import NotImplementedHere
from cumulet.services.lambda_.errors import InvalidParameterValueException
from cumulet.services.lambda_.function import Config
from cumulet.services.lambda_.runtimes import Runtimes

ENVIRONMENT_BYTES = 4096
RESERVED = frozenset(
    {
        "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
    }
)  # fmt: skip
_ROLE = re.compile(r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
REFUSED: dict[str, tuple[Any, ...]] = {
    "Layers": ([],),
    "ImageConfig": ({},),
    "FileSystemConfigs": ([],),
    "CodeSigningConfigArn": ("",),
    "KMSKeyArn": ("",),
    "TenancyConfig": ({},),
    "CapacityProviderConfig": ({},),
    "DurableConfig": ({},),
    "RuntimeConfig": ({},),
    "AcceleratorConfig": ({},),
    "PublishTo": (),
    "Publish": (False,),
    "ImageUri": ("",),
    "SourceKMSKeyArn": ("",),
    "S3ObjectStorageMode": ("COPY",),
    "DeadLetterConfig": ({}, {"TargetArn": ""}),
    "VpcConfig": ({}, {"SubnetIds": [], "SecurityGroupIds": []}),
    "SnapStart": ({}, {"ApplyOn": "None"}),
    "PackageType": ("Zip",),
}
"""Members that we do not carry out, and the values by which they ask for nothing."""


def refuse(operation: str, input: Mapping[str, Any]) -> None:
    """Refuse by name what would have no effect."""
    for member, harmless in REFUSED.items():
        if member in input and input[member] not in harmless:
            raise NotImplementedHere(what=f"{member} of {operation}")
    logging = input.get("LoggingConfig", {})
    if logging.get("LogFormat", "Text") != "Text":
        raise NotImplementedHere(what=f"LogFormat {logging['LogFormat']} of {operation}")


def new_config(input: Mapping[str, Any], runtimes: Runtimes) -> Config:
    """The configuration that CreateFunction asks for."""
    for member in ("Runtime", "Handler"):
        if member not in input and not (member == "Handler" and _provided(input["Runtime"])):
            raise InvalidParameterValueException(
                problem=f"{member} is mandatory for functions created with deployment packages."
                if member == "Handler"
                else "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
    return changed(Config(runtime=input["Runtime"], role=input["Role"]), input, runtimes)


def changed(config: Config, input: Mapping[str, Any], runtimes: Runtimes) -> Config:
    """`config` with the members of `input`."""
    if "Role" in input and _ROLE.fullmatch(input["Role"]) is None:
        raise InvalidParameterValueException(problem="The role defined for the function cannot be assumed by Lambda.")
    if "Runtime" in input:
        runtimes.find(input["Runtime"])
    simple = {
        "Runtime": "runtime", "Role": "role", "Handler": "handler", "Description": "description",
        "Timeout": "timeout", "MemorySize": "memory",
    }  # fmt: skip
    config = replace(config, **{field: input[member] for member, field in simple.items() if member in input})
    for member, field, low, high in (("MemorySize", "memory", 128, 10_240), ("Timeout", "timeout", 1, 900)):
        _within(member, getattr(config, field), low, high)
    if "EphemeralStorage" in input:
        size = input["EphemeralStorage"]["Size"]
        _within("EphemeralStorage.Size", size, 512, 10_240)
        config = replace(config, scratch=size)
    if "Environment" in input:
        config = replace(config, environment=variables(input["Environment"].get("Variables", {})))
    if "Architectures" in input:
        config = replace(config, architecture=architecture(input["Architectures"]))
    if "TracingConfig" in input:
        config = replace(config, tracing=input["TracingConfig"].get("Mode", config.tracing))
    if "LoggingConfig" in input:
        config = replace(config, log_group=input["LoggingConfig"].get("LogGroup", config.log_group))
    return config


def _provided(runtime: str) -> bool:
    return runtime.startswith("provided")


def _within(member: str, value: int, low: int, high: int) -> None:
    if low <= value <= high:
        return
    word, bound = ("greater", low) if value < low else ("less", high)
    at = ".".join(part[0].lower() + part[1:] for part in member.split("."))
    raise InvalidParameterValueException(
        problem=f"1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: "
        f"Member must have value {word} than or equal to {bound}"
    )


def variables(given: Mapping[str, str]) -> Mapping[str, str] | None:
    """Environment variables; None where there are none."""
    reserved = sorted(RESERVED & given.keys())
    if reserved:
        raise InvalidParameterValueException(
            problem="Lambda was unable to configure your environment variables because the environment variables you "
            "have provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    if sum(len(name.encode()) + len(value.encode()) for name, value in given.items()) > ENVIRONMENT_BYTES:
        raise InvalidParameterValueException(
            problem="Lambda was unable to configure your environment variables because the environment variables you "
            f"have provided exceeded the 4KB limit. String measured: {_as_json(given)}"
        )
    return dict(given) or None


def _as_json(given: Mapping[str, str]) -> str:
    return "{" + ",".join(f'"{name}":"{value}"' for name, value in given.items()) + "}"


def architecture(given: list[str]) -> str:
    if len(given) != 1:
        raise InvalidParameterValueException(
            problem=f"1 validation error detected: Value '{given}' at 'architectures' failed to satisfy constraint: "
            "Member must have length less than or equal to 1"
        )
    return given[0]
