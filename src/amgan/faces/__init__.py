"""Reading photos, finding faces in them, aligning them and pasting back."""
