"""The panel's door: screens derived from the models, thin buttons over the use cases, templates and words.

`kit` is written once, `screens` declare what is special, `panel.py` puts them together on sqladmin.
"""
