"""The HTTP door of ragcomm: FastAPI, keys, problems as JSON, and nothing of the domain."""
