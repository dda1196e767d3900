"""The ONNX operators that a checkpoint's graph may use: those `torch.onnx.export` writes.

Left out on purpose: control flow (`If`, `Loop`, `Scan`: a graph inside a graph, and time without
end), `Random…` and `Multinomial` (noise is an input, drawn with our seeds), strings, `Range`,
`Resize` and `OneHot` (results as large as a number says), `EPContext` (reads other files), `Einsum`
(export it as products).
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ARITHMETIC = _names(
    "Abs Add And Ceil Clip Cos Div Equal Erf Exp Floor Greater GreaterOrEqual IsInf IsNaN Less "
    "LessOrEqual Log Max Mean Min Mod Mul Neg Not Or Pow Reciprocal Round Sign Sin Sqrt Sub Sum "
    "Tan Where Xor"
)
ACTIVATIONS = _names(
    "Celu Elu Gelu HardSigmoid HardSwish LeakyRelu LogSoftmax Mish PRelu Relu Selu Sigmoid Softmax "
    "Softplus Softsign Swish Tanh"
)
LAYERS = _names(
    "Attention AveragePool BatchNormalization Conv ConvTranspose GRU Gemm GlobalAveragePool "
    "GlobalMaxPool GroupNormalization InstanceNormalization LSTM LayerNormalization "
    "LpNormalization MatMul MatMulInteger MaxPool RMSNormalization RNN RotaryEmbedding"
)
ALONG_AN_AXIS = _names(
    "ArgMax ArgMin CumSum ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin "
    "ReduceProd ReduceSum ReduceSumSquare"
)
MOVES = _names(
    "Cast CastLike Concat Constant ConstantOfShape DepthToSpace Expand Flatten Gather "
    "GatherElements GatherND Identity Pad Reshape ScatterElements ScatterND Shape Size Slice "
    "SpaceToDepth Split Squeeze TensorScatter Tile Transpose Trilu Unsqueeze"
)
FEWER_BITS = _names("DequantizeLinear DynamicQuantizeLinear QuantizeLinear")
MICROSOFT = _names(
    "Attention BiasGelu DynamicQuantizeMatMul FastGelu FusedConv FusedGemm FusedMatMul Gelu "
    "GroupQueryAttention MatMulIntegerToFloat MatMulNBits MultiHeadAttention QuickGelu "
    "RotaryEmbedding SimplifiedLayerNormalization SkipLayerNormalization "
    "SkipSimplifiedLayerNormalization"
)

STANDARD = ARITHMETIC | ACTIVATIONS | LAYERS | ALONG_AN_AXIS | MOVES | FEWER_BITS
OPERATORS = {"": STANDARD, "ai.onnx": STANDARD, "com.microsoft": MICROSOFT}  # by domain

# Operators whose result is as large as one of their inputs says: the place of that input.
SIZED_BY = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1, "Pad": 1}
# Operators whose result is as large as their attributes say: these attributes.
WINDOWED = _names("AveragePool Conv ConvTranspose FusedConv MaxPool")
WINDOW = ("dilations", "kernel_shape", "output_padding", "output_shape", "pads", "strides")
