"""Have bach-cnn write alto, tenor and bass under a tune: makes row_your_boat_chorale.mid.

The tune's triplets are no sixteenths, so the model hears them on the nearest step (`fit`); in the
file they stay as they are.
"""

from partimento import load
from partimento.music.examples import row_your_boat

if __name__ == "__main__":
    model = load("bach-cnn")
    four = model.harmonize(row_your_boat(), fit=True, no_crossing=True, seed=1)
    four.save("row_your_boat_chorale.mid")
    print(f"wrote row_your_boat_chorale.mid: {four}")

    # The second half another time, with the tune and the bass kept.
    again = model.infill(four, bars=(3, 4), voices="alto,tenor", fit=True, seed=2)
    again.save("row_your_boat_chorale_2.mid")
    print(f"wrote row_your_boat_chorale_2.mid: {again}")
