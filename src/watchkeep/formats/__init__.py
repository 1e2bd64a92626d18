"""SageMaker's documents: text and dictionaries in, typed values out, and back. Pure: no file is opened.

A document is read into frozen values that keep the JSON they were read from, so what we do not understand
is written back as it came. Such a value is made by `parse` or by a builder of its module, never by hand.
"""
