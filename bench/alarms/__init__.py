"""How often tools ring when nothing changed, and how soon when something did: `python -m bench.alarms`."""
