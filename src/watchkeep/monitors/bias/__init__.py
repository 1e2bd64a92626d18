"""Bias: are groups of people treated alike, and as they were in the reference data?"""
