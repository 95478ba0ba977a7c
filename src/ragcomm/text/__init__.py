"""The floor every room stands on: raw text to normal form, tokens, lexicon hits and vectors."""
