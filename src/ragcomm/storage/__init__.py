"""What the service remembers. The only room that knows SQLAlchemy; a reply leaves only after its commit."""
