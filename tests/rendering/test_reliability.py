import xml.etree.ElementTree as ET

import numpy as np
import pytest

from partimento.errors import MusicError
from partimento.evaluation.calibration import reliability
from partimento.rendering.picture import svg_to_png
from partimento.rendering.reliability import reliability_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn():
    generator = np.random.default_rng(1)
    confidence = generator.uniform(0.2, 1, size=4000) ** 0.5
    table = reliability(confidence, generator.uniform(size=4000) < confidence)
    return reliability_svg("how <sure>", table.bins, table.expected_error), table


def test_every_bin_with_predictions_has_a_dot_at_its_place():
    svg, table = drawn()
    root = ET.fromstring(svg)
    dots = list(root.iter(f"{SVG}circle"))
    filled = [row for row in table.bins if row.predictions]
    assert len(dots) == len(filled)
    across = np.array([float(dot.get("cx")) for dot in dots])
    assert np.corrcoef(across, [row.confidence for row in filled])[0, 1] > 0.999
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert "how <sure>" in words
    assert f"expected calibration error {table.expected_error:.4f} over 4,000 predictions" in words


def test_it_is_a_picture():
    assert svg_to_png(drawn()[0]).startswith(b"\x89PNG")


def test_no_predictions_are_no_picture():
    with pytest.raises(MusicError, match="nothing to see"):
        reliability_svg("", [], 0.0)
