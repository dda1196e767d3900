"""`CheckpointLimits`: how large anything in a checkpoint may be, in one place.

Each limit can be raised by name, ``open_checkpoint(folder, limits=CheckpointLimits(files=500))``,
and an error that stems from one names it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckpointLimits:
    """What a checkpoint may ask of the machine that opens it.

    Attributes
    ----------
    total_bytes
        All files of the checkpoint together.
    files
        Entries of the folder, hidden ones too.
    config_bytes
        Of `config.json`, of `files.json` and of `README.md`, each.
    json_depth
        Lists and objects inside each other.
    header_bytes, tensors
        Table at the head of `model.safetensors`, and entries in it.
    graph_bytes
        Of one ONNX graph.
    graph_fields
        Fields of one graph's protobuf messages, which is what reading it costs; a Transformer of
        a dozen layers has a tenth of this.
    graph_elements
        Numbers in a tensor whose size a graph states in words instead of holding it: the shape of
        an input, the target of an `Expand`.
    arrays_bytes
        Arrays of one `.npz` file, unpacked.
    """

    total_bytes: int = 512 * 2**20
    files: int = 128
    config_bytes: int = 2**20
    json_depth: int = 32
    header_bytes: int = 2**20
    tensors: int = 10_000
    graph_bytes: int = 256 * 2**20
    graph_fields: int = 250_000
    graph_elements: int = 2**24
    arrays_bytes: int = 128 * 2**20
