"""Training: batches, losses, the loop, and export to a checkpoint. Needs PyTorch."""
