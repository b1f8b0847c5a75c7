"""Views: what people and machines are shown, as plain JSON data. `--json` prints them, `coordinator.show` draws them."""
