"""What can be exported, under which id, for which month, into which folder? Pure data and rules."""
