"""Sing a tune as a canon in three voices, and save it: makes row_your_boat_canon.mid.

The second voice enters a bar later and an octave up, the third two bars later and an octave down.
"""

from partimento.music.examples import row_your_boat

voice = row_your_boat()
bar = voice.meter.quarters_per_bar

canon = voice.stack(
    voice.delay(1 * bar).transpose(12),
    voice.delay(2 * bar).transpose(-12),
)

if __name__ == "__main__":
    canon.save("row_your_boat_canon.mid")
    print(f"wrote row_your_boat_canon.mid: {canon}")
