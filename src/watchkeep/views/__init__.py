"""Documents drawn for people: one HTML page, a terminal, a notebook.

Results do not draw themselves: these modules do.
Every function here is pure: it takes a report or baseline document (plain JSON values, any key but the first
few possibly missing) and gives text, or prints to a console it is handed.
"""
