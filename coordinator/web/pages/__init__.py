"""What each page shows, as data for its template. Nothing here asks a network: it is all from the newest look and the journal."""
