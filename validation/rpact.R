# Sequential designs of rpact for plans that are read as CSV; writes one row for each number. Nothing of Python is read.
suppressMessages(library(rpact))
args <- commandArgs(trailingOnly = TRUE)
plans <- read.csv(args[1], stringsAsFactors = FALSE, colClasses = c(at = "character"))
rows <- data.frame()
add <- function(plan, what, look, value) {
  rows <<- rbind(rows, data.frame(plan = plan, what = what, look = look, value = as.numeric(value)))
}
kinds <- c("obrien-fleming" = "asOF", "pocock" = "asP", "hwang-shih-decani" = "asHSD",
           "classical-obrien-fleming" = "OF", "classical-pocock" = "P")
cat(as.character(packageVersion("rpact")), "\n")
for (i in seq_len(nrow(plans))) {
  x <- plans[i, ]
  t <- as.numeric(strsplit(x$at, " ")[[1]])
  k <- length(t)
  given <- list(kMax = k, informationRates = t, typeOfDesign = unname(kinds[x$spending]), tolerance = 1e-10)
  if (x$spending == "hwang-shih-decani") given$gammaA <- x$gamma
  # Both sides, each with the error that the plan has for one.
  two <- do.call(getDesignGroupSequential, c(given, list(alpha = 2 * x$level, sided = 2)))
  for (look in 1:k) add(x$plan, "boundary", look, two$criticalValues[look])
  for (look in 1:k) add(x$plan, "error spent", look, two$alphaSpent[look])
  # theta over one unit of spread and nMax people: a drift of theta * sqrt(nMax).
  under <- getPowerAndAverageSampleNumber(two, theta = x$drift / 100, nMax = 10000)
  for (look in 1:k) add(x$plan, "stopping under an effect", look, under$rejectPerStage[look, 1])
  add(x$plan, "expected information", k, under$averageSampleNumber / 10000)
  if (x$beta > 0) {
    floored <- do.call(getDesignGroupSequential, c(given, list(
      alpha = x$level, sided = 1, beta = x$beta, typeBetaSpending = "bsHSD", gammaB = x$gammaB, bindingFutility = FALSE
    )))
    for (look in seq_len(k - 1)) add(x$plan, "floor", look, floored$futilityBounds[look])
    add(x$plan, "drift for the power", k, sqrt(getDesignCharacteristics(floored)$shift))
  }
  # One side alone, as rpact reports after a stop; known spread.
  one <- do.call(getDesignGroupSequential, c(given, list(alpha = x$level, sided = 1)))
  n <- round(1e6 * diff(c(0, t)))
  data <- getDataset(n = n[1], means = x$estimate / 1000, stDevs = 1)
  first <- getStageResults(one, data, normalApproximation = TRUE, stage = 1)
  ahead <- suppressWarnings(getConditionalPower(first, nPlanned = n[-1], thetaH1 = x$drift / 1000, assumedStDev = 1))
  add(x$plan, "conditional power", k, ahead$conditionalPower[k])
}
write.csv(rows, args[2], row.names = FALSE)
