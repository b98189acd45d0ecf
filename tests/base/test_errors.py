from cumulet.base.errors import AwsError, CumuletError, NotImplementedHere, ValidationError


class Gone(AwsError):
    """The thing '{name}' is gone
    for good"""

    status = 410
    members = ("name", "absent")


class Broken(AwsError):
    """It broke"""

    code = "InternalFailure"
    status = 500


def test_the_docstring_is_the_message():
    error = Gone(name="x")
    assert error.message == str(error) == "The thing 'x' is gone\nfor good"
    assert error.error_code == "Gone"
    assert error.sender


def test_only_given_members_travel():
    assert Gone(name="x", other=1).extra == {"name": "x"}


def test_a_message_may_be_given_whole():
    assert Gone("just {this}").message == "just {this}"


def test_code_and_fault():
    assert (Broken().error_code, Broken().sender) == ("InternalFailure", False)


def test_values_with_braces_are_left_alone():
    assert ValidationError(problem="{x}").message == "{x}"


def test_a_refusal_names_what_is_missing():
    error = NotImplementedHere(what="Express machines")
    assert isinstance(error, CumuletError)
    assert (error.status, error.error_code) == (501, "NotImplemented")
    assert "Express machines" in error.message
