import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.base.errors import NotImplementedHere
from cumulet.services.states import naming
from cumulet.services.states.errors import InvalidArn, InvalidName

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:m"


@pytest.mark.parametrize("letter", [*'<>{}[]?*"#%\\^|~`$&,;:/ \n\x1f\x7f\x9f'])
def test_letters_that_no_name_may_have(letter):
    with pytest.raises(InvalidName) as raised:
        naming.check_name(f"a{letter}b")
    assert raised.value.message == f"Invalid Name: 'a{letter}b'"


@given(st.text("abcXYZ019-_.éß+=@!()'", min_size=1, max_size=80))
def test_good_names(name):
    assert naming.check_name(name) == name


def test_arns():
    assert naming.machine_arn(MACHINE) == MACHINE
    execution = naming.execution_arn_of(MACHINE, "run")
    assert execution == "arn:aws:states:us-east-1:000000000000:execution:m:run"
    assert naming.execution_arn(execution) == execution
    role = "arn:aws:iam::000000000000:role/service-role/r"
    assert naming.role_arn(role) == role


def test_what_qualifies_a_machine():
    assert naming.target_of(MACHINE) == (MACHINE, None)
    assert naming.target_of(f"{MACHINE}:1") == (MACHINE, "1")
    assert naming.target_of(f"{MACHINE}:live") == (MACHINE, "live")
    with pytest.raises(NotImplementedHere):
        naming.target_of(f"{MACHINE}/label")
    for wrong in (f"{MACHINE}:1:2", f"{MACHINE}:"):
        with pytest.raises(InvalidArn):
            naming.target_of(wrong)
    with pytest.raises(InvalidArn, match="without version or alias"):
        naming.machine_arn(f"{MACHINE}:1")


@pytest.mark.parametrize("text", ["m", "arn:aws:s3:::bucket", naming.execution_arn_of(MACHINE, "x")])
def test_wrong_arns(text):
    with pytest.raises(InvalidArn, match="Invalid Arn: '"):
        naming.machine_arn(text)


@pytest.mark.parametrize("text", ["role", "arn:aws:iam::000000000000:user/u", MACHINE])
def test_wrong_roles(text):
    with pytest.raises(InvalidArn):
        naming.role_arn(text)
