"""Python functions, for real: in a process, behind the walls, through the Runtime API."""

import base64
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.lambda_.real import RealShop, look, real_shop
from tests.services.lambda_.shop import pack, pack_executable

from cumulet.sandbox.meter import NoMeters
from cumulet.sandbox.process import ProcessSandbox

RUNTIME = f"python3.{sys.version_info.minor}"


@pytest.fixture(scope="module", params=["best", "plain"])
def shop(request: pytest.FixtureRequest) -> Iterator[RealShop]:
    sandbox = ProcessSandbox(NoMeters()) if request.param == "plain" else None
    with real_shop(look(), sandbox) as made:
        yield made


@pytest.fixture
def walled(shop: RealShop) -> RealShop:
    if shop.sandbox.name != "bubblewrap":
        pytest.skip("only behind walls")
    return shop


def call(shop: RealShop, code: Any, event: Any = None, **members: Any) -> Any:
    members.setdefault("Runtime", RUNTIME)
    _, payload = shop.call(code, event, **members)
    return json.loads(payload)


def tail(reply: Any) -> str:
    return base64.b64decode(reply["LogResult"]).decode()


def test_event_and_answer(shop: RealShop):
    code = "def handler(event, context): return {'got': event, 'text': 'ü'}"
    assert call(shop, code, {"a": [1, None, "ß"]}) == {"got": {"a": [1, None, "ß"]}, "text": "ü"}


def test_nothing_is_null(shop: RealShop):
    assert call(shop, "def handler(event, context): pass") is None


def test_bytes_are_sent_as_they_are(shop: RealShop):
    reply, payload = shop.call("def handler(event, context): return b'\\x00raw'", Runtime=RUNTIME)
    assert payload == b"\x00raw"
    assert "FunctionError" not in reply


def test_decimals_are_numbers(shop: RealShop):
    code = "from decimal import Decimal\ndef handler(event, context): return [Decimal('1'), Decimal('1.5')]"
    assert call(shop, code) == [1, 1.5]


def test_an_error_shows_the_users_trace(shop: RealShop):
    code = "def inner():\n    raise KeyError('x')\n\ndef handler(event, context):\n    inner()\n"
    reply, payload = shop.call(code, Runtime=RUNTIME)
    request = reply["ResponseMetadata"]["RequestId"]
    assert reply["FunctionError"] == "Unhandled"
    assert json.loads(payload) == {
        "errorMessage": "'x'",
        "errorType": "KeyError",
        "requestId": request,
        "stackTrace": [
            '  File "/var/task/handler.py", line 5, in handler\n    inner()\n',
            "  File \"/var/task/handler.py\", line 2, in inner\n    raise KeyError('x')\n",
        ],
    }
    assert list(json.loads(payload)) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert "[ERROR] KeyError: 'x'\rTraceback (most recent call last):\r" in tail(reply)


