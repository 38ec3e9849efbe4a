"""What does the invented partner sell, to whom, and what do its bills say? Pure: no requests, no clock of its own."""
