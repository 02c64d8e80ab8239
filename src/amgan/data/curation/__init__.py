"""From folders of photos to aligned faces fit for training: measured once, kept or rejected by limits in one YAML."""
