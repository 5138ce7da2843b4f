"""Reports: figures of a period beside those of the period before, under the rights of the reader.

A report is a file of `kinds/`; each figure of a list links to the list that shows exactly its records.
"""
