# mypy: ignore-errors
"""The Python runtime of a function: asks for invocations, calls the handler, gives its answer.

Standard library only, Python 3.6 and newer. Runs inside the sandbox, as its first program. It speaks the Runtime API
over the Unix socket named by CUMULET_RUNTIME_SOCKET, else over TCP as AWS_LAMBDA_RUNTIME_API says. After each invocation
it prints one record separator and the request id, so that the reader knows that it has read all of the log before it
hands the answer on.
"""

import importlib
import json
import logging
import os
import sys
import time
import traceback

PREFIX = "/2018-06-01/runtime/"
HERE = os.path.abspath(__file__)


class Fault(Exception):
    """A failure that the runtime itself finds, with AWS's name and words."""

    def __init__(self, kind, words, trace=None):
        super().__init__(words)
        self.kind = kind
        self.words = words
        self.trace = trace or []


class CognitoIdentity(object):
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]

    def __init__(self, values=None):
        self.cognito_identity_id = (values or {}).get("cognitoIdentityId")
        self.cognito_identity_pool_id = (values or {}).get("cognitoIdentityPoolId")

    def __repr__(self):
        return "CognitoIdentity([cognito_identity_id={},cognito_identity_pool_id={}])".format(
            self.cognito_identity_id, self.cognito_identity_pool_id
        )


class Client(object):
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))


class ClientContext(object):
    __slots__ = ["custom", "env", "client"]

    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        self.client = Client(values["client"]) if values.get("client") else None


