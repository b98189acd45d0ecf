"""Points of control: the working copy of a frame during one burst, and its form as a JSON object.

A frame is one of three things, each its own row:

- a **point** of control: where it stands (`flow`, `state`, `phase`), its `input` as JSON text, the event it came from
  (`last`), retry counts, the token of its open task, names of its open timers, its `parent` and `index`;
- the **bulk** of a forked point (`input`, `items`, `effective`): written once, so that counting children costs little;
- a **page** of results (`results`: pairs of index and JSON text, and the `page` before it): the outputs of children
  that ended in one burst. One child's end writes its page and its parent's counters, however many children there are.
"""

from enum import Enum
from typing import Any, Final

from cumulet.asl.program import Flow
from cumulet.base.step import Frame


class Absent(Enum):
    """No value yet: it has not been parsed from its text."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

READY = "ready"
"""About to enter `state`."""
TASK = "task"
WAIT = "wait"
RETRY = "retry"
FORK = "fork"


class Fork:
    """The children of a point that is in a Parallel or Map state. Mutable, lives for one burst."""

    __slots__ = (
        "bulk",
        "done",
        "effective",
        "items",
        "length",
        "live",
        "next",
        "page",
        "results",
        "spare",
        "text",
        "width",
    )

    def __init__(self, length: int, width: int) -> None:
        self.length = length
        self.width = width
        """How many children may live at a time."""
        self.next = 0
        self.done = 0
        self.live: list[int] = []
        self.page: int | None = None
        self.bulk: int | None = None
        self.results: list[tuple[int, str]] = []
        """Outputs that ended in this burst; not yet in a page."""
        self.spare: int | None = None
        """The frame of a child that ended in this burst: it may become the page."""
        self.items: list[Any] | None = None
        self.effective: Any = ABSENT
        self.text = ""
        """The input of all branches, while they are made."""

    @classmethod
    def load(cls, saved: dict[str, Any]) -> "Fork":
        fork = cls(saved["length"], saved["width"])
        fork.next = saved["next"]
        fork.done = saved["done"]
        fork.live = list(saved["live"])
        fork.page = saved.get("page")
        fork.bulk = saved.get("bulk")
        return fork

    def dump(self) -> dict[str, Any]:
        saved: dict[str, Any] = {
            "length": self.length,
            "width": self.width,
            "next": self.next,
            "done": self.done,
            "live": self.live,
        }
        if self.page is not None:
            saved["page"] = self.page
        if self.bulk is not None:
            saved["bulk"] = self.bulk
        return saved


class Point:
    """One point of control. Mutable, lives for one burst; `text` and `value` are the input of its state."""

    __slots__ = (
        "at",
        "entered",
        "flow",
        "fork",
        "id",
        "index",
        "item",
        "last",
        "parent",
        "phase",
        "retries",
        "state",
        "text",
        "timers",
        "token",
        "value",
        "variables",
    )

    def __init__(self, number: int, flow: Flow, text: str | None, last: int, parent: int | None = None) -> None:
        self.id = number
        self.flow = flow
        self.state = flow.start
        self.phase = READY
        self.text = text
        self.value: Any = ABSENT
        self.last = last
        self.entered = 0
        self.at = 0
        """When the state was entered, microseconds."""
        self.parent = parent
        self.index = 0
        self.item: Any = ABSENT
        """The item of a Map's iteration, kept where the program asks for it."""
        self.variables: dict[str, Any] = {}
        self.retries: dict[str, int] = {}
        """How often each Retrier has been used, by its number, since the state was entered."""
        self.token: str | None = None
        self.timers: tuple[str, ...] = ()
        self.fork: Fork | None = None

    @classmethod
    def load(cls, number: int, frame: Frame, flows: tuple[Flow, ...]) -> "Point":
        point = cls(number, flows[frame["flow"]], frame.get("input"), frame["last"], frame.get("parent"))
        point.state = frame["state"]
        point.phase = frame["phase"]
        point.entered = frame.get("entered", 0)
        point.at = frame.get("at", 0)
        point.index = frame.get("index", 0)
        point.item = frame.get("item", ABSENT)
        point.variables = frame.get("variables", {})
        point.retries = frame.get("retries", {})
        point.token = frame.get("token")
        point.timers = tuple(frame.get("timers", ()))
        if "fork" in frame:
            point.fork = Fork.load(frame["fork"])
        return point

    def dump(self) -> Frame:
        """The frame: what is absent or empty is left out."""
        frame: Frame = {"flow": self.flow.id, "state": self.state, "phase": self.phase, "last": self.last}
        if self.phase is not READY:
            frame["entered"] = self.entered
            frame["at"] = self.at
        if self.fork is not None:
            frame["fork"] = self.fork.dump()
        if self.text is not None and (self.fork is None or self.fork.bulk is None):
            frame["input"] = self.text
        if self.parent is not None:
            frame["parent"] = self.parent
            frame["index"] = self.index
        if self.item is not ABSENT:
            frame["item"] = self.item
        for name in ("variables", "retries", "token", "timers"):
            if saved := getattr(self, name):
                frame[name] = saved
        return frame
