"""The maths: two profiles in, one number with its evidence out. No Spark, no I/O, no clock."""
