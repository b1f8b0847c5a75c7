"""Drawing views for people, with rich. Machines get the same views as JSON."""
