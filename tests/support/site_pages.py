"""Pages that every check in a browser goes through, one of each kind and language."""

PAGES = ("/", "/world/5", "/es", "/learn", "/es/learn?closed=affect", "/learn?closed=habit&closed=control",
         "/learn/extended-amygdala",
         "/learn/receptor?substance=cocaine", "/journey", "/journey/alcohol",
         "/es/journey/opioid", "/safety", "/family", "/diary", "/es/diary", "/clinics", "/es/clinics/check",
         "/clinics/state/CA",
         "/evidence", "/evidence?substance=nothing",
         "/evidence/grabski_2022_kare", "/evidence/forest?substance=cocaine&endpoint=abstinence", "/trial", "/about",
         "/limits", "/forecasts", "/validation", "/blinding", "/api", "/nowhere")  # fmt: skip
