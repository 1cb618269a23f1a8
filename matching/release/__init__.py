"""What is told after the commit: recent rows in memory, streams of rows, answers by correlation."""
