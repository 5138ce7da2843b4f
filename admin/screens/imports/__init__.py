"""The screens of imports: the list, a new one, and the steps of each."""
