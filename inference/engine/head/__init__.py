"""Finding the fetal head in ultrasound by a small network that was shown outlines."""
