"""The service models that botocore ships, as small frozen views: what may be said to a service and how it answers.

botocore's own `model` module is not imported: it pulls in urllib3, ssl and awscrt (0.2 s and 30 MB), and we need
only the data files. A model is read at its first use (1 to 15 ms, documentation thrown away) and kept; shapes and
operations are made when they are asked for. Attributes are named as botocore's `model` names them. What AWS's
models leave out stands in `patches`.
"""

import gzip
import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import botocore
import orjson

from cumulet.base.errors import CumuletError
from cumulet.wire.patches import patch

type Protocol = Literal["json", "query", "ec2", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"]
type Raw = dict[str, Any]

DATA = Path(botocore.__file__).parent / "data"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


class NoSuchModel(CumuletError):
    """No model of this service, operation or shape."""


class Shape:
    """A shape as it is referred to in one place: its own traits and those of the reference."""

    __slots__ = ("_model", "_parts", "name", "traits", "type_name")

    def __init__(self, model: "ServiceModel", name: str, traits: Raw) -> None:
        self._model = model
        self._parts: dict[str, Shape] | None = None
        self.name = name
        self.type_name: str = traits["type"]
        self.traits = traits

    def __repr__(self) -> str:
        return f"<Shape {self.name}: {self.type_name}>"

    @property
    def members(self) -> Mapping[str, "Shape"]:
        """A structure's members, in the model's order."""
        if self._parts is None:
            refs: dict[str, Raw] = self.traits.get("members", {})
            self._parts = {name: self._model.resolve(ref) for name, ref in refs.items()}
        return self._parts

    @property
    def member(self) -> "Shape":
        """What a list is a list of."""
        return self._part("member")

    @property
    def key(self) -> "Shape":
        return self._part("key")

    @property
    def value(self) -> "Shape":
        return self._part("value")

    def _part(self, role: str) -> "Shape":
        if self._parts is None:
            self._parts = {}
        if role not in self._parts:
            self._parts[role] = self._model.resolve(self.traits[role])
        return self._parts[role]

    @property
    def wire(self) -> str | None:
        """Its name on the wire where that is told (`locationName`)."""
        name: str | None = self.traits.get("locationName")
        return name

    @property
    def location(self) -> str | None:
        """Where it travels if not in the body: header, headers, uri, querystring, statusCode."""
        place: str | None = self.traits.get("location")
        return place

    @property
    def required_members(self) -> list[str]:
        names: list[str] = self.traits.get("required", [])
        return names

    @property
    def enum(self) -> list[str]:
        values: list[str] = self.traits.get("enum", [])
        return values

    @property
    def error_code(self) -> str | None:
        """The code that clients see, if this is an error."""
        if not self.traits.get("exception"):
            return None
        code: str = self.traits.get("error", {}).get("code", self.name)
        return code

    @property
    def flattened(self) -> bool:
        return bool(self.traits.get("flattened"))

    @property
    def document(self) -> bool:
        """Whether it is a document: any JSON value."""
        return bool(self.traits.get("document"))

    @property
    def payload(self) -> "Shape | None":
        """The member that is the whole body, if one is."""
        name = self.traits.get("payload")
        return self.members[name] if name else None

    @property
    def eventstream(self) -> bool:
        return bool(self.traits.get("eventstream"))

    @property
    def streaming(self) -> bool:
        """Whether it is a blob that arrives or leaves in pieces."""
        return self.type_name == "blob" and bool(self.traits.get("streaming"))


class Operation:
    """One operation of a service."""

    def __init__(self, service: "ServiceModel", name: str, raw: Raw) -> None:
        self.service = service
        self.name = name
        self.raw = raw
        http: Raw = raw.get("http", {})
        self.method: str = http.get("method", "POST")
        self.uri: str = http.get("requestUri", "/")
        self.status: int = http.get("responseCode", 200)

    def __repr__(self) -> str:
        return f"<Operation {self.service.name}.{self.name}>"

    @cached_property
    def input_shape(self) -> Shape | None:
        return self.service.resolve(self.raw["input"]) if "input" in self.raw else None

    @cached_property
    def output_shape(self) -> Shape | None:
        return self.service.resolve(self.raw["output"]) if "output" in self.raw else None

    @cached_property
    def streams_in(self) -> bool:
        """Whether the request's body is a streaming blob: the gate then leaves it unread."""
        payload = self.input_shape.payload if self.input_shape else None
        return payload is not None and payload.streaming

    @property
    def deprecated(self) -> bool:
        return bool(self.raw.get("deprecated"))

    @cached_property
    def wire_name(self) -> str:
        """Its name in AWS's own words, where the SDKs renamed it."""
        name: str = self.raw.get("name", self.name)
        return name


class ServiceModel:
    """A service: its metadata, operations and shapes."""

    def __init__(self, raw: Raw, name: str = "") -> None:
        self.metadata: Raw = raw.get("metadata", {})
        self.name = name or self.metadata.get("endpointPrefix", "")
        self._operations: dict[str, Raw] = raw.get("operations", {})
        self._shapes: dict[str, Raw] = raw.get("shapes", {})
        self._made: dict[str, Operation] = {}
        self._plain: dict[str, Shape] = {}

    @cached_property
    def operation_names(self) -> frozenset[str]:
        return frozenset(self._operations)

    @cached_property
    def protocols(self) -> tuple[Protocol, ...]:
        """Those it speaks, its own choice first."""
        first = self.metadata["protocol"]
        return (first, *(name for name in self.metadata.get("protocols", ()) if name != first))

    @property
    def target_prefix(self) -> str:
        prefix: str = self.metadata.get("targetPrefix", "")
        return prefix

    @property
    def namespace(self) -> str:
        """The XML namespace of its answers."""
        found: str = self.metadata.get("xmlNamespace", "")
        return found

    def operation_model(self, name: str) -> Operation:
        """Raises `NoSuchModel`."""
        made = self._made.get(name)
        if made is None:
            if name not in self._operations:
                raise NoSuchModel(f"{self.name} has no operation {name}")
            made = self._made[name] = Operation(self, name, self._operations[name])
        return made

    def shape_for(self, name: str) -> Shape:
        """The shape as it is defined. Raises `NoSuchModel`."""
        made = self._plain.get(name)
        if made is None:
            if name not in self._shapes:
                raise NoSuchModel(f"{self.name} has no shape {name}")
            made = self._plain[name] = Shape(self, name, self._shapes[name])
        return made

    def resolve(self, ref: Raw) -> Shape:
        """The shape that a reference names, with the reference's traits over its own."""
        plain = self.shape_for(ref["shape"])
        if len(ref) == 1:
            return plain
        return Shape(self, plain.name, {**plain.traits, **ref})

    @cached_property
    def error_shapes(self) -> list[Shape]:
        return [self.shape_for(name) for name, raw in self._shapes.items() if raw.get("exception")]

    @cached_property
    def errors(self) -> Mapping[str, Shape]:
        """Modelled errors, by their shape's name and by the code that clients see."""
        return {s.error_code or s.name: s for s in self.error_shapes} | {s.name: s for s in self.error_shapes}


@cache
def load(service: str) -> ServiceModel:
    """The model of `service`, by botocore's name of it ("stepfunctions"). Raises `NoSuchModel`."""
    raw: Raw = orjson.loads(gzip.decompress(find(service).read_bytes()))
    _strip(raw)
    patch(service, raw)
    return ServiceModel(raw, service)


def operation(service: str, name: str) -> Operation:
    return load(service).operation_model(name)


def find(service: str) -> Path:
    """The newest model file of a service."""
    folder = DATA / service
    if not _NAME.fullmatch(service) or not folder.is_dir():
        raise NoSuchModel(f"no service {service}")
    return max(folder.iterdir()) / "service-2.json.gz"


def _strip(raw: Raw) -> None:
    """Drop the documentation: most of a model, and nothing here reads it."""
    for item in raw["operations"].values():
        item.pop("documentation", None)
    for shape in raw["shapes"].values():
        shape.pop("documentation", None)
        for ref in shape.get("members", {}).values():
            ref.pop("documentation", None)
