"""Names of the drums that General MIDI puts on keys 35 to 81, and two that others put below."""

LOWEST_DRUM = 35
NAMES = (
    "bass drum 2", "bass drum", "side stick", "snare", "clap", "snare 2", "floor tom 2",
    "closed hat", "floor tom", "pedal hat", "low tom", "open hat", "low-mid tom", "high-mid tom",
    "crash", "high tom", "ride", "china", "ride bell", "tambourine", "splash", "cowbell",
    "crash 2", "vibraslap", "ride 2", "high bongo", "low bongo", "mute conga", "high conga",
    "low conga", "high timbale", "low timbale", "high agogo", "low agogo", "cabasa", "maracas",
    "whistle", "long whistle", "guiro", "long guiro", "claves", "high block", "low block",
    "mute cuica", "open cuica", "mute triangle", "triangle",
)  # fmt: skip
# Electronic kits send the edges of the hi-hat on keys of their own; they sound like these.
EDGES = {22: 42, 26: 46}


def drum_name(pitch: int) -> str:
    """Name a drum; a key that General MIDI leaves free is called by its number.

    Examples
    --------
    >>> drum_name(38), drum_name(81), drum_name(22), drum_name(10)
    ('snare', 'triangle', 'closed hat edge', 'drum 10')
    """
    if pitch in EDGES:
        return f"{drum_name(EDGES[pitch])} edge"
    place = pitch - LOWEST_DRUM
    return NAMES[place] if 0 <= place < len(NAMES) else f"drum {pitch}"
