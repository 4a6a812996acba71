"""The film's craft: words, voice, pictures, music and moving image.

Nothing in this package knows Kinora. Every function is deterministic: the same
arguments give the same bytes, which is what lets Kinora skip the jobs below an
output that did not change.
"""
