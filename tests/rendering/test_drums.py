from partimento.rendering.drums import LOWEST_DRUM, NAMES, drum_name


def test_the_kit_is_named_from_end_to_end():
    assert LOWEST_DRUM + len(NAMES) - 1 == 81
    known = {35: "bass drum 2", 42: "closed hat", 49: "crash", 56: "cowbell", 75: "claves"}
    assert {pitch: drum_name(pitch) for pitch in known} == known
