"""How fast is it, compared with other tools? Not deployed; the tests only run a short form."""
