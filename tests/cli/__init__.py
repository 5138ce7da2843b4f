"""Tests of the command line, the demo and the serving process."""
