"""Reading MusicXML of others: what it says, and what is refused."""

import io
import zipfile

import pytest

from partimento.errors import FormatError, LimitError
from partimento.formats import read, write
from partimento.formats.midi import Limits
from partimento.formats.musicxml import read_musicxml, read_musicxml_report, write_musicxml
from partimento.music.examples import EXAMPLES
from partimento.music.score import Key, Meter

HEAD = '<?xml version="1.0"?>\n<score-partwise version="3.1"><part-list>'
ONE = '<score-part id="P1"><part-name>Flute</part-name></score-part></part-list>'
ATTRIBUTES = (
    "<attributes><divisions>2</divisions><key><fifths>1</fifths></key>"
    "<time><beats>2</beats><beat-type>4</beat-type></time></attributes>"
)


def note(step="C", octave=4, duration=2, more="", before=""):
    return (
        f"<note>{before}<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
        f"<duration>{duration}</duration>{more}</note>"
    )


def piece(*measures, head=ONE):
    """A file of one part; a measure is its content, or its attributes and its content."""
    written = "".join(
        f"<measure number='{number}'>{content}</measure>"
        for number, content in enumerate(measures, start=1)
    )
    return f"{HEAD}{head}<part id='P1'>{written}</part></score-partwise>".encode()


def pitches(data):
    return read_musicxml(data).parts[0].notes.pitch.tolist()


def test_a_small_file_is_read():
    score = read_musicxml(piece(ATTRIBUTES + note("C") + note("E"), note("G", duration=4)))
    assert score.parts[0].name == "Flute"
    assert score.parts[0].notes.onset.tolist() == [0, 480, 960]
    assert score.parts[0].notes.duration.tolist() == [480, 480, 960]
    assert score.meters == (Meter(0, 2, 4),)
    assert score.keys == (Key(0, 1),)


def test_chords_and_voices_start_together():
    second = "<backup><duration>4</duration></backup><forward><duration>2</duration></forward>"
    data = piece(
        ATTRIBUTES + note("C") + note("E", before="<chord/>") + note("D") + second + note("A", 3)
    )
    notes = read_musicxml(data).parts[0].notes
    assert sorted(zip(notes.onset.tolist(), notes.pitch.tolist(), strict=True)) == [
        (0, 60), (0, 64), (480, 57), (480, 62)
    ]  # fmt: skip


def test_ties_over_a_bar_line_make_one_note():
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    score = read_musicxml(
        piece(ATTRIBUTES + note(duration=4, more=start), note(duration=2, more=stop) + note("D"))
    )
    assert score.parts[0].notes.duration.tolist() == [1440, 480]


def test_repeats_and_endings_are_unfolded():
    forward = '<barline location="left"><repeat direction="forward"/></barline>'
    backward = '<barline location="right">{}<repeat direction="backward"/></barline>'
    first = '<barline location="left"><ending number="1" type="start"/></barline>'
    second = '<barline location="left"><ending number="2" type="start"/></barline>'
    stop = '<ending number="1" type="stop"/>'
    end = '<barline location="right"><ending number="2" type="stop"/></barline>'
    data = piece(
        ATTRIBUTES + note("C", duration=4),
        forward + note("D", duration=4),
        first + note("E", duration=4) + backward.format(stop),
        second + note("F", duration=4) + end,
        note("G", duration=4),
    )
    assert pitches(data) == [60, 62, 64, 62, 65, 67]


def test_a_repeat_of_a_billion_times_is_not_followed():
    many = '<barline location="right"><repeat direction="backward" times="999999999"/></barline>'
    assert len(pitches(piece(ATTRIBUTES + note(duration=4) + many))) <= 64


def test_grace_and_cue_notes_are_counted():
    grace = "<note><grace/><pitch><step>B</step><octave>4</octave></pitch></note>"
    reading = read_musicxml_report(
        piece(ATTRIBUTES + grace + note(more="", before="<cue/>") + note())
    )
    assert reading.notices == {"grace notes": 1, "cue notes": 1}
    assert reading.score.num_notes == 1


def test_jumps_are_followed():
    sign = '<direction><sound {}="yes"/></direction>'
    data = piece(
        ATTRIBUTES + note("C", duration=4),
        sign.format("segno") + note("D", duration=4) + sign.format("fine"),
        note("E", duration=4) + sign.format("dalsegno"),
    )
    assert pitches(data) == [60, 62, 64, 62]
    lost = piece(ATTRIBUTES + note() + sign.format("dalsegno"))
    assert read_musicxml_report(lost).notices == {"jumps to a segno or coda that is not there": 1}


def test_instruments_that_transpose_sound_as_they_do():
    clarinet = ATTRIBUTES.replace(
        "</attributes>",
        "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose></attributes>",
    )
    score = read_musicxml(piece(clarinet + note("D")))
    assert score.parts[0].notes.pitch.tolist() == [60]
    assert score.keys == (Key(0, -1),)


def test_tempo_and_loudness_are_read():
    mark = (
        "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/>"
        "<per-minute>60</per-minute></metronome></direction-type></direction>"
        "<direction><direction-type><dynamics><p/></dynamics></direction-type></direction>"
    )
    score = read_musicxml(piece(ATTRIBUTES + mark + note()))
    assert score.qpm == pytest.approx(90)
    assert score.parts[0].notes.velocity.tolist() == [49]


