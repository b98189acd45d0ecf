"""Invoke, its limits and its environments, with functions that are coroutines and a clock that jumps."""

import asyncio
import base64
import json
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from tests.inprocess import House
from tests.services.lambda_.loop_sandbox import Exit, LoopSandbox
from tests.services.lambda_.shop import Shop, pack
from tests.services.lambda_.test_functions import ARN, refusal

from cumulet.sandbox.api import Ended
from cumulet.sandbox.fake import FailToStart, FakeSandbox, Output


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


class Gate:
    """A handler that tells that it began and waits to be let go."""

    def __init__(self):
        self.began = threading.Semaphore(0)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.waiting: list[asyncio.Future[None]] = []

    async def __call__(self, event):
        self.loop = asyncio.get_running_loop()
        future = self.loop.create_future()
        self.waiting.append(future)
        self.began.release()
        await future
        return event

    def wait(self) -> None:
        assert self.began.acquire(timeout=20)

    def open(self) -> None:
        assert self.loop is not None
        for future in self.waiting:
            self.loop.call_soon_threadsafe(lambda future=future: future.done() or future.set_result(None))
        self.waiting = []


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


def test_environments_are_used_again(shop: Shop):
    shop.create()
    for _ in range(3):
        shop.invoke({})
    assert len(shop.sandbox.plans) == 1


