"""How fast is it, beside what else one could use? Not deployed, and not part of the tests but for a short smoke."""
