"""Break one feature of real rows at a time: is it the first that a report tells, and is the bug named?"""
