"""Where work on many photos is done: in processes of this machine, or on a Ray cluster."""
