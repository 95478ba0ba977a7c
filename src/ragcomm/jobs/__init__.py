"""What runs by hand or by schedule: one module, one `run`, one report each; running twice changes nothing."""
