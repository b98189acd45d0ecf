import json

import pytest
from botocore.exceptions import ClientError
from tests.services.states.conftest import PASS, WAIT

from cumulet.services.states.routes import pick


def publish(bench, machine, **more):
    return bench.states.publish_state_machine_version(stateMachineArn=machine, **more)["stateMachineVersionArn"]


def alias(bench, name, *routes):
    routing = [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in routes]
    return bench.states.create_state_machine_alias(name=name, routingConfiguration=routing)["stateMachineAliasArn"]


@pytest.fixture
def two(bench):
    """A machine with the versions 1 (PASS) and 2 (WAIT)."""
    machine = bench.machine()
    first = publish(bench, machine)
    second = bench.states.update_state_machine(stateMachineArn=machine, definition=json.dumps(WAIT), publish=True)
    return machine, first, second["stateMachineVersionArn"]


def test_a_version_stays_as_it_was_and_is_published_once(bench, two):
    machine, first, second = two
    assert (first, second) == (f"{machine}:1", f"{machine}:2")
    assert publish(bench, machine) == second
    found = bench.states.describe_state_machine(stateMachineArn=first)
    assert (json.loads(found["definition"]), found["stateMachineArn"]) == (PASS, first)
    listed = bench.states.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]
    assert [item["stateMachineVersionArn"] for item in listed] == [second, first]


def test_numbers_are_not_given_twice(bench, two):
    machine, _, second = two
    bench.states.delete_state_machine_version(stateMachineVersionArn=second)
    assert publish(bench, machine, description="again") == f"{machine}:3"
    assert bench.states.describe_state_machine(stateMachineArn=f"{machine}:3")["description"] == "again"
    with pytest.raises(bench.states.exceptions.StateMachineDoesNotExist):
        bench.start(second)


def test_publishing_another_revision_than_the_current_is_refused(bench, two):
    machine, _, _ = two
    with pytest.raises(bench.states.exceptions.ConflictException, match="for revision old. The current State Machine"):
        publish(bench, machine, revisionId="old")


def test_versions_are_listed_in_pages(bench):
    machine = bench.machine()
    for number in range(5):
        bench.states.update_state_machine(
            stateMachineArn=machine, definition=json.dumps({**PASS, "Comment": str(number)}), publish=True
        )
    first = bench.states.list_state_machine_versions(stateMachineArn=machine, maxResults=3)
    rest = bench.states.list_state_machine_versions(stateMachineArn=machine, nextToken=first["nextToken"])
    arns = [item["stateMachineVersionArn"] for item in first["stateMachineVersions"] + rest["stateMachineVersions"]]
    assert arns == [f"{machine}:{number}" for number in (5, 4, 3, 2, 1)]


def test_an_execution_of_a_version_runs_what_the_version_says(bench, two):
    machine, first, second = two
    execution = bench.start(first)
    found = bench.ended(execution)
    assert (found["stateMachineArn"], found["stateMachineVersionArn"]) == (machine, first)
    assert "stateMachineAliasArn" not in found
    bench.start(second)
    listed = bench.states.list_executions(stateMachineArn=first)["executions"]
    assert [item["executionArn"] for item in listed] == [execution]
    assert bench.states.list_executions(stateMachineArn=first, statusFilter="RUNNING")["executions"] == []
    assert len(bench.states.list_executions(stateMachineArn=machine)["executions"]) == 2


def test_an_alias_leads_by_weight(bench, two):
    _, first, second = two
    arn = alias(bench, "live", (first, 0), (second, 100))
    execution = bench.start(arn)
    found = bench.describe(execution)
    assert (found["stateMachineAliasArn"], found["stateMachineVersionArn"]) == (arn, second)
    routing = [{"stateMachineVersionArn": first, "weight": 100}]
    bench.states.update_state_machine_alias(stateMachineAliasArn=arn, routingConfiguration=routing)
    assert bench.describe(bench.start(arn))["stateMachineVersionArn"] == first
    assert len(bench.states.list_executions(stateMachineArn=arn)["executions"]) == 2
    assert json.loads(bench.states.describe_state_machine(stateMachineArn=arn)["definition"]) == PASS


def test_weights():
    routes = [(1, 30), (2, 70)]
    chances = [(point << 64) // 100 + 1 for point in range(100)]
    picks = [pick(routes, chance.to_bytes(8)) for chance in chances]
    assert (picks.count(1), picks.count(2)) == (30, 70)
    assert pick(routes, b"\xff" * 8) == 2


def test_the_life_of_an_alias(bench, two):
    machine, first, second = two
    arn = alias(bench, "live", (first, 100))
    assert arn == alias(bench, "live", (first, 100)) == f"{machine}:live"
    with pytest.raises(bench.states.exceptions.ConflictException):
        alias(bench, "live", (second, 100))
    with pytest.raises(bench.states.exceptions.ConflictException, match=r"referencing this version: \[live\]"):
        bench.states.delete_state_machine_version(stateMachineVersionArn=first)
    bench.states.update_state_machine_alias(stateMachineAliasArn=arn, description="new")
    found = bench.states.describe_state_machine_alias(stateMachineAliasArn=arn)
    assert (found["description"], found["routingConfiguration"]) == (
        "new",
        [{"stateMachineVersionArn": first, "weight": 100}],
    )
    assert len(bench.states.list_state_machine_aliases(stateMachineArn=first)["stateMachineAliases"]) == 1
    assert bench.states.list_state_machine_aliases(stateMachineArn=second)["stateMachineAliases"] == []
    bench.states.delete_state_machine_alias(stateMachineAliasArn=arn)
    with pytest.raises(bench.states.exceptions.ResourceNotFound):
        bench.states.describe_state_machine_alias(stateMachineAliasArn=arn)
    with pytest.raises(bench.states.exceptions.StateMachineDoesNotExist):
        bench.start(arn)


def test_aliases_are_listed_in_pages_by_name(bench, two):
    machine, first, _ = two
    for name in "cab":
        alias(bench, name, (first, 100))
    page = bench.states.list_state_machine_aliases(stateMachineArn=machine, maxResults=2)
    rest = bench.states.list_state_machine_aliases(stateMachineArn=machine, nextToken=page["nextToken"])
    arns = [item["stateMachineAliasArn"] for item in page["stateMachineAliases"] + rest["stateMachineAliases"]]
    assert arns == [f"{machine}:{name}" for name in "abc"]


def test_routes_that_lead_nowhere(bench, two):
    machine, first, _ = two
    for routes, words in [
        (((machine, 100),), "must contain state machine version ARNs"),
        (((first, 50),), "must equal 100"),
        (((first, 50), (first, 50)), "different versions"),
        (((f"{machine}:9", 100),), "does not exist"),
    ]:
        with pytest.raises(ClientError, match=words):
            alias(bench, "live", *routes)
    assert bench.states.list_state_machine_aliases(stateMachineArn=machine)["stateMachineAliases"] == []


def test_deleting_the_machine_takes_all_with_it(bench, two):
    machine, first, _ = two
    arn = alias(bench, "live", (first, 100))
    bench.states.delete_state_machine(stateMachineArn=machine)
    bench.machine()
    for gone in (first, arn):
        with pytest.raises(bench.states.exceptions.StateMachineDoesNotExist):
            bench.start(gone)
