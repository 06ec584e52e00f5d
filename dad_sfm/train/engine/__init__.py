"""What drives the three plugs: steps, processes, checkpoints, the log, validation, the watchdog."""
