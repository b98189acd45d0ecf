"""Deploys the machine and its functions by boto3, on Cumulet or on AWS, and runs it.

    python deploy.py                      deploy, or bring up to date
    python deploy.py SOURCE DESTINATION   deploy, then run and wait for the end

Point it at Cumulet with AWS_ENDPOINT_URL=http://127.0.0.1:4566 (and any credentials).
WARNING: a run deletes every object of DESTINATION that SOURCE does not have.
"""

import io
import json
import string
import sys
import time
import zipfile
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

HERE = Path(__file__).parent
NAME = "bucket-sync"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
TIMEOUTS = {"copy_keys": 300, "delete_orphans": 300, "list_keys": 60}
POLICIES = {
    f"{NAME}-functions": (
        "lambda.amazonaws.com",
        ["service-role/AWSLambdaBasicExecutionRole", "AmazonS3FullAccess"],
    ),
    f"{NAME}-machine": ("states.amazonaws.com", ["service-role/AWSLambdaRole"]),
}


def deploy(session: boto3.Session) -> str:
    """Create or update roles, functions and the machine; the answer is the machine's ARN."""
    roles = {name: ensure_role(session.client("iam"), name, *POLICIES[name]) for name in POLICIES}
    functions = {
        path.stem: ensure_function(session.client("lambda"), path, roles[f"{NAME}-functions"])
        for path in sorted(HERE.glob("functions/*.py"))
    }
    definition = string.Template((HERE / "machine.asl.json").read_text()).safe_substitute(functions)
    return ensure_machine(session.client("stepfunctions"), definition, roles[f"{NAME}-machine"])


def ensure_role(iam, name: str, service: str, policies: list[str]) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    try:
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    for policy in policies:
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    return arn


def ensure_function(lambda_, path: Path, role: str) -> str:
    name = f"{NAME}-{path.stem.replace('_', '-')}"
    code = zipped(path)
    try:
        arn = lambda_.create_function(
            FunctionName=name, Runtime=RUNTIME, Role=role, Handler=f"{path.stem}.handler",
            Code={"ZipFile": code}, Timeout=TIMEOUTS.get(path.stem, 10), MemorySize=256,
        )["FunctionArn"]  # fmt: skip
    except lambda_.exceptions.ResourceConflictException:
        arn = lambda_.update_function_code(FunctionName=name, ZipFile=code)["FunctionArn"]
        lambda_.get_waiter("function_updated_v2").wait(FunctionName=name)
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
    return arn


def zipped(path: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(path.name, (2026, 1, 1, 0, 0, 0)), path.read_text())
    return buffer.getvalue()


def ensure_machine(states, definition: str, role: str) -> str:
    try:
        return states.create_state_machine(name=NAME, definition=definition, roleArn=role)["stateMachineArn"]
    except states.exceptions.StateMachineAlreadyExists:
        pages = states.get_paginator("list_state_machines").paginate()
        arn = next(item["stateMachineArn"] for page in pages for item in page["stateMachines"] if item["name"] == NAME)
        states.update_state_machine(stateMachineArn=arn, definition=definition, roleArn=role)
        return arn


def run(session: boto3.Session, machine: str, job: dict, *, patience: float = 1800) -> dict:
    """Run the machine with `job` as its input and wait for the end; the answer is DescribeExecution's."""
    states = session.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=machine, input=json.dumps(job))["executionArn"]
    return wait(states, execution, patience=patience)


def wait(states, execution: str, *, patience: float = 1800) -> dict:
    deadline = time.monotonic() + patience
    while True:
        found = states.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(execution)
        time.sleep(0.2)


def counts(states, execution: str) -> dict[str, int]:
    """How many objects an execution copied and deleted, read from its history."""
    total = {"copied": 0, "deleted": 0}
    for page in states.get_paginator("get_execution_history").paginate(executionArn=execution):
        for event in page["events"]:
            output = event.get("lambdaFunctionSucceededEventDetails", {}).get("output", "null")
            result = json.loads(output)
            if isinstance(result, dict):
                for name in total.keys() & result.keys():
                    total[name] += result[name]
    return total


def main() -> int:
    session = boto3.Session()
    try:
        machine = deploy(session)
        print(machine)
        if len(sys.argv) == 3:
            found = run(session, machine, {"source": sys.argv[1], "destination": sys.argv[2]})
            told = counts(session.client("stepfunctions"), found["executionArn"])
            print(found["status"], found.get("error", ""), told)
            return 0 if found["status"] == "SUCCEEDED" else 1
    except ClientError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
