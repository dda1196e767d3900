"""Texts of any encoding come out as text, no longer than asked for."""

from hypothesis import given
from hypothesis import strategies as st

from partimento.formats.midi.texts import decode_text, printable


@given(st.binary(max_size=60), st.integers(0, 20))
def test_any_bytes_are_a_text_that_is_cut(raw, most):
    assert len(decode_text(raw, most)) <= most


@given(st.text(max_size=40).filter(lambda text: text.isprintable()), st.integers(0, 20))
def test_utf_8_comes_out_as_it_went_in(text, most):
    assert decode_text(text.encode("utf-8", "replace"), most) == text[:most]


def test_older_western_files_are_windows_1252():
    assert decode_text(b"\x93Gr\xfc\xdfe\x94", 200) == "“Grüße”"


def test_a_character_cut_in_half_by_the_limit_does_not_change_the_encoding():
    raw = "a" + "é" * 10_000
    assert decode_text(raw.encode(), 200) == raw[:200]


@given(st.text(max_size=40))
def test_what_is_shown_has_no_control_characters(text):
    assert printable(text).isprintable()


def test_bidirectional_controls_and_newlines_are_escaped():
    assert printable("a\u202eb\nc\x9bd") == r"a\u202eb\nc\x9bd"
