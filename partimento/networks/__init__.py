"""Networks: PyTorch modules that take tensors and return tensors."""
