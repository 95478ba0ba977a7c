"""What comes in and goes out, as Pydantic sees it."""
