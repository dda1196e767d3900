"""Drums and a bass, looped under a chord of strings: makes groove.wav."""

from partimento.rendering.listening import create_env, fx, inst, seq

bpm = 104
kick, snare, hat = 36, 38, 42

env = create_env()
drums, bass = inst.sampler(env, "drums"), inst.sampler(env, "electric bass finger")
strings = inst.sampler(env, "strings")
env.connect(fx.compressor(env, threshold_db=-20, ratio=3), fx.limiter(env), env.master)
env.connect(strings, fx.filter(env, kind="lowpass", hertz=2500), fx.reverb(env), env.master)

beat = seq([((kick, hat), 0.5), (hat, 0.5), ((snare, hat), 0.5), (hat, 0.5)]).quantize(bpm)
walk = seq("c2:q. c2:e g2:q a2:q | f2:q. f2:e c3:q g2:q").quantize(bpm)
chords = seq("[c4 e4 g4]:w [c4 f4 a4]:w").repeat(4).quantize(bpm)

seq.play(chords, strings)
seq.loop(beat, drums)
seq.loop(walk, bass)

if __name__ == "__main__":
    env.render("groove.wav")
    print(f"wrote groove.wav: {env.score()}")
