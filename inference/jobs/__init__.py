"""Work as rows: what may become of a job, who holds it, and the queue that it waits in."""
