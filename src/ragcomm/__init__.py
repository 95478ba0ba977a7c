"""ragcomm: moderation, vetted answers and recommendations for Chinese health communities."""

__version__ = "0.1.0"
