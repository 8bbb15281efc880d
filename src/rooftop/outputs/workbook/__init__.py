"""Workbooks and lists."""
