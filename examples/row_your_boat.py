"""Write a tune note by note, and save it: makes row_your_boat.mid."""

from partimento import seq
from partimento.music.durations import den, ent, hn, qn, sn
from partimento.music.pitches import c4, c5, d4, e4, f4, g4

tune = seq(
    [
        # Row, row, row your boat
        *[(c4, qn), (c4, qn), (c4, den), (d4, sn), (e4, qn)],
        # gently down the stream.
        *[(e4, den), (d4, sn), (e4, den), (f4, sn), (g4, hn)],
        # Merrily, merrily, merrily, merrily,
        *[(c5, ent)] * 3 + [(g4, ent)] * 3 + [(e4, ent)] * 3 + [(c4, ent)] * 3,
        # life is but a dream.
        *[(g4, den), (f4, sn), (e4, den), (d4, sn), (c4, hn)],
    ],
    qpm=120,
    meter="4/4",
)

if __name__ == "__main__":
    tune.save("row_your_boat.mid")
    print(f"wrote row_your_boat.mid: {tune}")
