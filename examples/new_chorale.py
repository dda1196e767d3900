"""Have bach-cnn write a chorale that nobody has heard: makes new_chorale.mid.

Then count in it what a teacher of counterpoint would mark.
"""

from partimento import load
from partimento.evaluation.voice_leading import check_voices

if __name__ == "__main__":
    model = load("bach-cnn")
    chorale = model.sample(8, key="g:major", qpm=72, seed=1)
    chorale.save("new_chorale.mid")
    print(f"wrote new_chorale.mid: {chorale}")
    print(check_voices(model.hear(chorale).voices).text())
