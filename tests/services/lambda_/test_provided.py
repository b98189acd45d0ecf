"""Custom runtimes: a `bootstrap` of the package that speaks the Runtime API over TCP by itself."""

import base64
import json
from collections.abc import Iterator

import pytest
from tests.services.lambda_.real import RealShop, look, real_shop
from tests.services.lambda_.shop import pack, pack_executable

BOOTSTRAP = r"""#!/bin/bash
# HTTP by hand, so that the test needs no program but the shell.
host=${AWS_LAMBDA_RUNTIME_API%:*} port=${AWS_LAMBDA_RUNTIME_API#*:} base=/2018-06-01/runtime
while exec 3<>/dev/tcp/$host/$port; do
  printf 'GET %s/invocation/next HTTP/1.1\r\nHost: %s:%s\r\n\r\n' $base $host $port >&3
  length=0 id=
  while IFS= read -r line <&3; do
    line=${line%$'\r'}
    [ -z "$line" ] && break
    case ${line,,} in
      content-length:*) length=${line#*: } ;;
      lambda-runtime-aws-request-id:*) id=${line#*: } ;;
    esac
  done
  [ -z "$id" ] && exit 1
  IFS= read -r -N $length event <&3
  echo "handling $_HANDLER"
  answer="{\"got\":$event}"
  printf 'POST %s/invocation/%s/response HTTP/1.1\r\nHost: %s:%s\r\nContent-Length: %d\r\n\r\n%s' \
    $base $id $host $port ${#answer} "$answer" >&3
  IFS= read -r line <&3
  exec 3>&-
done
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[RealShop]:
    with real_shop(look()) as made:
        yield made


def test_a_runtime_of_ones_own(shop: RealShop):
    shop.create(
        name="own",
        Runtime="provided.al2023",
        Handler="main",
        Code={"ZipFile": pack_executable({"bootstrap": BOOTSTRAP})},
    )
    for number in range(3):
        reply = shop.invoke([number], name="own", LogType="Tail")
        assert json.loads(reply["Payload"].read()) == {"got": [number]}
    assert "handling main\n" in base64.b64decode(reply["LogResult"]).decode()


def test_without_a_bootstrap(shop: RealShop):
    reply, payload = shop.call({"main": "x"}, Runtime="provided.al2023")
    request = reply["ResponseMetadata"]["RequestId"]
    assert json.loads(payload) == {
        "errorType": "Runtime.InvalidEntrypoint",
        "errorMessage": f"RequestId: {request} Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
    }


def test_a_bootstrap_that_may_not_be_run(shop: RealShop):
    _, payload = shop.call({"bootstrap": BOOTSTRAP}, Runtime="provided.al2023")
    assert json.loads(payload)["errorMessage"].endswith("Error: fork/exec /var/task/bootstrap: permission denied")


def test_a_handler_is_not_needed(shop: RealShop):
    made = shop.api.create_function(
        FunctionName="bare", Runtime="provided.al2023", Role="arn:aws:iam::000000000000:role/x",
        Code={"ZipFile": pack({"bootstrap": BOOTSTRAP})},
    )  # fmt: skip
    assert "Handler" not in made