@pytest.mark.parametrize(
    ("code", "handler", "kind", "words"),
    [
        (
            "import nowhere",
            "handler.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'handler': No module named 'nowhere'",
        ),
        ("", "other.handler", "Runtime.ImportModuleError", "Unable to import module 'other': No module named 'other'"),
        ("x = 1", "handler.main", "Runtime.HandlerNotFound", "Handler 'main' missing on module 'handler'"),
        (
            "",
            "handler",
            "Runtime.MalformedHandlerName",
            "Bad handler 'handler': not enough values to unpack (expected 2, got 1)",
        ),
        ("", "sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
        (
            "def handler(e, c): return {1, 2}",
            "handler.handler",
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set is not JSON serializable",
        ),
    ],
)
def test_faults_that_the_runtime_finds(shop: RealShop, code, handler, kind, words):
    told = call(shop, code, Handler=handler)
    assert (told["errorType"], told["errorMessage"], told["stackTrace"]) == (kind, words, [])


def test_a_syntax_error(shop: RealShop):
    told = call(shop, "def handler(event, context:\n    pass\n")
    assert told["errorType"] == "Runtime.UserCodeSyntaxError"
    assert told["errorMessage"].startswith(
        "Syntax error in module 'handler': '(' was never closed (handler.py, line 1)"
    )
    assert told["stackTrace"] == ['  File "/var/task/handler.py" Line 1\n    def handler(event, context:\n']


def test_a_module_that_fails_while_it_is_imported(shop: RealShop):
    told = call(shop, "raise RuntimeError('at once')\n")
    assert (told["errorType"], told["errorMessage"]) == ("RuntimeError", "at once")
    assert told["stackTrace"] == [
        "  File \"/var/task/handler.py\", line 1, in <module>\n    raise RuntimeError('at once')\n"
    ]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("import os; os._exit(3)", "Runtime exited with error: exit status 3"),
        ("import sys; sys.exit(0)", "Runtime exited without providing a reason"),
        ("import os; os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_a_process_that_ends(shop: RealShop, act, words):
    told = call(shop, f"def handler(event, context):\n    {act}")
    assert told["errorType"] == "Runtime.ExitError"
    assert told["errorMessage"].endswith(words)


def test_the_context(shop: RealShop):
    code = """
def handler(event, context):
    assert repr(context).startswith('LambdaContext([aws_request_id=')
    names = ('aws_request_id', 'function_name', 'function_version', 'invoked_function_arn', 'memory_limit_in_mb',
             'log_group_name', 'log_stream_name', 'client_context')
    left = context.get_remaining_time_in_millis()
    return {name: getattr(context, name) for name in names} | {'left': 0 < left <= 9000, 'pool': context.identity.cognito_identity_pool_id}
"""
    reply, payload = shop.call(code, Runtime=RUNTIME, Timeout=9, MemorySize=192)
    told = json.loads(payload)
    name = told["function_name"]
    assert told["aws_request_id"] == reply["ResponseMetadata"]["RequestId"]
    assert told["invoked_function_arn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert (told["function_version"], told["memory_limit_in_mb"], told["left"]) == ("$LATEST", "192", True)
    assert told["log_group_name"] == f"/aws/lambda/{name}"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", told["log_stream_name"])
    assert (told["client_context"], told["pool"]) == (None, None)


def test_a_client_context(shop: RealShop):
    code = (
        "def handler(event, context): return [context.client_context.custom, context.client_context.client.app_title]"
    )
    shop.create(code, name="contextual", Runtime=RUNTIME)
    given = base64.b64encode(json.dumps({"custom": {"k": "v"}, "client": {"app_title": "t"}}).encode()).decode()
    assert shop.result({}, name="contextual", ClientContext=given) == [{"k": "v"}, "t"]


def test_what_is_printed_and_logged(shop: RealShop):
    code = """
import logging
logger = logging.getLogger()
logger.setLevel('INFO')
def handler(event, context):
    print('one')
    print('two', end='')
    logger.info('three\\nlines')
    logging.getLogger('x').warning('four')
"""
    reply, _ = shop.call(code, Runtime=RUNTIME)
    request = reply["ResponseMetadata"]["RequestId"]
    lines = tail(reply).split("\n")
    assert lines[:2] == [f"START RequestId: {request} Version: $LATEST", "one"]
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(rf"two\[INFO\]\t{stamp}\t{request}\tthree\rlines", lines[2])
    assert re.fullmatch(rf"\[WARNING\]\t{stamp}\t{request}\tfour", lines[3])
    assert lines[4] == f"END RequestId: {request}"
    assert lines[5].startswith(f"REPORT RequestId: {request}\t")


def test_the_environment_holds_nothing_of_the_servers(shop: RealShop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUMULET_SECRET", "no")
    names = call(
        shop,
        "import os\ndef handler(event, context): return sorted(os.environ)",
        Environment={"Variables": {"MINE": "1"}},
    )
    known = {
        "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT", "LANG", "LD_LIBRARY_PATH", "MINE", "NODE_PATH", "PATH", "TZ", "_HANDLER", "_X_AMZN_TRACE_ID",
    }  # fmt: skip
    assert set(names) - {"PWD", "TMPDIR", "LC_CTYPE"} == known


def test_the_sdk_can_be_imported_and_knows_where_to_call(shop: RealShop):
    code = """
import boto3
def handler(event, context):
    client = boto3.client('s3')
    return [client.meta.endpoint_url, client.meta.region_name, boto3.Session().get_credentials().access_key[:4]]
"""
    assert call(shop, code, Timeout=30, MemorySize=512) == ["http://127.0.0.1:4566", "us-east-1", "ASIA"]


def test_nothing_else_of_the_servers_packages_can_be(shop: RealShop):
    code = """
import importlib.util
def handler(event, context):
    return [name for name in ('cumulet', 'uvicorn', 'orjson', 'pytest', 'pip') if importlib.util.find_spec(name)]
"""
    assert call(shop, code) == []


def test_what_the_package_brings_comes_first(shop: RealShop):
    files = {
        "handler.py": "import six\nfrom pkg import part\ndef handler(e, c): return [six.mine, part.x]",
        "six.py": "mine = True",
        "pkg/part.py": "x = 2",
    }
    assert call(shop, files) == [True, 2]


def test_a_handler_in_a_folder(shop: RealShop):
    for handler in ("src.app.main", "src/app.main"):
        assert call(shop, {"src/app.py": "def main(e, c): return __name__"}, Handler=handler) == "src.app"


def test_state_stays_between_invocations(shop: RealShop):
    shop.create(
        "count = 0\ndef handler(e, c):\n    global count\n    count += 1\n    return count",
        name="counter",
        Runtime=RUNTIME,
    )
    assert [shop.result({}, name="counter") for _ in range(3)] == [1, 2, 3]


def test_great_payloads(shop: RealShop):
    text = "x" * 5_000_000
    assert call(shop, "def handler(event, context): return event[::-1]", text, Timeout=30) == text


def test_a_function_that_takes_too_long(shop: RealShop):
    reply, payload = shop.call(
        "import time\ndef handler(e, c):\n    print('begun')\n    time.sleep(60)", Runtime=RUNTIME, Timeout=1
    )
    told = json.loads(payload)
    assert told["errorType"] == "Sandbox.Timedout"
    assert told["errorMessage"].endswith(" Task timed out after 1.00 seconds")
    assert "begun\n" in tail(reply)


def test_a_function_that_takes_too_much_memory(walled: RealShop):
    _, payload = walled.call(
        "def handler(e, c):\n    x = bytearray(600 << 20)\n    while True: pass", Runtime=RUNTIME, Timeout=20
    )
    told = json.loads(payload)
    assert told["errorType"] == "Runtime.OutOfMemory"
    assert told["errorMessage"].endswith("Runtime exited with error: signal: killed")


def test_functions_do_not_see_each_other(walled: RealShop):
    one = "open('/tmp/secret', 'w').write('x')\ndef handler(e, c): return None"
    other = (
        "import os\ndef handler(e, c): return [os.listdir('/tmp'), os.listdir('/var/task'), os.listdir('/run/cumulet')]"
    )
    call(walled, one)
    assert call(walled, other) == [[], ["handler.py"], ["runtime.sock"]]


def test_code_cannot_change_itself(walled: RealShop):
    code = "def handler(e, c):\n    open(__file__, 'a').write('#')"
    assert call(walled, code)["errorType"] in ("OSError", "PermissionError")


def test_executables_of_the_package_can_be_run(walled: RealShop):
    files = {
        "handler.py": "import subprocess\ndef handler(e, c): return subprocess.check_output(['./tool'], text=True)",
        "tool": "#!/bin/sh\necho worked",
    }
    package = pack_executable(files)
    assert call(walled, files, Code={"ZipFile": package}) == "worked\n"


@pytest.mark.parametrize("version", ["python3.8", "python3.9", "python3.10", "python3.11", "python3.13", "python3.14"])
def test_every_python_of_this_machine(walled: RealShop, version):
    if version not in walled.service._found.present:
        pytest.skip("not here")
    code = "import sys, os\ndef handler(event, context):\n    if event: raise ValueError('no')\n    return ['%d.%d' % sys.version_info[:2], os.environ['AWS_EXECUTION_ENV']]"
    assert call(walled, code, Runtime=version) == [version.removeprefix("python"), f"AWS_Lambda_{version}"]
    told = call(walled, code, 1, Runtime=version)
    assert told["stackTrace"] == [
        "  File \"/var/task/handler.py\", line 3, in handler\n    if event: raise ValueError('no')\n"
    ]


def test_a_package_from_s3_is_what_runs(shop: RealShop):
    class Bucket:
        async def call(self, service, operation, input, **where):
            assert (service, operation, input) == (
                "s3",
                "GetObject",
                {"Bucket": "bucket", "Key": "k", "VersionId": "v"},
            )
            return {"Body": stream(pack("def handler(e, c): return 'from s3'"))}

    async def stream(data):
        yield data[:50]
        yield data[50:]

    caller, shop.service.caller = shop.service.caller, Bucket()
    try:
        assert call(shop, "", Code={"S3Bucket": "bucket", "S3Key": "k", "S3ObjectVersion": "v"}) == "from s3"
    finally:
        shop.service.caller = caller
