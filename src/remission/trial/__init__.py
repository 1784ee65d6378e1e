"""A clinical trial around simulated people: allocation, schedule, visits, endpoints, analyses, replicates."""
