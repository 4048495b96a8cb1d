"""What keeps a node small on a board that has little memory. Nothing else in the product knows of it; all of it can be left out.

`vigie bench footprint` says what each trick saves. One that saves less than 2 MB goes.
"""
