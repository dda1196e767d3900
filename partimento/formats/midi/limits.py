"""`Limits`: how large a strange file may be, in numbers that can be raised by name."""

from dataclasses import dataclass, fields
from typing import NoReturn

from partimento.errors import LimitError, ParameterError
from partimento.music.notes import MAX_TICK


@dataclass(frozen=True)
class Limits:
    """What a music file may hold; beyond it reading stops with a `LimitError`.

    With the defaults any MIDI file is read or refused within 5 seconds and 300 MB. Raise one by
    name: ``read_midi(data, limits=Limits(max_notes=5_000_000))``.

    Attributes
    ----------
    max_bytes : int
        Size of the file.
    max_text_bytes : int
        Size of a file of text, MusicXML or ABC; unpacked, where it is packed.
    max_tracks : int
        Tracks in the file.
    max_ticks : int
        All ticks must be below it; a `Score` holds ticks below 2**31, so it cannot be higher.
    max_notes : int
        Note starts in all tracks; note ends may be as many.
    max_parts : int
        Channels and programs that play, counted in each track.
    max_controls : int
        Controller moves and pitch bends, counted in every part that gets them.
    max_changes : int
        Tempos, meters and key signatures together.
    max_texts : int
        Names, lyrics, markers and other texts together.
    max_text_characters : int
        A longer text is cut, not refused.
    max_repairs : int
        Places that `salvage` mends before it gives up.
    """

    max_bytes: int = 2**24
    max_text_bytes: int = 2**26
    max_tracks: int = 4096
    max_ticks: int = 2**31
    max_notes: int = 1_000_000
    max_parts: int = 8192
    max_controls: int = 500_000
    max_changes: int = 50_000
    max_texts: int = 50_000
    max_text_characters: int = 200
    max_repairs: int = 1000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ParameterError(f"limit {field.name} must be a whole number, got {value!r}")
        if self.max_ticks > MAX_TICK + 1:
            raise ParameterError(
                f"limit max_ticks is {self.max_ticks}: a Score holds ticks below {MAX_TICK + 1}"
            )

    def refuse(self, name: str, found: str, offset: int | None = None) -> NoReturn:
        """Raise the `LimitError` that names a limit and the way to raise it."""
        where = "" if offset is None else f"byte {offset}: "
        limit = getattr(self, name)
        way = "it can only be lowered" if name == "max_ticks" else f"raise it: Limits({name}=...)"
        raise LimitError(f"{where}{found}; the limit {name} is {limit:,} ({way})", name, offset)


USUAL_LIMITS = Limits()
