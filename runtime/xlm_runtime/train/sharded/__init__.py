"""Training whose weights, gradients, moments and average are sharded over devices (FSDP2)."""
