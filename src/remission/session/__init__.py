"""One dosing session in people: blood, what is felt, exposure and peak; the one room for trials, plans and reports."""
