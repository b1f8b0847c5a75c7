"""The journal: what has happened, in order, for ever. Book, portfolio and sagas are folds of it."""
