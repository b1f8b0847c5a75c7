"""What runs around Coordinator: the local test network, images and service files."""
