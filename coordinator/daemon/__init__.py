"""The daemon: looks again and again, and acts when a trigger says so and no rule stands against it."""
