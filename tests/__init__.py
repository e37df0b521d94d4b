"""The tests. Whatever locale this machine claims to have, they and what they start have one that is there."""

import locale
import os

try:
    locale.setlocale(locale.LC_CTYPE, "")
except locale.Error:  # it comes from a terminal elsewhere, and isn't generated here
    os.environ["LC_ALL"] = "C.UTF-8"
