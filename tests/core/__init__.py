"""Tests of `backend.core`: values in, values out."""
