"""How cost grows: rows, columns, monitors, processes, a Spark cluster, a million requests a second."""
