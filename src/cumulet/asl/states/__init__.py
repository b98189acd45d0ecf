"""The eight state types, one file each: how it is parsed and how it runs. A new one is a file and a row in `parse`."""
