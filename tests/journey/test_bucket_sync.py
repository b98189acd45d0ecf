"""The first journey, for real: through the socket, with functions in their sandboxes, and a server that is killed.

Promises M1 to M20 of shared/spec/bucket-sync.md, by the example in examples/bucket-sync.
"""

import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.real_server import RealServer, running

pytestmark = pytest.mark.real

EXAMPLE = Path(__file__).parents[2] / "examples" / "bucket-sync"
OBJECTS = 5000
PATIENCE = 600


def load_deploy() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bucket_sync_deploy", EXAMPLE / "deploy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


deploy = load_deploy()


def wanted(number: int) -> dict[str, Any]:
    """Object `number` of the source: sizes from nothing to 300 kB, metadata of every kind."""
    size = 300_000 if number % 500 == 7 else (number * 37) % 4000
    made: dict[str, Any] = {
        "Key": f"{number % 13:02}/object {number:05} ü+&.bin",
        "Body": (f"{number}-".encode() * (size // 3 + 1))[:size],
        "ContentType": ("text/plain", "image/png", "application/json")[number % 3],
        "Metadata": {"number": str(number), "kind": "even" if number % 2 == 0 else "odd"},
    }
    if number % 7 == 0:
        made |= {"CacheControl": "max-age=60", "ContentLanguage": "de", "ContentDisposition": "attachment"}
    if number % 11 == 0:
        made["WebsiteRedirectLocation"] = f"/moved/{number}"
    return made


def each(work: Any, items: Any) -> list[Any]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(work, items))


def fill(s3: Any, source: str, destination: str, count: int) -> None:
    """`count` objects in the source; changed, missing and orphaned ones in the destination."""
    for bucket in (source, destination):
        s3.create_bucket(Bucket=bucket)
    each(lambda number: s3.put_object(Bucket=source, **wanted(number)), range(count))
    for number in range(0, count, 50):
        s3.put_object(Bucket=destination, **{**wanted(number), "Body": b"changed"})
    for number in range(1, count, 50):
        s3.put_object(Bucket=destination, **{**wanted(number), "Metadata": {"number": "other"}})
    for number in range(0, count, 60):
        s3.put_object(Bucket=destination, Key=f"orphan/{number}", Body=b"no source")


def keys_of(s3: Any, bucket: str) -> set[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


def check_equal(s3: Any, destination: str, count: int) -> None:
    """Key by key: body, content type, user metadata, headers, redirect."""
    objects = {wanted(number)["Key"]: number for number in range(count)}
    assert keys_of(s3, destination) == set(objects)

    def differs(number: int) -> dict[str, Any]:
        made = wanted(number)
        found = s3.get_object(Bucket=destination, Key=made["Key"])
        found["Body"] = found["Body"].read()
        same = [name for name in made if name != "Key"]
        return {name: (made[name], found.get(name)) for name in same if made[name] != found.get(name)}

    assert [found for found in each(differs, range(count)) if found] == []


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with running(tmp_path) as started:
        yield started


def sync(server: RealServer, machine: str, **job: Any) -> tuple[dict[str, Any], dict[str, int]]:
    found = deploy.run(server.session(), machine, job, patience=PATIENCE)
    return found, deploy.counts(server.client("stepfunctions"), found["executionArn"])


def test_five_thousand_objects_are_brought_in_step_and_then_nothing_is_copied(server: RealServer) -> None:
    s3 = server.client("s3")
    fill(s3, "source", "destination", OBJECTS)
    machine = deploy.deploy(server.session())
    found, told = sync(server, machine, source="source", destination="destination")
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", [{}, {}])
    assert told["deleted"] == len(range(0, OBJECTS, 60))
    assert told["copied"] == OBJECTS
    check_equal(s3, "destination", OBJECTS)
    assert len(keys_of(s3, "source")) == OBJECTS

    again, second = sync(server, machine, source="source", destination="destination")
    assert again["status"] == "SUCCEEDED"
    assert second == {"copied": 0, "deleted": 0}


def test_buckets_in_different_regions_end_in_the_named_failure(server: RealServer) -> None:
    server.client("s3").create_bucket(Bucket="here")
    server.client("s3", region_name="eu-west-1").create_bucket(
        Bucket="there", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    machine = deploy.deploy(server.session())
    found, told = sync(server, machine, source="here", destination="there")
    assert (found["status"], found["error"]) == ("FAILED", "BucketRegionsNotEqualError")
    assert told == {"copied": 0, "deleted": 0}


def test_a_killed_server_goes_on_with_the_same_execution(server: RealServer) -> None:
    count = 1000
    s3, states = server.client("s3"), server.client("stepfunctions")
    fill(s3, "source", "destination", count)
    machine = deploy.deploy(server.session())
    job = json.dumps({"source": "source", "destination": "destination", "maxKeys": 200})
    execution = states.start_execution(stateMachineArn=machine, input=job)["executionArn"]
    before: list[dict[str, Any]] = []
    while deploy.counts(states, execution)["copied"] == 0:
        before = states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    server.kill()
    server.start()
    found = deploy.wait(states, execution, patience=PATIENCE)
    assert found["status"] == "SUCCEEDED"
    check_equal(s3, "destination", count)
    after = [
        event
        for page in states.get_paginator("get_execution_history").paginate(executionArn=execution)
        for event in page["events"]
    ]
    assert after[: len(before)] == before
    assert [event["id"] for event in after] == list(range(1, len(after) + 1))


def test_a_prefix_and_small_pages(server: RealServer) -> None:
    s3 = server.client("s3")
    fill(s3, "source", "destination", 120)
    machine = deploy.deploy(server.session())
    found, _ = sync(server, machine, source="source", destination="destination", prefix="05/", maxKeys=3)
    assert found["status"] == "SUCCEEDED"
    only = {key for key in keys_of(s3, "source") if key.startswith("05/")}
    there = keys_of(s3, "destination")
    assert {key for key in there if key.startswith("05/")} == only
    assert any(key.startswith("orphan/") for key in there)
