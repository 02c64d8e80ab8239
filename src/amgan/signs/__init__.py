"""Clinical signs, their grades and their zones on the face."""
