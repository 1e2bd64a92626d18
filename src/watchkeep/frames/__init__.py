"""The only door to dataframes: Arrow batches, their columns, and the roles columns play."""
