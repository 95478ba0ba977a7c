"""How good is it: figures with the same meaning everywhere."""
