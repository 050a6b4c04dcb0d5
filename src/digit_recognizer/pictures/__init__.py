"""Pictures become ink: decode safely, then frame as MNIST does."""
