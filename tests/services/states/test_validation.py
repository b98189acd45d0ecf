import json

from tests.services.states.conftest import PASS

BAD = {"StartAt": "A", "States": {"A": {"Type": "Nonsense"}, "B": {"Type": "Pass"}}}


def test_a_good_definition(bench):
    found = bench.states.validate_state_machine_definition(definition=json.dumps(PASS))
    assert (found["result"], found["diagnostics"], found["truncated"]) == ("OK", [], False)


def test_a_bad_definition_is_told_where_and_why_and_how_much_was_left_out(bench):
    found = bench.states.validate_state_machine_definition(definition=json.dumps(BAD))
    assert found["result"] == "FAIL"
    assert all(one["severity"] == "ERROR" and one["location"].startswith("/States") for one in found["diagnostics"])
    short = bench.states.validate_state_machine_definition(definition=json.dumps(BAD), maxResults=1)
    assert (len(short["diagnostics"]), short["truncated"]) == (1, True)


def test_the_type_counts(bench):
    state = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": True}
    text = json.dumps({"StartAt": "T", "States": {"T": state}})
    assert bench.states.validate_state_machine_definition(definition=text)["result"] == "OK"
    assert bench.states.validate_state_machine_definition(definition=text, type="EXPRESS")["result"] == "FAIL"


def test_warnings_are_told_only_when_asked_for(bench):
    state = {"Type": "Pass", "Parameters": {"a": "$.b"}, "End": True}
    text = json.dumps({"StartAt": "P", "States": {"P": state}})
    assert bench.states.validate_state_machine_definition(definition=text)["diagnostics"] == []
    warned = bench.states.validate_state_machine_definition(definition=text, severity="WARNING")
    assert warned["result"] == "OK"
    assert {one["severity"] for one in warned["diagnostics"]} == {"WARNING"}
