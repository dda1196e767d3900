import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering.listening import line, stretch
from rendering.small_font import ROOT, font_bytes

from partimento.errors import FormatError
from partimento.rendering import soundfont as sf
from partimento.rendering.audio import render_audio
from partimento.rendering.soundfont import BUNDLED, SoundFont, open_font


@pytest.fixture
def write_font(tmp_path):
    def write(data):
        path = tmp_path / "small.sf2"
        path.write_bytes(data)
        return path

    return write


def only_zone(path, bank=0, program=0):
    (zone,) = SoundFont.open(path).zones(bank, program)
    return zone


def test_the_bundled_font_has_every_program_and_a_kit():
    font = open_font()
    assert {(0, program) for program in range(128)} <= set(font.presets)
    assert (sf.DRUM_BANK, 0) in font.presets


@pytest.mark.parametrize("program", range(128))
def test_every_key_and_velocity_of_every_program_has_a_sound(program):
    zones = open_font().zones(0, program)
    is_heard = np.zeros((128, 128), dtype=bool)
    for zone in zones:
        (low, high), (soft, loud) = zone.keys, zone.velocities
        is_heard[low : high + 1, soft : loud + 1] = True
    assert is_heard[:, 1:].all()


def test_the_bundled_font_says_whose_it_is():
    assert BUNDLED.stat().st_size <= 6_000_000
    assert "MIT" in (BUNDLED.parent / "NOTICE.txt").read_text()
    assert b"Frank Wen" in BUNDLED.read_bytes()[:400]


def test_a_missing_program_falls_back_to_its_family(write_font):
    font = SoundFont.open(write_font(font_bytes(program=40)))
    assert font.find(43, is_drum=False) == (0, 40)
    assert font.find(3, is_drum=False) == (0, 40)
    assert open_font().find(9, is_drum=True) == (sf.DRUM_BANK, 0)


def test_a_font_of_ones_own_is_played(write_font):
    audio = render_audio(line([69, 81], program=5), sound_font=write_font(font_bytes()))
    for start, expected in ((0.1, 440), (0.6, 880)):
        sound = stretch(audio, start, start + 0.35)
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 17))
        assert spectrum.argmax() * 44_100 / (1 << 17) == pytest.approx(expected, rel=0.003)


def test_generators_of_preset_and_instrument_add_up(write_font):
    data = font_bytes(
        preset=[(sf.FINE_TUNE, 10), (sf.ATTENUATION, 100)],
        layer=[(sf.FINE_TUNE, 7), (sf.COARSE_TUNE, -1), (sf.ATTENUATION, 50), (sf.PAN, -250)],
    )
    zone = only_zone(write_font(data))
    assert zone.cents == -83
    assert zone.gain_db == pytest.approx(-6)  # 15 decibels, of which players take 0.4
    assert (zone.pan, zone.root) == (-0.5, ROOT)


def test_times_come_in_seconds(write_font):
    attack, decay, sustain = sf.VOL_ENV + 1, sf.VOL_ENV + 3, sf.VOL_ENV + 4
    zone = only_zone(write_font(font_bytes(layer=[(attack, -1200), (decay, 1200), (sustain, 60)])))
    assert zone.volume.attack == 0.5
    assert zone.volume.decay == 2
    assert zone.volume.sustain == 6


def test_ranges_of_preset_and_instrument_meet(write_font):
    data = font_bytes(preset=[(sf.KEY_RANGE, 40 | 70 << 8)], layer=[(sf.KEY_RANGE, 60 | 90 << 8)])
    assert only_zone(write_font(data)).keys == (60, 70)
    apart = font_bytes(preset=[(sf.KEY_RANGE, 0 | 9 << 8)], layer=[(sf.KEY_RANGE, 60 | 90 << 8)])
    assert SoundFont.open(write_font(apart)).zones(0, 0) == ()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "hardly any bytes"),
        (b"MThd" + bytes(40), "does not begin with RIFF"),
        (font_bytes()[:-30], "cut off"),
        (font_bytes(sample_type=0x10), "compressed"),
        (font_bytes(rate=3), "sample rate"),
        (font_bytes().replace(b"shdr", b"xxxx"), "no shdr list"),
        (font_bytes(layer=[(sf.SAMPLE_INDEX, 7)]), "does not have"),
    ],
)
def test_a_bad_font_is_refused_with_a_reason(write_font, data, words):
    with pytest.raises(FormatError, match=words):
        SoundFont.open(write_font(data))


def test_a_font_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"nowhere\.sf2: there is no such SoundFont"):
        open_font(tmp_path / "nowhere.sf2")


def test_a_sample_outside_the_file_is_not_played(write_font):
    assert SoundFont.open(write_font(font_bytes(size=10**9))).zones(0, 0) == ()


GOOD = font_bytes(layer=[(sf.CUTOFF, 9000), (sf.MOD_ENV_CUTOFF, 2000), (sf.VIB_LFO_PITCH, 20)])
HEAD = GOOD.index(b"smpl") + 8
TAIL = GOOD.index(b"pdta") - 12


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, HEAD), st.integers(TAIL, len(GOOD) - 1)), st.integers(0, 255)
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 3),
)
def test_a_damaged_font_plays_or_is_refused(tmp_path_factory, changes, cut):
    data = bytearray(GOOD)
    for place, value in changes:
        data[place] = value
    path = tmp_path_factory.mktemp("font") / "damaged.sf2"
    path.write_bytes(data[: len(data) - cut])
    try:
        audio = render_audio(line([60, 72], length=60), sound_font=path, sample_rate=8_000)
    except FormatError:
        return
    assert np.isfinite(audio).all()
