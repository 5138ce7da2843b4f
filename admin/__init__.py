"""The admin panel: screens derived from the models, buttons over the use cases, templates and translations.

`kit` holds what every screen shares, a module in `screens` declares what is special about its screens, and `panel.py`
assembles them on sqladmin.
"""
