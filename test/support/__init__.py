"""Makers of test data that several tests share."""
