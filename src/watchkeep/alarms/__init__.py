"""When to ring: windows against a baseline, with a budget of false alarms that holds."""
