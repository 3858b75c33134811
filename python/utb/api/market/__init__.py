"""Instruments, bars and votes."""
