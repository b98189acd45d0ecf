"""A warm Python function through HTTP. moto runs functions in Docker, which this machine lacks: no peer here."""

import base64
import io
import json
import statistics
import sys
import time
import zipfile

from bench.driver import Client, lambda_request

CODE = "def handler(event, context):\n    return event\n"


async def warm(port: int, rounds: int = 300) -> float:
    """p50 of Invoke of a warm function, seconds."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", CODE)
    body = json.dumps(
        {
            "FunctionName": "warm", "Runtime": f"python{sys.version_info.major}.{sys.version_info.minor}",
            "Role": "arn:aws:iam::000000000000:role/bench", "Handler": "app.handler",
            "Code": {"ZipFile": base64.b64encode(buffer.getvalue()).decode()},
        }
    ).encode()  # fmt: skip
    client = await Client.open(port)
    status, answer = await client.send(lambda_request("POST", "/2015-03-31/functions", body))
    if status != 201:
        raise RuntimeError(answer)
    invoke = lambda_request("POST", "/2015-03-31/functions/warm/invocations", b'{"a": 1}')
    times = []
    for _ in range(rounds + 20):
        began = time.perf_counter()
        status, answer = await client.send(invoke)
        times.append(time.perf_counter() - began)
        if (status, json.loads(answer)) != (200, {"a": 1}):
            raise RuntimeError(answer)
    client.close()
    return statistics.median(times[20:])
