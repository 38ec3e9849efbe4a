"""What goes wrong on purpose, with which requests, and how does it come true?"""
