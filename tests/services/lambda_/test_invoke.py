"""Invoke, its limits and its environments, with functions that are coroutines and a clock that jumps."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.inprocess import House
from tests.services.lambda_.loop_sandbox import Exit, LoopSandbox
from tests.services.lambda_.shop import Shop
from tests.services.lambda_.test_functions import ARN, refusal
from tests.services.lambda_.waiting import Gate, until

from cumulet.sandbox.api import Ended
from cumulet.sandbox.fake import FailToStart, FakeSandbox, Output


def test_the_answer(shop: Shop):
    shop.create()
    reply = shop.invoke({"a": [1, "ü"]})
    assert (reply["StatusCode"], reply["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in reply
    assert "LogResult" not in reply
    assert json.loads(reply["Payload"].read()) == {"a": [1, "ü"]}
    assert shop.result({"b": 1}, name=ARN) == {"b": 1}


def test_no_payload_is_an_empty_event(shop: Shop):
    shop.create()
    assert shop.result() == {}


def test_an_error_of_the_handler(shop: Shop):
    def handler(event):
        raise ValueError("no")

    shop.sandbox.handler = handler
    shop.create()
    reply = shop.invoke({})
    assert (reply["StatusCode"], reply["FunctionError"]) == (200, "Unhandled")
    assert json.loads(reply["Payload"].read()) == {"errorMessage": "no", "errorType": "ValueError"}


def test_dry_run_runs_nothing(shop: Shop):
    shop.create()
    assert shop.invoke({}, InvocationType="DryRun")["StatusCode"] == 204
    assert shop.sandbox.plans == []


def test_what_is_no_json_is_refused(shop: Shop):
    shop.create()
    code, status, words = refusal(shop.api.invoke, FunctionName="hello", Payload=b"{no")
    assert (code, status) == ("InvalidRequestContentException", 400)
    assert words.startswith("Could not parse request body into json: ")


def test_payloads_have_limits(shop: Shop):
    shop.create()
    great = b'"' + b"x" * 6_291_456 + b'"'
    code, status, words = refusal(shop.api.invoke, FunctionName="hello", Payload=great)
    assert (code, status) == ("RequestTooLargeException", 413)
    assert words == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    code, *_ = refusal(shop.api.invoke, FunctionName="hello", Payload=great[:1_048_577], InvocationType="Event")
    assert code == "RequestTooLargeException"


def test_an_answer_that_is_too_great(shop: Shop):
    shop.sandbox.handler = lambda event: "x" * 6_300_000
    shop.create()
    reply = shop.invoke({})
    assert reply["FunctionError"] == "Unhandled"
    assert json.loads(reply["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"


def test_unknown_functions_and_qualifiers(shop: Shop):
    shop.create()
    assert refusal(shop.invoke, {}, name="missing")[:2] == ("ResourceNotFoundException", 404)
    assert refusal(shop.invoke, {}, Qualifier="prod")[:2] == ("ResourceNotFoundException", 404)
    assert shop.invoke({}, Qualifier="$LATEST")["StatusCode"] == 200


def test_the_tail_of_the_log(shop: Shop):
    shop.create()
    reply = shop.invoke({}, LogType="Tail")
    lines = base64.b64decode(reply["LogResult"]).decode().splitlines()
    request = reply["ResponseMetadata"]["RequestId"]
    assert lines[0] == f"START RequestId: {request} Version: $LATEST"
    assert lines[1] == f"END RequestId: {request}"
    assert lines[2].startswith(f"REPORT RequestId: {request}\tDuration: ")
    assert "\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: " in lines[2]
    again = base64.b64decode(shop.invoke({}, LogType="Tail")["LogResult"]).decode()
    assert "Init Duration" not in again


def test_the_timeout(shop: Shop, threads: ThreadPoolExecutor):
    gate = shop.sandbox.handler = Gate()
    shop.create(Timeout=3)
    running = threads.submit(shop.invoke, {}, LogType="Tail")
    gate.wait()
    shop.house.jump(3)
    reply = running.result()
    request = reply["ResponseMetadata"]["RequestId"]
    told = json.loads(reply["Payload"].read())
    assert told == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"2023-11-14T22:13:23.000Z {request} Task timed out after 3.00 seconds",
    }
    log = base64.b64decode(reply["LogResult"]).decode()
    assert f"{request} Task timed out after 3.00 seconds\n" in log
    assert "Duration: 3000.00 ms\tBilled Duration: 3000 ms\t" in log
    assert "Status: timeout" in log
    shop.sandbox.handler = lambda event: "fresh"
    assert shop.result({}) == "fresh"
    assert len(shop.sandbox.plans) == 2


@pytest.mark.parametrize(
    ("ended", "kind", "words"),
    [
        (Ended(0), "Runtime.ExitError", "Runtime exited without providing a reason"),
        (Ended(3), "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        (Ended(-11), "Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
        (Ended(-99), "Runtime.ExitError", "Runtime exited with error: signal: signal 99"),
        (Ended(-9, out_of_memory=True), "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"),
    ],
)
def test_a_runtime_that_ends(shop: Shop, ended, kind, words):
    def handler(event):
        raise Exit(ended)

    shop.sandbox.handler = handler
    shop.create()
    reply = shop.invoke({}, LogType="Tail")
    request = reply["ResponseMetadata"]["RequestId"]
    assert json.loads(reply["Payload"].read()) == {
        "errorType": kind,
        "errorMessage": f"RequestId: {request} Error: {words}",
    }
    assert f"Status: error\tError Type: {kind}" in base64.b64decode(reply["LogResult"]).decode()
    shop.sandbox.handler = lambda event: 1
    assert shop.result({}) == 1


def test_a_runtime_that_never_starts(house: House):
    shop = Shop(house, FakeSandbox([Output(b"no such file\n", Ended(1)), FailToStart("no room")]))
    shop.create()
    reply = shop.invoke({})
    assert reply["FunctionError"] == "Unhandled"
    assert json.loads(reply["Payload"].read())["errorMessage"].endswith("Runtime exited with error: exit status 1")
    assert json.loads(shop.invoke({})["Payload"].read())["errorType"] == "Runtime.InvalidEntrypoint"
    shop.close()


def test_a_start_that_takes_too_long(house: House, threads: ThreadPoolExecutor):
    shop = Shop(house, FakeSandbox())
    shop.create(Timeout=3)
    running = threads.submit(shop.result, {})
    house.run(until(lambda: shop.sandbox.living == 1 and house.clock.next_due is not None))
    house.jump(13)
    assert running.result()["errorType"] == "Sandbox.Timedout"
    shop.close()
    assert shop.sandbox.living == 0


def test_a_runtime_that_has_gone_from_the_machine(shop: Shop):
    shop.create()
    shop.service._found = type(shop.service._found)({})
    assert refusal(shop.invoke, {})[:2] == ("InvalidRuntimeException", 502)


def test_logs_are_delivered(house: House):
    shop = Shop(house)
    house.work()
    shop.create()
    request = shop.invoke({})["ResponseMetadata"]["RequestId"]
    house.jump(1)
    assert shop.logs.arrived.wait(20)
    lines = shop.logs.lines("/aws/lambda/hello")
    assert lines[0] == "INIT_START Runtime Version: python3.12"
    assert lines[1:3] == [f"START RequestId: {request} Version: $LATEST", f"END RequestId: {request}"]


def test_the_last_lines_are_delivered_at_the_end(house: House):
    shop = Shop(house)
    shop.create()
    shop.invoke({})
    shop.close()
    assert len(shop.logs.lines("/aws/lambda/hello")) == 4


def test_the_end_ends_what_runs(house: House, threads: ThreadPoolExecutor):
    gate = Gate()
    shop = Shop(house, LoopSandbox(gate))
    shop.create()
    running = threads.submit(shop.result, {})
    gate.wait()
    shop.close()
    assert shop.sandbox.cells == []
    assert running.result()["errorType"] == "Runtime.ExitError"
