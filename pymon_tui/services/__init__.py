"""What Py_Monitor keeps in Redis, for the application that writes it and for all that read it."""
