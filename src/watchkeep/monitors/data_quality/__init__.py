"""Data quality: does a window still look like the data the model learned from?"""
