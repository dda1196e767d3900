"""Names of the 128 General MIDI programs: `find_program` understands short and misspelt ones."""

import difflib

from partimento.errors import ParameterError

PROGRAMS = (
    "acoustic grand piano", "bright acoustic piano", "electric grand piano", "honky-tonk piano",
    "electric piano 1", "electric piano 2", "harpsichord", "clavinet", "celesta", "glockenspiel",
    "music box", "vibraphone", "marimba", "xylophone", "tubular bells", "dulcimer",
    "drawbar organ", "percussive organ", "rock organ", "church organ", "reed organ", "accordion",
    "harmonica", "tango accordion", "acoustic guitar nylon", "acoustic guitar steel",
    "electric guitar jazz", "electric guitar clean", "electric guitar muted", "overdriven guitar",
    "distortion guitar", "guitar harmonics", "acoustic bass", "electric bass finger",
    "electric bass pick", "fretless bass", "slap bass 1", "slap bass 2", "synth bass 1",
    "synth bass 2", "violin", "viola", "cello", "contrabass", "tremolo strings",
    "pizzicato strings", "orchestral harp", "timpani", "string ensemble 1", "string ensemble 2",
    "synth strings 1", "synth strings 2", "choir aahs", "voice oohs", "synth voice",
    "orchestra hit", "trumpet", "trombone", "tuba", "muted trumpet", "french horn",
    "brass section", "synth brass 1", "synth brass 2", "soprano sax", "alto sax", "tenor sax",
    "baritone sax", "oboe", "english horn", "bassoon", "clarinet", "piccolo", "flute", "recorder",
    "pan flute", "blown bottle", "shakuhachi", "whistle", "ocarina", "square lead",
    "sawtooth lead", "calliope lead", "chiff lead", "charang lead", "voice lead", "fifths lead",
    "bass and lead", "new age pad", "warm pad", "polysynth pad", "choir pad", "bowed pad",
    "metallic pad", "halo pad", "sweep pad", "rain", "soundtrack", "crystal", "atmosphere",
    "brightness", "goblins", "echoes", "sci-fi", "sitar", "banjo", "shamisen", "koto", "kalimba",
    "bagpipe", "fiddle", "shanai", "tinkle bell", "agogo", "steel drums", "woodblock",
    "taiko drum", "melodic tom", "synth drum", "reverse cymbal", "guitar fret noise",
    "breath noise", "seashore", "bird tweet", "telephone ring", "helicopter", "applause",
    "gunshot",
)  # fmt: skip
USUAL = {"organ": 19, "guitar": 24, "bass": 32, "strings": 48, "choir": 52, "harp": 46, "sax": 65}


def find_program(name: str) -> int:
    """Program of a General MIDI name, 0-127; of several that fit, the first.

    Raises
    ------
    ParameterError
        If none has such a name; the message has the nearest.

    Examples
    --------
    >>> find_program("piano"), find_program("church organ"), find_program("Violin")
    (0, 19, 40)
    """
    wanted = " ".join(str(name).lower().replace("_", " ").split())
    if wanted in PROGRAMS:
        return PROGRAMS.index(wanted)
    if wanted in USUAL:
        return USUAL[wanted]
    words = set(wanted.split())
    for program, known in enumerate(PROGRAMS):
        if words and words <= set(known.split()):
            return program
    every = {word for known in PROGRAMS for word in known.split() if len(word) > 2}
    near = difflib.get_close_matches(wanted, [*PROGRAMS, *sorted(every)], n=3, cutoff=0.55)
    hint = f"did you mean {', '.join(near)}?" if near else "it wants a General MIDI name: piano"
    raise ParameterError(f"there is no instrument {str(name)[:40]!r}: {hint}")
