"""Music nobody thought of: hypothesis strategies that every test folder shares.

Start with `melodies` (one voice on a grid) or `scores` (whole pieces with everything a `Score`
can hold). In a test: ``from strategies import melodies, scores``.
"""

import string

import numpy as np
from hypothesis import strategies as st

from partimento.music.notes import Notes
from partimento.music.score import PITCH_BEND, Control, Key, Meter, Part, Score, Tempo, Text

DIVISIONS = (24, 96, 120, 384, 480, 960)
USUAL_WORDS = ("", "a", "la", "Piano", "Größe", "音", "two words")
METERS = ((4, 4), (3, 4), (2, 4), (6, 8), (2, 2), (5, 8), (9, 8), (12, 8), (7, 16))


@st.composite
def melodies(
    draw,
    *,
    ticks_per_quarter=480,
    steps_per_quarter=4,
    lowest=48,
    highest=83,
    min_notes=0,
    max_notes=24,
    with_rests=True,
    with_velocities=False,
):
    """One voice as `Notes`: no two notes sound at once, all onsets and offsets on the grid.

    The defaults are what `MelodyRepresentation()` holds without loss. Ask for
    `with_velocities` where a velocity other than 80 should survive too.
    """
    count = draw(st.integers(min_notes, max_notes))
    ticks_per_step, rest = divmod(ticks_per_quarter, steps_per_quarter)
    assert rest == 0, "the grid must be whole ticks"

    def column(low, high):
        return np.array(draw(st.lists(st.integers(low, high), min_size=count, max_size=count)), int)

    lengths = column(1, 2 * steps_per_quarter)
    gaps = column(0, steps_per_quarter) * column(0, 1) if with_rests else np.zeros(count, int)
    onset = np.cumsum(gaps + np.append(0, lengths)[:count])
    return Notes(
        onset=onset * ticks_per_step,
        duration=lengths * ticks_per_step,
        pitch=column(lowest, highest),
        velocity=column(1, 127) if with_velocities else None,
    )


@st.composite
def polyphonic_notes(draw, *, max_notes=20, max_tick=4000, with_overlaps=False):
    """Notes anywhere, chords and all; a pitch never sounds twice at once unless asked for.

    Without overlaps a table survives the road through a MIDI file, where a note-off names only
    its pitch.
    """
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, max_tick),  # onset
                st.integers(1, 1000),  # duration
                st.integers(0, 127),  # pitch
                st.integers(1, 127),  # velocity
            ),
            max_size=max_notes,
        )
    )
    if not with_overlaps:
        rows = _without_overlaps(rows)
    columns = [np.array([row[i] for row in rows], dtype=int) for i in range(4)]
    return Notes(*columns)


@st.composite
def parts(draw, *, max_notes=20, with_overlaps=False, with_controls=True, with_lyrics=True):
    """One instrument with notes, pedals, bends and words."""
    return Part(
        notes=draw(polyphonic_notes(max_notes=max_notes, with_overlaps=with_overlaps)),
        name=draw(words()),
        program=draw(st.integers(0, 127)),
        is_drum=draw(st.booleans()),
        controls=draw(st.lists(controls(), max_size=6)) if with_controls else (),
        lyrics=draw(events(words(min_size=1), Text)) if with_lyrics else (),
    )


@st.composite
def scores(draw, *, min_parts=0, max_parts=4, max_notes=20, ticks_per_quarter=None, **part_options):
    """Whole pieces: parts, tempos, meters, keys, controls, lyrics, markers, remarks, a title.

    Nothing stands after `end_tick`; meters may change inside a bar. `ticks_per_quarter` is one
    of `DIVISIONS` unless given. More keywords go to `parts`.
    """
    instruments = tuple(
        draw(
            st.lists(
                parts(max_notes=max_notes, **part_options), min_size=min_parts, max_size=max_parts
            )
        )
    )
    tempos = draw(events(st.integers(1, 2**24 - 1), Tempo))
    meters = draw(events(st.sampled_from(METERS), Meter))
    keys = draw(events(st.tuples(st.integers(-7, 7), st.booleans()), Key))
    markers = draw(events(words(min_size=1), Text))
    remarks = draw(events(words(min_size=1), Text))
    standing = [*tempos, *meters, *keys, *markers, *remarks]
    for part in instruments:
        standing += [*part.controls, *part.lyrics]
    last = max((event.tick for event in standing), default=0)
    last = max([last, *(part.end for part in instruments)])
    return Score(
        parts=instruments,
        ticks_per_quarter=ticks_per_quarter or draw(st.sampled_from(DIVISIONS)),
        tempos=tempos,
        meters=meters,
        keys=keys,
        markers=markers,
        end_tick=last + draw(st.integers(0, 1000)),
        title=draw(words()),
        remarks=remarks,
    )


@st.composite
def melody_scores(draw, *, meter=None, **melody_options):
    """A melody as a `Score` of one part that ends at a bar line: what models learn from."""
    division = melody_options.setdefault("ticks_per_quarter", 480)
    notes = draw(melodies(**melody_options))
    numerator, denominator = meter or draw(st.sampled_from(METERS))
    bar = 4 * numerator * division // denominator
    bars = max(1, -(-notes.end // bar))
    return Score(
        parts=(Part(notes),),
        ticks_per_quarter=division,
        tempos=(Tempo.from_qpm(draw(st.integers(40, 240))),),
        meters=(Meter(0, numerator, denominator),),
        end_tick=bars * bar,
    )


def controls(max_tick=4000):
    """One controller move or pitch bend; half of them are sustain pedals."""
    tick = st.integers(0, max_tick)
    pedal = st.builds(Control, tick, st.just(64), st.sampled_from((0, 63, 64, 127)))
    other = st.builds(Control, tick, st.integers(0, 119), st.integers(0, 127))
    bend = st.builds(Control, tick, st.just(PITCH_BEND), st.integers(0, 16383))
    return st.one_of(pedal, pedal, other, bend)


def events(values, kind, max_tick=4000, max_size=3):
    """A tuple of events of a kind at different ticks, in order."""

    def build(pairs):
        return tuple(
            kind(tick, *(value if isinstance(value, tuple) else (value,)))
            for tick, value in sorted(pairs, key=lambda pair: pair[0])
        )

    return st.lists(
        st.tuples(st.integers(0, max_tick), values), max_size=max_size, unique_by=lambda p: p[0]
    ).map(build)


def words(min_size=0, max_size=12):
    """Short printable texts, some beyond ASCII, without blanks at the ends."""
    usual = [word for word in USUAL_WORDS if min_size <= len(word) <= max_size]
    alphabet = string.ascii_letters + string.digits + " -_éüßñ音"
    odd = st.text(alphabet, min_size=min_size, max_size=max_size)
    odd = odd.map(str.strip).filter(lambda word: len(word) >= min_size)
    return (
        st.sampled_from(usual) | st.sampled_from(usual) | odd
    )  # few draws: the odd ones cost time


def _without_overlaps(rows):
    """Keep the first of each two rows in which a pitch would sound twice at once."""
    kept, sounding_until = [], {}
    for onset, duration, pitch, velocity in sorted(rows):
        if onset >= sounding_until.get(pitch, 0):
            kept.append((onset, duration, pitch, velocity))
            sounding_until[pitch] = onset + duration
    return kept
