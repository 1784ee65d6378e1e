# The six jobs of remission from R, with base R alone: each calls the command line and reads what it writes.
#
#   Rscript six-jobs.R [FOLDER]        FOLDER is new or empty; 30 seconds or so
#
# Where the program is not on the path: Sys.setenv(REMISSION = "/path/to/remission")

program <- Sys.getenv("REMISSION", unset = "remission")

# Runs one command and gives its lines; stops with the program's own words where it failed (exit code 1 or 2).
remission <- function(...) {
  errors <- tempfile()
  # R puts folders of its own before those where Python looks for its libraries; the program must not see them.
  lines <- suppressWarnings(system2(program, shQuote(c(...)), stdout = TRUE, stderr = errors, env = "LD_LIBRARY_PATH="))
  status <- attr(lines, "status")
  if (!is.null(status) && status != 0) stop(paste(readLines(errors), collapse = "\n"), call. = FALSE)
  lines
}

place <- commandArgs(trailingOnly = TRUE)
if (length(place) == 1) {
  dir.create(place, showWarnings = FALSE)
  setwd(place)
}

cat("1. Simulate a trial\n")
invisible(remission("run", "kare", "--replicates", "2", "--seed", "7", "--diaries", "--out", "runs"))
run <- list.files("runs", full.names = TRUE)[1]
invisible(remission("export", run, "people.csv", "--as", "people"))
people <- read.csv("people.csv")
stopifnot(all(people$origin == "simulated"), nrow(people) == 2 * 96)
print(aggregate(pda ~ arm, data = people, FUN = mean))

cat("\n2. Read the evidence\n")
trials <- remission("evidence", "list", "--substance", "alcohol", "--design", "randomized")
print(head(trials, 4))

cat("\n3. Plan a session\n")
session <- remission("plan", "--weight", "82", "--age", "45", "--dose", "0.5mg/kg", "--minutes", "40")
print(head(session, 4))

cat("\n4. Design a trial\n")
design <- remission("design", "kare", "--vary", "n=24", "--replicates", "10")
print(head(design, 6))

cat("\n5. Diaries: out, in, described, endpoints\n")
invisible(remission("export", run, "diary.csv"))
print(head(read.csv("diary.csv"), 3))
invisible(remission("import", "tlfb", "diary.csv", "--out", "diary.parquet"))
print(head(remission("describe", "diary.parquet", "--resamples", "100"), 4))
invisible(remission("endpoints", "run", "diary.parquet", "--window", "0:83", "--out", "endpoints.csv"))
endpoints <- read.csv("endpoints.csv")
stopifnot(nrow(endpoints) == 96)

cat("\n6. Analyze a trial\n")
invisible(remission("new", "plan.yaml", "--plan", "diary.parquet"))
invisible(remission("analyze", "diary.parquet", "--plan", "plan.yaml", "--out", "analysis"))
print(list.files("analysis"))

# Data sets of CDISC, where the package foreign is there to read them.
invisible(remission("export", run, "kare-cdisc", "--as", "cdisc"))
if (requireNamespace("foreign", quietly = TRUE)) {
  print(table(foreign::read.xport("kare-cdisc/adsl.xpt")$TRT01P))
}
cat("\nDone.\n")
