"""From the files of other monitors to a file of ours: one file per monitor."""
