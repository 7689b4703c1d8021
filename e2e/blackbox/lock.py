#!/usr/bin/env python3
"""Holds the write lock of a SQLite file:   lock.py FILE SECONDS"""
import sqlite3, sys, time

connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
time.sleep(float(sys.argv[2]))
connection.execute("ROLLBACK")