def test_drums_of_strangers_are_told_by_their_place():
    stroke = (
        "<note><unpitched><display-step>F</display-step><display-octave>4</display-octave>"
        "</unpitched><duration>2</duration></note>"
    )
    part = read_musicxml(piece(ATTRIBUTES + stroke)).parts[0]
    assert part.is_drum
    assert part.notes.pitch.tolist() == [36]


@pytest.mark.parametrize("suffix", [".musicxml", ".mxl", ".xml"])
def test_files_are_written_and_read(tmp_path, suffix):
    tune = EXAMPLES["row-your-boat"]()
    path = tmp_path / f"tune{suffix}"
    write(tune, path)
    first = path.read_bytes()
    write(tune, path)
    assert path.read_bytes() == first
    again = read(path)
    assert again.parts[0].notes == tune.parts[0].notes
    assert list(tmp_path.iterdir()) == [path]


# What is refused, on one line that names the line.

BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE score-partwise [\n<!ENTITY a "aaaaaaaaaa">\n'
    '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">\n]>\n<score-partwise>&b;</score-partwise>'
)
OUTSIDE = (
    '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n<x>&e;</x>'
)
REFUSED = {
    "entities": (BOMB.encode(), "line 2: the file defines entities"),
    "files outside": (OUTSIDE.encode(), "line 2: the file defines entities"),
    "broken": (b"<score-partwise>\n<part>\n</score-partwise>", "line 3: no well-formed XML"),
    "no score": (b"<html></html>", "line 1: a html document"),
    "timewise": (b"<score-timewise></score-timewise>", "score-partwise"),
    "nothing": (b"", "line 1: no well-formed XML"),
    "encoding": (b'<?xml version="1.0" encoding="klingon"?><a/>', "line 1"),
    "pitch": (piece(note("H")), "the step 'H'"),
    "octave": (piece(note(octave=99)), "octave is 99"),
    "no length": (piece("<note><pitch><step>C</step></pitch></note>"), "no duration"),
    "words for numbers": (piece(note(duration="many")), "duration is 'many'"),
    "divisions": (piece("<attributes><divisions>0</divisions></attributes>"), "divisions are 0"),
    "meter": (piece(ATTRIBUTES.replace("type>4", "type>5")), "2/5"),
    "tempo": (piece('<sound tempo="0"/>'), "tempo"),
    "part": (piece("", head="</part-list>"), "part 'P1' is not in the part-list"),
    "nan": (piece(note(duration="nan")), "duration is 'nan'"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_file_is_refused_on_one_line(what):
    data, words = REFUSED[what]
    with pytest.raises(FormatError) as caught:
        read_musicxml(data, source="x.musicxml")
    message = str(caught.value)
    assert message.startswith("x.musicxml: ")
    assert words in message
    assert "\n" not in message


def test_deep_and_long_files_stop_at_a_limit():
    with pytest.raises(LimitError, match="64 deep"):
        read_musicxml(b"<score-partwise>" + b"<a>" * 100_000)
    with pytest.raises(LimitError, match="more than 500,000 elements"):
        read_musicxml(b"<score-partwise><part><measure>" + b"<a/>" * 600_000)
    with pytest.raises(LimitError, match="max_text_bytes"):
        read_musicxml(b" " * 2000, limits=Limits(max_text_bytes=1000))
    with pytest.raises(LimitError, match="max_notes"):
        read_musicxml(piece(ATTRIBUTES + note() * 20), limits=Limits(max_notes=10))


def test_a_file_of_a_gigabyte_is_not_read_whole(tmp_path):
    path = tmp_path / "huge.musicxml"
    with path.open("wb") as file:
        file.truncate(2**30)  # a hole: it takes no space
    with pytest.raises(LimitError, match="max_text_bytes"):
        read(path)


def packed(name, content, container=None):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        if container is not None:
            archive.writestr("META-INF/container.xml", container)
        archive.writestr(name, content)
    return data.getvalue()


def test_a_zip_bomb_is_refused():
    with pytest.raises(LimitError, match="300 times its size"):
        read_musicxml(packed("score.xml", b" " * 2**24))


def test_archives_that_hold_no_score_are_refused():
    with pytest.raises(FormatError, match="holds no score"):
        read_musicxml(packed("readme.txt", b"x"))
    container = '<container><rootfiles><rootfile full-path="../../a.xml"/></rootfiles></container>'
    with pytest.raises(FormatError, match="holds no score"):
        read_musicxml(packed("score.xml", b"<a/>", container))
    with pytest.raises(FormatError, match="no sound zip"):
        read_musicxml(b"PK\x03\x04" + b"\0" * 100)
    bomb = packed("score.xml", b"<a/>", BOMB)
    with pytest.raises(FormatError, match="defines entities"):
        read_musicxml(bomb)


def test_too_many_members_are_refused():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number in range(1500):
            archive.writestr(f"{number}.xml", b"")
    with pytest.raises(LimitError, match="1,500 files"):
        read_musicxml(data.getvalue())


def test_another_reader_sees_the_same_notes():
    verovio = pytest.importorskip("verovio")
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    tune = EXAMPLES["row-your-boat"]()
    assert toolkit.loadData(write_musicxml(tune))
    events = toolkit.renderToTimemap({"includeMeasures": False})
    starts = [event["qstamp"] for event in events for _ in event.get("on", ())]
    heard = [
        toolkit.getMIDIValuesForElement(name)["pitch"] for e in events for name in e.get("on", ())
    ]
    notes = tune.parts[0].notes
    assert heard == notes.pitch.tolist()
    assert starts == pytest.approx(
        [onset / tune.ticks_per_quarter for onset in notes.onset.tolist()], abs=1e-3
    )
