"""From a function and a runtime to what the sandbox is to run: pure, printable."""

import importlib.util
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from cumulet.sandbox.api import Mount, Plan
from cumulet.services.lambda_.function import Function
from cumulet.services.lambda_.names import LATEST
from cumulet.services.lambda_.runtimes import Runtime
from cumulet.wire.service import Credentials

TASK = "/var/task"
RUNTIME = "/var/runtime"
SOCKET = "/run/cumulet/runtime.sock"
SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
"""What a Python function may import beside the standard library, as in AWS's runtimes."""
SDK_NEEDS = (3, 10)
"""boto3 of today does not run on an older Python."""
PATH = "/usr/local/bin:/usr/bin:/bin:/opt/bin"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an environment is given beside the function's own settings."""

    code: Path
    endpoint: str
    credentials: Credentials
    log_stream: str
    socket: Path | None = None
    """The Runtime API's socket on the host; None where `address` is used."""
    address: str = ""
    """The Runtime API's host and port."""
    hosts: Path | None = None
    """A file to be seen as /etc/hosts."""


def plan(function: Function, runtime: Runtime, around: Surroundings) -> Plan:
    """What to run for one environment of `function`."""
    config = function.config
    mounts = [Mount(around.code, TASK), *_runtime_mounts(runtime)]
    if around.socket is not None:
        mounts.append(Mount(around.socket, SOCKET))
    if around.hosts is not None:
        mounts.append(Mount(around.hosts, "/etc/hosts"))
    return Plan(
        command=_command(runtime),
        environment=environment(function, runtime, around),
        mounts=tuple(mounts),
        directory=TASK,
        memory=config.memory * MEGABYTE,
        scratch=config.scratch * MEGABYTE,
    )


def _command(runtime: Runtime) -> tuple[str, ...]:
    match runtime.family:
        case "python":
            return (str(runtime.program), "-S", f"{RUNTIME}/bootstrap.py")
        case "node":
            return (str(runtime.program), f"{RUNTIME}/bootstrap.cjs")
        case _:
            return (str(runtime.program),)


def environment(function: Function, runtime: Runtime, around: Surroundings) -> dict[str, str]:
    """The whole environment of the code: ours over the user's."""
    config, name = function.config, function.name
    own = {
        "AWS_LAMBDA_FUNCTION_NAME": name.name,
        "AWS_LAMBDA_FUNCTION_VERSION": LATEST,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": around.log_stream,
        "AWS_REGION": name.region,
        "AWS_DEFAULT_REGION": name.region,
        "AWS_ACCESS_KEY_ID": around.credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": around.credentials.secret_key,
        "AWS_SESSION_TOKEN": around.credentials.session_token,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.runtime}",
        "LAMBDA_TASK_ROOT": TASK,
        "LAMBDA_RUNTIME_DIR": RUNTIME,
        "_HANDLER": config.handler,
    }
    if around.socket is not None:
        own["CUMULET_RUNTIME_SOCKET"] = SOCKET
    if around.address:
        own["AWS_LAMBDA_RUNTIME_API"] = around.address
    usual = {
        "AWS_ENDPOINT_URL": around.endpoint,
        "PATH": PATH if runtime.prefix is None else f"{runtime.prefix}/bin:{PATH}",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LD_LIBRARY_PATH": f"{TASK}:{TASK}/lib",
        "NODE_PATH": f"{RUNTIME}/node_modules",
    }
    return usual | dict(config.environment or {}) | own


def _runtime_mounts(runtime: Runtime) -> list[Mount]:
    mounts = [] if runtime.prefix is None else [Mount(runtime.prefix, str(runtime.prefix))]
    match runtime.family:
        case "python":
            mounts.append(Mount(_bootstrap("python", "bootstrap.py"), f"{RUNTIME}/bootstrap.py"))
            if tuple(int(part) for part in runtime.name.removeprefix("python").split(".")) >= SDK_NEEDS:
                mounts += _sdk()
        case "node":
            mounts.append(Mount(_bootstrap("node", "bootstrap.cjs"), f"{RUNTIME}/bootstrap.cjs"))
    return mounts


def _bootstrap(*parts: str) -> Path:
    return Path(str(resources.files("cumulet.sandbox.bootstrap").joinpath(*parts)))


@cache
def _sdk() -> tuple[Mount, ...]:
    """The server's own copies of the SDK for Python, and nothing else of its packages."""
    mounts = []
    for name in SDK:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            continue
        origin = Path(found.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        mounts.append(Mount(source, f"{RUNTIME}/{source.name}"))
    return tuple(mounts)
