"""Reading of import files: bytes on disk in, rows of typed cells out.  `reading` is the door; no file is parsed in this process.

Files of this package that the child process runs import the standard library, `models.sheet_cells`, each other and the
readers, and nothing else: the child is started once per file, so its start counts.  Those are all but `reading` and
`process`.
"""
