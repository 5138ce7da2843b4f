"""Notices: telling users what others did, their inbox, their choices, and the e-mail."""
