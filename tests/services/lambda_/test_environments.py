"""Environments: how many there are, how long they live, and when they are replaced."""

import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor

from tests.inprocess import House
from tests.services.lambda_.loop_sandbox import LoopSandbox
from tests.services.lambda_.shop import Shop, pack
from tests.services.lambda_.test_functions import refusal
from tests.services.lambda_.waiting import Gate, until

from cumulet.sandbox.api import Ended


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
    house.run(until(lambda: shop.service.pool.living == 0))
    assert shop.sandbox.cells == []


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
    house.run(until(lambda: len(shop.service.pool._queue) == 1))
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
    house.run(until(lambda: shop.service.pool.living == 1))
    shop.close()


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
    shop.house.run(until(lambda: shop.service.pool.living == 1))


def test_a_process_that_ends_while_it_is_idle_is_replaced(shop: Shop):
    shop.create()
    shop.invoke({})
    (cell,) = shop.sandbox.cells
    shop.house.background.loop.call_soon_threadsafe(cell._end, Ended(0))
    shop.house.run(until(lambda: not any(one.alive for one in shop.service.pool._living)))
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
