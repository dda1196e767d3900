"""Play a tune as a canon for three pianos, and hear it: makes row_your_boat_canon.wav.

The second piano enters a bar later and an octave up, the third two bars later and an octave down.
"""

from partimento.music.durations import den, ent, hn, qn, sn
from partimento.music.pitches import c4, c5, d4, e4, f4, g4
from partimento.rendering.listening import create_env, fx, inst, seq

bpm, bar = 120, 4

row = [(c4, qn), (c4, qn), (c4, den), (d4, sn), (e4, qn)]
gently = [(e4, den), (d4, sn), (e4, den), (f4, sn), (g4, hn)]
merrily = [(c5, ent)] * 3 + [(g4, ent)] * 3 + [(e4, ent)] * 3 + [(c4, ent)] * 3
life = [(g4, den), (f4, sn), (e4, den), (d4, sn), (c4, hn)]

theme = seq.concat(seq(row), seq(gently), seq(merrily), seq(life)).repeat(2).quantize(bpm)

env = create_env()
pianos = [inst.sampler(env, "piano") for _ in range(3)]
env.connect(fx.compressor(env), fx.reverb(env), env.master)

seq.play(theme, pianos[0])
seq.play(theme.transpose(12).delay(1 * bar), pianos[1])
seq.play(theme.transpose(-12).delay(2 * bar), pianos[2])

if __name__ == "__main__":
    env.render("row_your_boat_canon.wav")
    print(f"wrote row_your_boat_canon.wav: {env.score()}")
