"""Entry points: the command line, the targets of spark-submit. The only package that reads the clock."""
