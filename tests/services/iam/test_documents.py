import json
from urllib.parse import unquote

import pytest

from cumulet.services.iam import managed
from cumulet.services.iam.documents import check_document, shown
from cumulet.services.iam.errors import MalformedPolicyDocumentException

ALLOW = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}


def document(*statements, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **more})


def test_good_documents_come_back_as_given():
    assert check_document(document(ALLOW)) == document(ALLOW)
    assert check_document(document(TRUST), trust=True) == document(TRUST)
    one = json.dumps({"Statement": ALLOW | {"Action": ["s3:GPutbject"]}})
    assert check_document(one) == one


@pytest.mark.parametrize(
    ("text", "trust", "words"),
    [
        ("{", False, "This policy contains invalid Json"),
        ("[]", False, "Syntax errors in policy."),
        (document(ALLOW, Extra=1), False, "Syntax errors in policy."),
        (document(), False, "Syntax errors in policy."),
        (document({**ALLOW, "Effect": "Maybe"}), False, "Syntax errors in policy."),
        (document(ALLOW, Version="2020-01-01"), False, "The policy must contain a valid version string"),
        (document({"Effect": "Allow", "Resource": "*"}), False, "Policy statement must contain actions."),
        (document({"Effect": "Allow", "Action": "*"}), False, "Policy statement must contain resources."),
        (document({**ALLOW, "Principal": "*"}), False, "Policy document should not specify a principal."),
        (document({**TRUST, "Resource": "*"}), True, "Has prohibited field Resource"),
        (document({"Effect": "Allow", "Action": "*"}), True, "Missing required field Principal cannot be empty!"),
    ],
)
def test_bad_documents_get_awss_words(text, trust, words):
    with pytest.raises(MalformedPolicyDocumentException) as raised:
        check_document(text, trust=trust)
    assert raised.value.message == words


def test_documents_are_shown_percent_encoded():
    assert unquote(shown(document(ALLOW))) == document(ALLOW)
    assert '"' not in shown(document(ALLOW))


@pytest.mark.parametrize("arn", managed.MANAGED)
def test_awss_own_policies_are_policies(arn):
    check_document(json.dumps(managed.document(arn)))


def test_an_unknown_policy_of_awss_has_no_document():
    assert managed.document("arn:aws:iam::aws:policy/Nothing") is None