def test_what_an_environment_is_given(shop: Shop):
    shop.create(Environment={"Variables": {"COLOUR": "red", "TZ": "Europe/Berlin"}}, MemorySize=256, Timeout=7)
    shop.invoke({})
    (plan,) = shop.sandbox.plans
    given = plan.environment
    assert (given["COLOUR"], given["TZ"]) == ("red", "Europe/Berlin")
    assert (given["AWS_LAMBDA_FUNCTION_NAME"], given["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) == ("hello", "256")
    assert (given["_HANDLER"], given["LAMBDA_TASK_ROOT"]) == ("handler.handler", "/var/task")
    assert (given["AWS_REGION"], given["AWS_ENDPOINT_URL"]) == ("us-east-1", "http://127.0.0.1:4566")
    assert given["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/hello"
    assert given["AWS_LAMBDA_LOG_STREAM_NAME"].startswith("2023/11/14/[$LATEST]")
    assert given["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert given["AWS_SESSION_TOKEN"]
    assert (plan.memory, plan.scratch) == (256 << 20, 512 << 20)


def test_changes_retire_environments(shop: Shop):
    shop.create()
    shop.invoke({})
    shop.api.update_function_configuration(FunctionName="hello", Environment={"Variables": {"NEW": "1"}})
    shop.invoke({})
    assert [plan.environment.get("NEW") for plan in shop.sandbox.plans] == [None, "1"]


def test_deleting_ends_environments(shop: Shop):
    shop.create()
    shop.invoke({})
    shop.api.delete_function(FunctionName="hello")
    shop.house.run(shop.service.pool.close())
    assert shop.sandbox.cells == []


def test_the_idle_are_ended_after_some_minutes(house: House):
    shop = Shop(house)
    house.work()
    shop.create()
    shop.invoke({})
    house.jump(120)
    assert shop.service.pool.living == 1
    house.jump(200)
    house.jump(0)
    house.run(_until(lambda: shop.service.pool.living == 0))
    assert shop.sandbox.cells == []


async def _until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def test_each_invocation_at_once_has_its_own_environment(shop: Shop, threads: ThreadPoolExecutor):
    gate = shop.sandbox.handler = Gate()
    shop.create()
    results = [threads.submit(shop.result, {"n": n}) for n in range(3)]
    for _ in results:
        gate.wait()
    assert len(shop.sandbox.cells) == 3
    gate.open()
    assert [result.result() for result in results] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_reserved_concurrency_limits(shop: Shop, threads: ThreadPoolExecutor):
    gate = shop.sandbox.handler = Gate()
    shop.create()
    shop.api.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=1)
    first: Future = threads.submit(shop.result, {})
    gate.wait()
    code, status, words = refusal(shop.invoke, {})
    assert (code, status, words) == ("TooManyRequestsException", 429, "Rate Exceeded.")
    gate.open()
    first.result()
    shop.sandbox.handler = lambda event: "free"
    assert shop.result({}) == "free"
    shop.api.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=0)
    assert refusal(shop.invoke, {})[0] == "TooManyRequestsException"


def test_the_accounts_limit(house: House, threads: ThreadPoolExecutor):
    gate = Gate()
    shop = Shop(house, LoopSandbox(gate), account_limit=1)
    shop.create()
    first = threads.submit(shop.result, {})
    gate.wait()
    assert refusal(shop.invoke, {})[0] == "TooManyRequestsException"
    gate.open()
    first.result()
    shop.close()


def test_over_capacity_one_waits_its_turn(house: House, threads: ThreadPoolExecutor):
    gate = Gate()
    shop = Shop(house, LoopSandbox(gate), capacity=1, patience=60)
    shop.create()
    first = threads.submit(shop.result, {"n": 1})
    gate.wait()
    second = threads.submit(shop.result, {"n": 2})
    house.run(_until(lambda: len(shop.service.pool._queue) == 1))
    gate.open()
    gate.wait()
    gate.open()
    assert (first.result(), second.result()) == ({"n": 1}, {"n": 2})
    assert len(shop.sandbox.plans) == 1
    shop.close()


def test_the_patient_start_one_nevertheless(house: House, threads: ThreadPoolExecutor):
    gate = Gate()
    shop = Shop(house, LoopSandbox(gate), capacity=1, patience=0.001)
    shop.create()
    both = [threads.submit(shop.result, {}) for _ in range(2)]
    gate.wait()
    gate.wait()
    gate.open()
    assert [one.result() for one in both] == [{}, {}]
    shop.close()


def test_room_is_made_for_another_function(house: House):
    shop = Shop(house, capacity=1)
    shop.create()
    shop.create(name="other")
    shop.invoke({})
    shop.invoke({}, name="other")
    assert [plan.environment["AWS_LAMBDA_FUNCTION_NAME"] for plan in shop.sandbox.plans] == ["hello", "other"]
    house.run(_until(lambda: shop.service.pool.living == 1))
    shop.close()


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
    house.run(_until(lambda: shop.sandbox.living == 1 and house.clock.next_due is not None))
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


def test_code_that_was_unpacked_elsewhere_is_unpacked_again(shop: Shop):
    great = pack({"handler.py": "x = 1", "data": os.urandom(300_000)})
    shop.create(Code={"ZipFile": great})
    shop.create(name="small")
    shutil.rmtree(shop.settings.folder)
    for name in ("hello", "small"):
        assert shop.result({"a": 1}, name=name) == {"a": 1}
    assert {(plan.mounts[0].source / "handler.py").is_file() for plan in shop.sandbox.plans} == {True}


def test_a_permission_is_no_reason_for_a_new_environment(shop: Shop):
    shop.create()
    shop.invoke({})
    shop.api.add_permission(FunctionName="hello", StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    shop.invoke({})
    assert len(shop.sandbox.plans) == 1


def test_a_change_while_a_function_runs_retires_it_afterwards(shop: Shop, threads: ThreadPoolExecutor):
    gate = shop.sandbox.handler = Gate()
    shop.create()
    running = threads.submit(shop.result, "old")
    gate.wait()
    shop.api.update_function_configuration(FunctionName="hello", Timeout=5)
    gate.open()
    assert running.result() == "old"
    shop.sandbox.handler = lambda event: "new"
    assert shop.result({}) == "new"
    assert len(shop.sandbox.plans) == 2
    shop.house.run(_until(lambda: shop.service.pool.living == 1))


def test_a_process_that_ends_while_it_is_idle_is_replaced(shop: Shop):
    shop.create()
    shop.invoke({})
    (cell,) = shop.sandbox.cells
    shop.house.background.loop.call_soon_threadsafe(cell._end, Ended(0))
    shop.house.run(_until(lambda: not cell.prints.qsize()))
    assert shop.result("again") == "again"
    assert len(shop.sandbox.plans) == 2


def test_old_environments_are_retired_before_their_credentials_end(house: House):
    shop = Shop(house, credentials=2 * 3600)
    shop.create()
    shop.invoke({})
    house.jump(3601)
    shop.invoke({})
    shop.invoke({})
    assert len(shop.sandbox.plans) == 2
    shop.close()
