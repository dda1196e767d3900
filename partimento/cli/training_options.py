"""Options that `train` and `finetune` share, each said once."""

from pathlib import Path
from typing import Annotated

import typer

Family = Annotated[
    str,
    typer.Argument(
        help="What to teach: melody-rnn, bach-rnn, bach-cnn, melody-vae, drums-vae, quartet-vae, "
        "drums-groove, quartet-gan."
    ),
]
Data = Annotated[
    list[str],
    typer.Option(help="A folder, zip or MIDI file, or a set by name; may be given repeatedly."),
]
Out = Annotated[Path, typer.Option(help="Folder of the run; the model ends in OUT/checkpoint.")]
Steps = Annotated[int | None, typer.Option(help="Steps to train for.")]
Minutes = Annotated[
    float | None, typer.Option(help="Minutes to train for; 10 where nothing is said.")
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same run.")]
Threads = Annotated[
    int, typer.Option(help="Threads of PyTorch; 0 is all cores, which large networks use well.")
]
Precision = Annotated[
    str | None, typer.Option(help="float32 or bfloat16; bfloat16 on a GPU where nothing is said.")
]
BatchSize = Annotated[int | None, typer.Option(help="Examples a step.")]
Dropout = Annotated[
    float | None,
    typer.Option(help="Share of values dropped; chosen by the size of the data if not said."),
]
LearningRate = Annotated[float | None, typer.Option(help="Highest learning rate.")]
EvaluateEvery = Annotated[
    int | None, typer.Option(help="Steps between looks at the held-out pieces.")
]
Patience = Annotated[int | None, typer.Option(help="Looks without gain before it stops early.")]
Name = Annotated[str | None, typer.Option(help="Name of the finished model.")]
Resume = Annotated[bool, typer.Option(help="Go on with the run in OUT, or begin it.")]
