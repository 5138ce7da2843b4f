"""Tests of users, sign-in and keys."""
