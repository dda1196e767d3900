"""Every exception partimento raises on purpose, and the exit code each becomes.

All descend from `PartimentoError`, so a program can catch the family and the command line can
print it on one line. A message says what was found, where, what was expected and what to do.
"""

EXIT_DONE = 0
EXIT_REFUSED = 2  # the input or the usage is at fault
EXIT_PARTLY = 3  # some of several inputs were refused, the others are done
EXIT_ENVIRONMENT = 4  # disk, lock, port, missing extra
EXIT_INTERRUPTED = 130  # Ctrl-C, as shells count it


class PartimentoError(Exception):
    """Base of all our errors: one line that says what to do next."""

    exit_code = EXIT_REFUSED


class ParameterError(PartimentoError, ValueError):
    """A setting is outside what it may be."""


class MusicError(PartimentoError, ValueError):
    """Notes, meters or tempi that cannot be music: a negative length, a pitch above 127."""


class PitchRangeError(MusicError):
    """A note would leave the pitches 0-127."""


class NotationError(PartimentoError, ValueError):
    """Notes as text or as lists that cannot be read; the message names the position."""


class FormatError(PartimentoError, ValueError):
    """A file is not what its format says it must be."""


class MidiError(FormatError):
    """A MIDI file that is refused; ``offset`` is the byte where it went wrong."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


class LimitError(FormatError):
    """A file is larger than a limit that can be raised by name."""

    def __init__(self, message: str, limit: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.limit = limit
        self.offset = offset


class VocabularyError(PartimentoError, ValueError):
    """Music that a representation has no token for."""


class DataError(PartimentoError):
    """A data set, folder or split that cannot be used."""


class CheckpointError(PartimentoError):
    """A checkpoint folder that is damaged, unsafe, unknown or of another version."""


class VerbError(PartimentoError):
    """A model was asked for something its family cannot do."""


class GenerationError(PartimentoError):
    """No music came out that fits what was asked."""


class TrainingError(PartimentoError):
    """Training cannot start or go on."""


class EnvironmentFault(PartimentoError):  # noqa: N818 (EnvironmentError is Python's OSError)
    """The machine is at fault, not the input: no space, no permission, a missing extra."""

    exit_code = EXIT_ENVIRONMENT
