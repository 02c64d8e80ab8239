"""The reports of an evaluation: one JSON, one Markdown table, one HTML page that loads nothing."""
