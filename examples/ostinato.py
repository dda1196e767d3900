"""A harp repeats four notes while a model goes on from a flute's tune: makes ostinato.wav."""

from partimento.rendering.listening import create_env, fx, inst, seq

bpm = 96

env = create_env()
flute = inst.sampler(env, "flute")
harp = inst.sampler(env, "harp")
env.connect(fx.reverb(env, seconds=2.2, mix=0.3), env.master)
env.connect(harp, fx.gain(env, db=-4), fx.delay(env, seconds=0.3125, mix=0.25), env.master)

tune = seq("g4:q e4:e g4:e c5:q b4:q | a4:q f4:e a4:e g4:h").quantize(bpm)

if __name__ == "__main__":
    seq.play(tune.continue_(6, model="melody-rnn", seed=4, key="c:major"), flute)
    seq.loop(seq("c3:e g3:e e3:e g3:e").quantize(bpm), harp)
    env.render("ostinato.wav")
    print(f"wrote ostinato.wav: {env.score()}")
