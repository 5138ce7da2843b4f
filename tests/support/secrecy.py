"""Hidden values, and who sees what."""

SECRET = "13899997777"
