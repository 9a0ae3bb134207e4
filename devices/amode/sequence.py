"""Sequence numbers of frames: what is missing, twice there, late, or started anew."""

from dataclasses import dataclass, field

from devices.amode.wire import Frame
from devices.stream import Notice

SEQ_MODULUS = 2**32
LATE_FRAMES = 4096  #: a refilled frame so far back is late; any other, a restart
GAP_FRAMES = 2**24  #: a number so far ahead is a restart


@dataclass(slots=True)
class Numbers:
    """Sorts frames into runs without a gap; tells what it sees as notices."""

    last: int | None = None
    notices: list[Notice] = field(default_factory=list)

    def runs(self, frames: list[Frame]) -> list[list[Frame]]:
        """Return the frames to publish, cut where frames are missing."""
        found: list[list[Frame]] = []
        for frame in frames:
            ahead = 1 if self.last is None else (frame.seq - self.last) % SEQ_MODULUS
            late = frame.refilled and ahead > SEQ_MODULUS - LATE_FRAMES
            if ahead == 0 or late:
                self._refuse(frame, ahead)
                continue
            if ahead > 1:
                self._tell_gap(frame, ahead)
            if ahead == 1 and found:
                found[-1].append(frame)
            else:
                found.append([frame])
            self.last = frame.seq
        return found

    def _refuse(self, frame: Frame, ahead: int) -> None:
        code = "duplicate" if ahead == 0 else "late"
        what = "came twice" if ahead == 0 else "came after its successors"
        message = f"A-mode frame {frame.seq} {what}; not recorded"
        self.notices.append(Notice("warning", code, message, {"seq": frame.seq}))

    def _tell_gap(self, frame: Frame, ahead: int) -> None:
        if ahead > GAP_FRAMES or self.last is None:
            message = f"A-mode sequence starts anew: {frame.seq} after {self.last}"
            data = {"seq": frame.seq, "last": self.last}
            self.notices.append(Notice("warning", "restart", message, data))
            return
        n_missing, first = ahead - 1, (self.last + 1) % SEQ_MODULUS
        message = f"{n_missing} A-mode frames missing from {first} on"
        data = {"n_missing": n_missing, "first_missing": first}
        self.notices.append(Notice("warning", "gap", message, data))
