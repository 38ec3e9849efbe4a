"""What do the lines say, and do they add up? Files in, files out: this room knows no landing zone and no Azure."""
