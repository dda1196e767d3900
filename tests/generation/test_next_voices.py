import itertools

import numpy as np
import pytest
from generation.tiny_frames import FEW, SATB, engine_for

from partimento.errors import ParameterError
from partimento.generation import next_voices as module
from partimento.generation.frame_writing import FrameTask, frame_nats
from partimento.generation.next_voices import next_voices


def test_the_next_frame_is_what_enumeration_says(monkeypatch):
    monkeypatch.setattr(module, "LEAST", 0.0)
    monkeypatch.setattr(module, "ENOUGH", 0.0)
    monkeypatch.setattr(module, "HORIZON_QUARTERS", 1)
    primer = np.array([[1, 2, 1, 0], [2, 2, 1, 1]])
    engine = engine_for(FEW)
    found = next_voices(engine, FrameTask(primer))
    frames = list(itertools.product(range(FEW.vocab_size), repeat=4))
    expected = dict.fromkeys(frames, 0.0)
    waiting = 1.0
    for step in range(4):
        held = np.vstack([primer, *[primer[-1:]] * step])
        nats = frame_nats(engine, [np.vstack([held, [frame]]) for frame in frames])
        chances = {f: np.exp(-n[-1].sum()) for f, n in zip(frames, nats, strict=True)}
        stays = chances.pop(tuple(primer[-1].tolist()))
        for frame, chance in chances.items():
            expected[frame] += waiting * chance
        waiting *= stays
    assert found.rest == pytest.approx(waiting, rel=1e-4)
    assert found.left_out == 0
    for pitches, chance in zip(found.frames, found.probabilities, strict=True):
        cells = tuple(np.where(pitches < 0, 0, pitches - 59).tolist())
        assert chance == pytest.approx(expected[cells], rel=1e-3, abs=1e-7)
    for number, voice in enumerate(("soprano", "alto", "tenor", "bass")):
        for choice in found.voice(voice):
            token = 0 if choice.pitch is None else choice.pitch - 59
            marginal = sum(p for f, p in expected.items() if f[number] == token)
            assert choice.probability == pytest.approx(marginal, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("lacks", [(), (1, 2, 3), (0,)])
def test_everything_sums_to_one(lacks):
    cells = np.random.default_rng(0).integers(20, 30, (8, 4))
    cells[:, list(lacks)] = SATB.unknown
    found = next_voices(engine_for(SATB), FrameTask(cells), seed=3, versions=4)
    total = found.probabilities.sum() + found.rest + found.left_out
    assert total == pytest.approx(1, abs=1e-6)
    assert found.wait_probabilities.sum() + found.rest == pytest.approx(1, abs=1e-6)
    assert (np.diff(found.probabilities) <= 0).all()
    assert sum(share for _, share in found.chords()) == pytest.approx(found.probabilities.sum())
    assert [held == -2 for held in found.held] == [voice in lacks for voice in range(4)]
    assert not any(
        tuple(frame) == tuple(found.held) for frame in found.frames.tolist()
    )  # what is held is no next frame


def test_the_answer_is_the_same_each_time_and_moved_back():
    cells = np.random.default_rng(0).integers(20, 30, (8, 4))
    cells[:, 1:] = SATB.unknown
    engine = engine_for(SATB)
    first, second, moved = (
        next_voices(engine, FrameTask(cells), seed=1, versions=4, shift=shift)
        for shift in (0, 0, 2)
    )
    assert first.as_dict(3) == second.as_dict(3)
    assert (np.where(first.frames < 0, -1, first.frames - 2) == moved.frames).all()
    assert [c["voice"] for c in first.as_dict()["voices"]] == ["bass", "tenor", "alto", "soprano"]
    assert "bass" in repr(first)
    with pytest.raises(ParameterError, match="top"):
        first.voice("bass", 0)
