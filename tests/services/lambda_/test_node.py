"""Node.js functions, for real."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.sandbox.conftest import lack
from tests.services.lambda_.real import RealShop, look, real_shop


@pytest.fixture(scope="module")
def shop() -> Iterator[RealShop]:
    found = look()
    if "nodejs20.x" not in found.present:
        lack("this machine has no Node.js 20")
    with real_shop(found) as made:
        yield made


def call(shop: RealShop, code: Any, event: Any = None, **members: Any) -> Any:
    files = {"index.js": code} if isinstance(code, str) else code
    _, payload = shop.call(
        files, event, **{"Runtime": "nodejs20.x", "Handler": "index.handler", "Timeout": 20, **members}
    )
    return json.loads(payload)


@pytest.mark.parametrize(
    "code",
    [
        "exports.handler = async (event) => ({got: event})",
        "exports.handler = (event, context, callback) => callback(null, {got: event})",
        "exports.handler = (event, context, callback) => { setTimeout(() => callback(null, {got: event}), 5) }",
        "exports.handler = (event, context) => context.succeed({got: event})",
        "exports.handler = (event, context) => context.done(null, {got: event})",
        "exports.handler = (event) => Promise.resolve({got: event})",
    ],
)
def test_ways_to_answer(shop: RealShop, code):
    assert call(shop, code, {"a": "ü"}) == {"got": {"a": "ü"}}


@pytest.mark.parametrize(
    "code",
    [
        "exports.handler = async () => { throw new TypeError('no') }",
        "exports.handler = () => { throw new TypeError('no') }",
        "exports.handler = (event, context, callback) => callback(new TypeError('no'))",
        "exports.handler = (event, context) => context.fail(new TypeError('no'))",
        "exports.handler = () => { setTimeout(() => { throw new TypeError('no') }, 1) }",
    ],
)
def test_ways_to_fail(shop: RealShop, code):
    told = call(shop, code)
    assert (told["errorType"], told["errorMessage"]) == ("TypeError", "no")
    assert list(told) == ["errorType", "errorMessage", "trace"]
    assert told["trace"][0] == "TypeError: no"
    assert "/var/task/index.js:1:" in told["trace"][1]


def test_what_is_thrown_need_not_be_an_error(shop: RealShop):
    assert call(shop, "exports.handler = async () => { throw 'text' }") == {
        "errorType": "string",
        "errorMessage": "text",
        "trace": [],
    }


@pytest.mark.parametrize(
    "files",
    [
        {"index.mjs": "export const handler = async (event) => event"},
        {"index.js": "export const handler = async (event) => event", "package.json": '{"type": "module"}'},
        {"index.cjs": "exports.handler = async (event) => event"},
        {
            "index.mjs": "import { x } from './lib.mjs'; export const handler = async (event) => x(event)",
            "lib.mjs": "export const x = (e) => e",
        },
    ],
)
def test_modules_of_both_kinds(shop: RealShop, files):
    assert call(shop, files, [1]) == [1]


def test_a_handler_in_a_folder(shop: RealShop):
    assert call(shop, {"src/app.js": "exports.api = {go: async () => 7}"}, Handler="src/app.api.go") == 7


def test_nothing_is_null(shop: RealShop):
    assert call(shop, "exports.handler = async () => {}") is None
    assert call(shop, "exports.handler = () => {}") is None


def test_the_event_loop_is_waited_for_unless_told_otherwise(shop: RealShop):
    code = "let ran = false; exports.handler = (e, context, callback) => { context.callbackWaitsForEmptyEventLoop = %s; setTimeout(() => { ran = true }, 30); callback(null, {toJSON: () => ran}) }"
    assert call(shop, code % "true") is True
    assert call(shop, code % "false") is False


@pytest.mark.parametrize(
    ("code", "handler", "kind", "words"),
    [
        ("require('nowhere')", "index.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'nowhere'"),
        ("", "other.handler", "Runtime.ImportModuleError", "Error: Cannot find module '/var/task/other'"),
        ("exports.x = 1", "index.handler", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"),
        ("exports.handler = 1", "index.handler", "Runtime.HandlerNotFound", "index.handler is not a function"),
        (
            "exports.handler = async ( => 1",
            "index.handler",
            "Runtime.UserCodeSyntaxError",
            "SyntaxError: Unexpected token '=>'",
        ),
        ("", "index", "Runtime.MalformedHandlerName", "Bad handler"),
        ("throw new RangeError('at once')", "index.handler", "RangeError", "at once"),
    ],
)
def test_what_cannot_be_loaded(shop: RealShop, code, handler, kind, words):
    told = call(shop, code, Handler=handler)
    assert told["errorType"] == kind
    assert told["errorMessage"].split("\n")[0] == words
    assert told["trace"][0].startswith(kind)


def test_a_rejection_that_nobody_handles(shop: RealShop):
    told = call(shop, "exports.handler = () => { Promise.reject(new Error('lost')); setTimeout(() => {}, 5000) }")
    assert (told["errorType"], told["errorMessage"]) == ("Runtime.UnhandledPromiseRejection", "Error: lost")


def test_what_is_no_json(shop: RealShop):
    told = call(shop, "exports.handler = async () => { const a = {}; a.a = a; return a }")
    assert told["errorType"] == "Runtime.MarshalError"


def test_the_context(shop: RealShop):
    code = """
exports.handler = async (event, context) => [context.functionName, context.functionVersion, context.memoryLimitInMB,
  context.invokedFunctionArn, context.awsRequestId, context.getRemainingTimeInMillis() > 0, process.env.AWS_REGION]
"""
    name, version, memory, arn, request, left, region = call(shop, code)
    assert (version, memory, left, region) == ("$LATEST", "128", True, "us-east-1")
    assert arn.endswith(f":function:{name}")
    assert re.fullmatch(r"[0-9a-f-]{36}", request)


def test_what_is_logged(shop: RealShop):
    files = {
        "index.js": "exports.handler = async () => { console.log('one\\ntwo %d', 3); console.warn({a: 1}); process.stdout.write('raw\\n') }"
    }
    reply, _ = shop.call(files, Runtime="nodejs20.x", Handler="index.handler")
    request = reply["ResponseMetadata"]["RequestId"]
    lines = base64.b64decode(reply["LogResult"]).decode().split("\n")
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(rf"{stamp}\t{request}\tINFO\tone\rtwo 3", lines[1])
    assert re.fullmatch(rf"{stamp}\t{request}\tWARN\t\{{ a: 1 \}}", lines[2])
    assert lines[3] == "raw"


def test_streaming_is_refused(shop: RealShop):
    told = call(shop, "exports.handler = awslambda.streamifyResponse(async () => {})")
    assert told["errorType"] == "Function.StreamingNotImplemented"


def test_warm_invocations(shop: RealShop):
    shop.create(
        {"index.js": "let n = 0; exports.handler = async () => ++n"},
        name="nodes",
        Runtime="nodejs20.x",
        Handler="index.handler",
    )
    assert [shop.result({}, name="nodes") for _ in range(3)] == [1, 2, 3]


def test_a_substitute_is_said_in_the_log(shop: RealShop):
    files = {"index.js": "exports.handler = async () => process.env.AWS_EXECUTION_ENV"}
    shop.create(files, name="old", Runtime="nodejs10.x", Handler="index.handler")
    assert shop.result({}, name="old") == "AWS_Lambda_nodejs10.x"
    shop.house.run(shop.service.shipper.flush())
    assert (
        "INIT_START Runtime Version: nodejs20.x in place of nodejs10.x, as the configuration says"
        in shop.logs.lines("/aws/lambda/old")
    )
