"""Grafts: the lines and spots of one face laid on another, so that training has pairs of which both sides are known."""
