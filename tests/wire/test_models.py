"""The models as we read them, against botocore's own view of the same files."""

import gzip
import subprocess
import sys
from typing import Any

import botocore.model
import orjson
import pytest

from cumulet.wire import models
from cumulet.wire.models import NoSuchModel, Shape

HOME = ("stepfunctions", "s3", "lambda", "logs", "iam", "sts")


def same(ours: Shape | None, theirs: Any, seen: set[str]) -> None:
    assert (ours is None) == (theirs is None)
    if ours is None or ours.name in seen:
        return
    seen.add(ours.name)
    assert (ours.name, ours.type_name) == (theirs.name, theirs.type_name)
    if ours.type_name == "structure":
        assert list(ours.members) == list(theirs.members)
        assert ours.required_members == theirs.required_members
        for name, member in ours.members.items():
            assert member.wire == theirs.members[name].serialization.get("name")
            assert member.location == theirs.members[name].serialization.get("location")
            same(member, theirs.members[name], seen)
    elif ours.type_name == "list":
        same(ours.member, theirs.member, seen)
    elif ours.type_name == "map":
        same(ours.key, theirs.key, seen)
        same(ours.value, theirs.value, seen)
    elif ours.type_name == "string":
        assert ours.enum == theirs.enum


@pytest.mark.parametrize("service", HOME)
def test_our_view_is_botocores(service: str) -> None:
    ours = models.load(service)
    theirs = botocore.model.ServiceModel(orjson.loads(gzip.decompress(models.find(service).read_bytes())), service)
    assert ours.operation_names == set(theirs.operation_names)
    seen_in: set[str] = set()
    seen_out: set[str] = set()
    for name in ours.operation_names:
        operation, model = ours.operation_model(name), theirs.operation_model(name)
        assert (operation.method, operation.uri) == (model.http["method"], model.http["requestUri"])
        assert (operation.wire_name, operation.deprecated and service != "s3") == (
            model.wire_name,
            model.deprecated and service != "s3",
        )
        same(operation.input_shape, model.input_shape, seen_in)
        if name != "GetBucketLocation":
            same(operation.output_shape, model.output_shape, seen_out)
    assert {s.name: s.error_code for s in ours.error_shapes} == {s.name: s.error_code for s in theirs.error_shapes}


def test_bodies_that_stream() -> None:
    assert models.operation("s3", "PutObject").streams_in
    assert models.operation("s3", "UploadPart").streams_in
    assert not models.operation("s3", "DeleteObjects").streams_in
    assert not models.operation("lambda", "Invoke").streams_in


def test_what_is_not_there() -> None:
    for ask in (
        lambda: models.load("nobody"),
        lambda: models.operation("sts", "Dance"),
        lambda: models.load("sts").shape_for("Nothing"),
    ):
        with pytest.raises(NoSuchModel):
            ask()


def test_a_shape_that_is_no_error_has_no_code() -> None:
    assert models.load("sts").shape_for("AssumeRoleRequest").error_code is None
    assert repr(models.load("sts").shape_for("AssumeRoleRequest")) == "<Shape AssumeRoleRequest: structure>"
    assert repr(models.operation("sts", "AssumeRole")) == "<Operation sts.AssumeRole>"


def test_the_codec_does_not_load_the_client() -> None:
    """urllib3 and ssl would cost a server's start 0.2 s and 30 MB."""
    code = "import sys, cumulet.wire.route, cumulet.wire.parse, cumulet.wire.serialize, cumulet.wire.check; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"urllib3", "botocore.model", "botocore.session", "awscrt", "dateutil"}.isdisjoint(loaded)