class LambdaContext(object):
    """What a handler is told beside its event."""

    def __init__(self, fields):
        self.aws_request_id = fields["lambda-runtime-aws-request-id"]
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = fields.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = None
        client_context = fields.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(client_context)) if client_context else None
        identity = fields.get("lambda-runtime-cognito-identity")
        self.identity = CognitoIdentity(json.loads(identity) if identity else None)
        self._epoch_deadline_time_in_ms = int(fields["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, msg):
        sys.stdout.write(str(msg))

    def __repr__(self):
        names = (
            "aws_request_id",
            "log_group_name",
            "log_stream_name",
            "function_name",
            "memory_limit_in_mb",
            "function_version",
            "invoked_function_arn",
            "client_context",
            "identity",
            "tenant_id",
        )
        return "LambdaContext([{}])".format(",".join("{}={}".format(name, getattr(self, name)) for name in names))


class Wire(object):
    """HTTP/1.1 on one kept connection: just what the Runtime API needs."""

    def __init__(self):
        path = os.environ.pop("CUMULET_RUNTIME_SOCKET", None)
        if path:
            import _socket  # what `socket` wraps: a cold start is two milliseconds shorter without

            self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
            self._socket.connect(path)
            self._host = "localhost"
        else:
            import socket

            self._host = os.environ["AWS_LAMBDA_RUNTIME_API"]
            name, _, port = self._host.partition(":")
            self._socket = socket.create_connection((name, int(port or 80)))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def post(self, path, body, kind=None):
        lines = ["POST {}{} HTTP/1.1".format(PREFIX, path), "Host: " + self._host]
        lines.append("Content-Type: application/json")
        if kind:
            lines.append("Lambda-Runtime-Function-Error-Type: " + kind)
        lines += ["Content-Length: {}".format(len(body)), "", ""]
        return "\r\n".join(lines).encode("latin-1", "replace") + body

    def get(self, path):
        return "GET {}{} HTTP/1.1\r\nHost: {}\r\n\r\n".format(PREFIX, path, self._host).encode("latin-1")

    def send(self, data):
        self._socket.sendall(data)

    def receive(self):
        """The header fields and the body of the next answer; ends the process when the server has gone."""
        buffer = self._buffer
        while b"\r\n\r\n" not in buffer:
            buffer += self._more()
        head, _, rest = buffer.partition(b"\r\n\r\n")
        fields = {}
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            fields[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
        length = int(fields.get("content-length", "0"))
        if len(rest) < length:
            parts, have = [rest], len(rest)
            while have < length:
                parts.append(self._more())
                have += len(parts[-1])
            rest = b"".join(parts)
        self._buffer = rest[length:]
        return fields, rest[:length]

    def _more(self):
        data = self._socket.recv(262144)
        if not data:
            os._exit(0)
        return data


class LogHandler(logging.Handler):
    """Root handler: one line per record, as AWS's runtime writes it."""

    def emit(self, record):
        sys.stdout.write(self.format(record).replace("\n", "\r") + "\n")


class RequestId(logging.Filter):
    """Adds `aws_request_id` to each record."""

    current = ""

    def filter(self, record):
        record.aws_request_id = RequestId.current
        return True


def set_up_logging():
    logging.Formatter.converter = time.gmtime
    handler = LogHandler()
    handler.setFormatter(
        logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )
    )
    handler.addFilter(RequestId())
    logging.getLogger().addHandler(handler)


def default(value):
    decimal = sys.modules.get("decimal")  # who made a Decimal has imported it
    if decimal and isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError("Object of type {} is not JSON serializable".format(type(value).__name__))


def marshal(value):
    if isinstance(value, bytes):
        return value
    try:
        return json.dumps(value, default=default, ensure_ascii=sys.version_info < (3, 12)).encode("utf-8")
    except Exception as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: {}".format(error))


def find_handler(name):
    """The handler `module.function`, or a function that raises the fault when it is called, as AWS's runtime does."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        return fault(Fault("Runtime.MalformedHandlerName", "Bad handler '{}': {}".format(name, error)))
    if module_name.split(".")[0] in sys.builtin_module_names:
        words = "Cannot use built-in module {} as a handler module".format(module_name)
        return fault(Fault("Runtime.BuiltInModuleConflict", words))
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        return fault(Fault("Runtime.ImportModuleError", "Unable to import module '{}': {}".format(module_name, error)))
    except SyntaxError as error:
        trace = ['  File "{}" Line {}\n    {}'.format(shown(error.filename or ""), error.lineno, error.text)]
        words = "Syntax error in module '{}': {}".format(module_name, error)
        return fault(Fault("Runtime.UserCodeSyntaxError", words, trace))
    try:
        return getattr(module, function_name)
    except AttributeError:
        words = "Handler '{}' missing on module '{}'".format(function_name, module_name)
        return fault(Fault("Runtime.HandlerNotFound", words, None))


def fault(problem):
    def raise_it(event, context):
        raise problem

    return raise_it


def shown(path):
    """Where there is no sandbox, the code does not lie at /var/task: show it as if it did."""
    root = os.environ.get("LAMBDA_TASK_ROOT", "/var/task").rstrip("/")
    for place in (root, os.path.realpath(root)):
        if place != "/var/task" and path.startswith(place + "/"):
            return "/var/task" + path[len(place) :]
    return path


def trace_of(error):
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        n for n, frame in enumerate(frames) if frame.filename == HERE or frame.filename.startswith("<frozen importlib")
    ]
    first = 0
    while first in own:
        first += 1
    if first < len(frames) and frames[first].filename.endswith(os.path.join("importlib", "__init__.py")):
        first += 1
        while first in own:
            first += 1
    return traceback.format_list([(shown(f.filename), f.lineno, f.name, f.line) for f in frames[first:]])


def error_of(error, request_id):
    if isinstance(error, Fault):
        kind, words, trace = error.kind, error.words, error.trace
    else:
        kind, words, trace = type(error).__name__, str(error), trace_of(error)
    return {"errorMessage": words, "errorType": kind, "requestId": request_id, "stackTrace": trace}


def log_error(problem):
    text = "[ERROR]"
    if problem["errorType"]:
        text += " " + problem["errorType"]
    if problem["errorMessage"]:
        text += ": " + problem["errorMessage"] if problem["errorType"] else " " + problem["errorMessage"]
    lines = [text]
    if problem["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        for entry in problem["stackTrace"]:
            lines += [line.replace("  ", "\u00a0\u00a0") if line.strip() else "" for line in entry.split("\n") if line]
    sys.stdout.write("\r".join(lines).replace("\n", "\r") + "\n")


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


def invoke(handler, fields, body):
    """Call the handler once: the path of the answer, its bytes, the kind of error or None."""
    context = LambdaContext(fields)
    request_id = RequestId.current = context.aws_request_id
    if "lambda-runtime-trace-id" in fields:
        os.environ["_X_AMZN_TRACE_ID"] = fields["lambda-runtime-trace-id"]
    try:
        try:
            event = json.loads(body.decode("utf-8"))
        except ValueError as error:
            raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: {}".format(error))
        return "response", marshal(handler(event, context)), None
    except Exception as error:
        problem = error_of(error, request_id)
        log_error(problem)
        return (
            "error",
            json.dumps(problem, ensure_ascii=sys.version_info < (3, 12)).encode("utf-8", "replace"),
            problem["errorType"],
        )


def set_up():
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace", line_buffering=True)
    if "site" not in sys.modules:  # started with -S, so that nothing of the machine's own packages is seen
        import site

        site.setquit()
    hidden = (os.path.dirname(HERE), "")
    paths = [path for path in sys.path if path not in hidden]
    sys.path[:] = [os.environ["LAMBDA_TASK_ROOT"]] + paths + ["/opt/python", os.environ["LAMBDA_RUNTIME_DIR"]]
    set_up_logging()


def main():
    wire = Wire()
    set_up()
    try:
        handler = find_handler(os.environ["_HANDLER"])
    except Exception as error:
        problem = error_of(error, "")
        log_error(problem)
        flush()
        wire.send(wire.post("init/error", json.dumps(problem).encode("utf-8", "replace"), problem["errorType"]))
        wire.receive()
        os._exit(1)
    ask = wire.get("invocation/next")
    wire.send(ask)
    while True:
        fields, body = wire.receive()
        request_id = fields["lambda-runtime-aws-request-id"]
        path, answer, kind = invoke(handler, fields, body)
        flush()
        try:
            os.write(1, b"\x1e" + request_id.encode("latin-1") + b"\n")
        except OSError:
            pass
        wire.send(wire.post("invocation/{}/{}".format(request_id, path), answer, kind) + ask)
        wire.receive()


if __name__ == "__main__":
    main()
