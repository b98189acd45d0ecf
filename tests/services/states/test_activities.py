import json
import threading

import pytest
from botocore.exceptions import ClientError


def activity(bench, name="work", **more):
    return bench.states.create_activity(name=name, **more)["activityArn"]


def machine_of(bench, arn, name="m", **more):
    state = {"Type": "Task", "Resource": arn, "End": True, **more}
    return bench.machine({"StartAt": "T", "States": {"T": state}}, name=name)


def poll(bench, arn, **more):
    """GetActivityTask in a thread of its own, and a way to wait for its answer."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(bench.states.get_activity_task(activityArn=arn, **more)))
    thread.start()

    def answer():
        thread.join(30)
        return answers[0]

    return answer


def test_an_activity_is_as_it_was_created_and_creating_it_again_changes_nothing(bench):
    arn = activity(bench, tags=[{"key": "a", "value": "1"}])
    found = bench.states.describe_activity(activityArn=arn)
    bench.house.jump(5)
    assert bench.states.create_activity(name="work")["creationDate"] == found["creationDate"]
    assert (arn, found["name"]) == ("arn:aws:states:us-east-1:000000000000:activity:work", "work")
    assert bench.states.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "1"}]
    bench.states.delete_activity(activityArn=arn)
    bench.states.delete_activity(activityArn=arn)
    with pytest.raises(bench.states.exceptions.ActivityDoesNotExist, match="Activity Does Not Exist: 'arn:"):
        bench.states.describe_activity(activityArn=arn)
    with pytest.raises(bench.states.exceptions.ResourceNotFound):
        bench.states.list_tags_for_resource(resourceArn=arn)


def test_activities_are_listed_in_pages(bench):
    arns = []
    for number in range(5):
        arns.append(activity(bench, f"a{number}"))
        bench.house.jump(1)
    pages = bench.states.get_paginator("list_activities").paginate(PaginationConfig={"PageSize": 2})
    assert [item["activityArn"] for page in pages for item in page["activities"]] == arns


def test_a_worker_takes_a_task_and_ends_it(bench):
    arn = activity(bench)
    execution = bench.start(machine_of(bench, arn), {"x": 1})
    task = bench.states.get_activity_task(activityArn=arn, workerName="me")
    assert json.loads(task["input"]) == {"x": 1}
    bench.states.send_task_success(taskToken=task["taskToken"], output='{"y": 2}')
    assert json.loads(bench.ended(execution)["output"]) == {"y": 2}
    events = bench.events(execution)
    assert [event["type"] for event in events[2:5]] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]
    assert events[3]["activityStartedEventDetails"] == {"workerName": "me"}


def test_a_worker_that_waits_is_woken_when_a_task_comes(bench):
    arn = activity(bench)
    answer = poll(bench, arn)
    execution = bench.start(machine_of(bench, arn), {"x": 1})
    bench.states.send_task_failure(taskToken=answer()["taskToken"], error="Broken", cause="said so")
    found = bench.ended(execution)
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "Broken", "said so")


def test_each_task_goes_to_one_worker(bench):
    arn = activity(bench)
    machine = machine_of(bench, arn)
    answers = [poll(bench, arn) for _ in range(3)]
    for number in range(3):
        bench.start(machine, number)
    tasks = [answer() for answer in answers]
    assert {task["input"] for task in tasks} == {"0", "1", "2"}


def test_a_poll_ends_empty_after_a_minute(bench):
    arn = activity(bench)
    answer = poll(bench, arn)
    while bench.house.clock.next_due is None or bench.house.clock.next_due > bench.house.clock.now() + 60_000_000:
        pass
    bench.house.jump(60)
    assert "taskToken" not in answer()


def test_a_task_that_ended_meanwhile_is_not_handed_out(bench):
    arn = activity(bench)
    machine = machine_of(bench, arn)
    bench.states.stop_execution(executionArn=bench.start(machine, "gone"))
    bench.start(machine, "here")
    assert bench.states.get_activity_task(activityArn=arn)["input"] == '"here"'


def test_an_activity_that_is_not_there_fails_the_task(bench):
    arn = activity(bench)
    machine = machine_of(bench, arn)
    bench.states.delete_activity(activityArn=arn)
    found = bench.ended(bench.start(machine))
    assert (found["status"], found["error"]) == ("FAILED", "ActivityDoesNotExist")
    with pytest.raises(bench.states.exceptions.ActivityDoesNotExist):
        bench.states.get_activity_task(activityArn=arn)


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("x", "Invalid Arn: 'Invalid ARN prefix: x'"),
        ("arn:aws:states:us-east-1:000000000000:execution:m:x", "Resource type not valid in this context: execution"),
    ],
)
def test_arns_that_are_no_activity(bench, arn, words):
    with pytest.raises(ClientError) as raised:
        bench.states.get_activity_task(activityArn=arn)
    assert words in raised.value.response["Error"]["Message"]
    with pytest.raises(bench.states.exceptions.InvalidName):
        bench.states.create_activity(name="a b")
