"""Standard MIDI Files: a strict reader and a writer of our own.

`read_midi` turns bytes into a `Score`, `write_midi` a score into bytes, `read_midi_report` says
more about a file, `read_many` reads many small ones in one go, `Limits` how large a file may be.
"""

from partimento.formats.midi.batches import read_many
from partimento.formats.midi.limits import Limits
from partimento.formats.midi.reader import MidiReading, read_midi, read_midi_report
from partimento.formats.midi.salvage import Repair
from partimento.formats.midi.writer import write_midi

__all__ = [
    "Limits",
    "MidiReading",
    "Repair",
    "read_many",
    "read_midi",
    "read_midi_report",
    "write_midi",
]
