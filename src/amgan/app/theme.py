"""Colours and letters of the page."""

from __future__ import annotations

import gradio as gr


def page_theme() -> gr.Theme:
    """Plain labels on white, one quiet colour, and text dark enough to be read by everyone."""
    theme = gr.themes.Soft(
        primary_hue="teal",
        neutral_hue="stone",
        # Fonts of the computer: themes of Gradio ship theirs or ask Google for them.
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    return theme.set(
        body_text_color_subdued="*neutral_600",
        block_info_text_color="*neutral_600",
        block_title_text_color="*body_text_color",
        block_title_text_weight="500",
        block_title_background_fill="none",
        block_title_padding="0",
        block_label_text_color="*body_text_color",
        block_label_text_weight="500",
        block_label_background_fill="*background_fill_primary",
        block_shadow="none",
        slider_color="*primary_600",
        checkbox_background_color_selected="*primary_700",
        checkbox_label_background_fill_selected="*primary_700",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_small_text_size="*text_md",
    )
