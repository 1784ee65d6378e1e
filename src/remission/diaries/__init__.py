"""What a set of diaries looks like, real or simulated: statistics with intervals, the same for both."""
