"""Pass: hands its input on, or injects `Result` or `Parameters`."""

from dataclasses import dataclass

from cumulet.asl.burst import Burst
from cumulet.asl.data.template import Template
from cumulet.asl.fields import Fields
from cumulet.asl.frames import Point
from cumulet.asl.program import WHOLE, Constant, Target
from cumulet.asl.states.mapping import Producer, given


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(Producer):
    result: Constant | None
    parameters: Template | None
    plain: bool
    """Nothing happens to the data at all."""

    def run(self, burst: Burst, point: Point) -> Target:
        if self.plain:
            return burst.leave(point, self, burst.text(point), point.value)
        if self.result is not None:
            return self.produce(burst, point, self.result.value, None, self.name)
        if self.input_path is None and self.parameters is None:
            burst.value(point)
            return self.produce(burst, point, point.value, point.text, self.name)
        value = given(burst, point, self)
        if self.parameters is not None:
            value = self.parameters.render(burst.scope(point, self, value))
        return self.produce(burst, point, value, None, self.name)


def parse(fields: Fields) -> Pass:
    shared = fields.shared()
    result = Constant(fields.raw["Result"]) if "Result" in fields else None
    parameters = fields.template("Parameters")
    path = fields.result_path()
    return Pass(
        **shared,
        result=result,
        parameters=parameters,
        result_path=path,
        plain=path is WHOLE
        and not (result or parameters or shared["assign"])
        and shared["input_path"] is shared["output_path"] is None,
    )
