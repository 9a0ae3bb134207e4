"""What the rig file says about a trigger box."""

from pydantic import BaseModel, Field, field_validator, model_validator


class TriggerBoxConfig(BaseModel, frozen=True, extra="forbid"):
    """How a box is reached, and its language.

    The default is a microcontroller that a laboratory programs in ten lines: ``1``
    raises the line, ``0`` lowers it, ``?`` asks; the answer to each is the level the
    line now has, ``1`` or ``0``.
    """

    path: str = ""
    """Serial port, such as ``/dev/ttyACM0``. Empty: the box is reached over TCP."""

    baud: int = Field(default=115200, ge=1200)
    """Speed of the serial port; a box on USB takes any."""

    host: str = "127.0.0.1"
    """Without `path`: computer or serial device server that passes the bytes on."""

    port: int = Field(default=5331, ge=1, le=65535)
    """Its raw TCP port."""

    serial: str = "0"
    """Serial number of the box; part of the stream's source id."""

    raise_text: str = "1"
    """Sent to raise the line."""

    lower_text: str = "0"
    """Sent to lower the line."""

    ask_text: str = "?"
    """Sent to ask for the level."""

    answers: bool = True
    """Whether the box answers with the level. Without answers nothing proves that the
    box is there or that the line has moved: only the instruments' own records do."""

    high_answer: str = "1"
    """Answer that says the line is high."""

    low_answer: str = "0"
    """Answer that says the line is low."""

    answer_timeout_s: float = Field(default=0.2, gt=0, le=0.25)
    """An answer that takes longer is missing. It is short: the runner waits for it."""

    ready_s: float = Field(default=0.0, ge=0, le=10)
    """How long the box takes after its port is opened; some boards start anew then
    (2 s)."""

    @field_validator("raise_text", "lower_text", "ask_text")
    @classmethod
    def _says_something(cls, text: str) -> str:
        text.encode("latin-1")
        if not text:
            raise ValueError("is empty: the box would not be told anything")
        return text

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> "TriggerBoxConfig":
        if self.raise_text == self.lower_text:
            raise ValueError("raise_text and lower_text are the same")
        if self.answers and not (self.high_answer and self.low_answer):
            raise ValueError(
                "answers are expected, but high_answer or low_answer empty"
            )
        if self.answers and self.high_answer == self.low_answer:
            raise ValueError("high_answer and low_answer are the same")
        return self
