# Power of stated effects in base R: a second derivation of what remission.design.closed_forms computes.
# Reads cases as CSV (law, numbers), writes their powers. Nothing of Python is read.
args <- commandArgs(trailingOnly = TRUE)
cases <- read.csv(args[1])
z <- function(level) qnorm(1 - level)

difference <- function(x) {
  level <- x$alpha / x$sides
  if (x$goal == "superiority" && x$n == x$m && x$sd == x$sd2) {
    return(power.t.test(n = x$n, delta = abs(x$effect), sd = x$sd, sig.level = x$alpha, strict = x$sides == 2,
                        alternative = if (x$sides == 2) "two.sided" else "one.sided")$power)
  }
  va <- x$sd^2 / x$n; vb <- x$sd2^2 / x$m
  df <- if (x$sd == x$sd2) x$n + x$m - 2 else (va + vb)^2 / (va^2 / (x$n - 1) + vb^2 / (x$m - 1))
  se <- sqrt(va + vb)
  if (x$goal == "superiority") {
    q <- qt(1 - level, df)
    up <- pt(q, df, ncp = abs(x$effect) / se, lower.tail = FALSE)
    return(if (x$sides == 2) up + pt(-q, df, ncp = abs(x$effect) / se) else up)
  }
  if (x$goal == "non-inferiority") {
    return(pt(qt(1 - level, df), df, ncp = (x$effect - x$margin) / se, lower.tail = FALSE))
  }
  # Equivalence: the two tests share their variance, so the power is an integral over it.
  q <- qt(1 - level, df)
  f <- function(w) {
    inside <- pnorm((x$margin - x$effect) / se - q * w) - pnorm((-x$margin - x$effect) / se + q * w)
    pmax(inside, 0) * 2 * df * w * dchisq(df * w^2, df)
  }
  integrate(f, 0, (x$margin / se) / q, rel.tol = 1e-10)$value
}

proportions <- function(x) {
  p <- x$control + x$effect; q <- x$control
  level <- x$alpha / x$sides
  if (x$goal == "superiority" && x$n == x$m) {
    return(power.prop.test(n = x$n, p1 = p, p2 = q, sig.level = x$alpha, strict = x$sides == 2,
                           alternative = if (x$sides == 2) "two.sided" else "one.sided")$power)
  }
  s1 <- sqrt(p * (1 - p) / x$n + q * (1 - q) / x$m)
  bar <- (x$n * p + x$m * q) / (x$n + x$m)
  s0 <- if (x$goal == "superiority") sqrt(bar * (1 - bar) * (1 / x$n + 1 / x$m)) else s1
  at <- function(null, side) pnorm((side * (x$effect - null) - z(level) * s0) / s1)
  if (x$goal == "superiority") return(if (x$sides == 2) at(0, 1) + at(0, -1) else at(0, sign(x$effect)))
  if (x$goal == "non-inferiority") return(at(x$margin, 1))
  max(0, at(-x$margin, 1) + at(x$margin, -1) - 1)
}

hazard <- function(x) {
  level <- x$alpha / x$sides
  h0 <- -log(1 - x$control) / x$by; h1 <- h0 * x$effect
  leave <- if (x$leave > 0) -log(1 - x$leave) / x$by else 0
  watched <- function(t) if (x$accrual == 0) (t <= x$follow) * 1 else punif(x$accrual + x$follow - t, 0, x$accrual)
  end <- x$accrual + x$follow
  y1 <- function(t) x$n * exp(-(h1 + leave) * t) * watched(t)
  y0 <- function(t) x$m * exp(-(h0 + leave) * t) * watched(t)
  total <- function(f) {
    a <- integrate(f, 0, x$follow, rel.tol = 1e-10)$value
    if (x$accrual > 0) a + integrate(f, x$follow, end, rel.tol = 1e-10)$value else a
  }
  at <- function(null, side) {
    p <- function(t) null * y1(t) / (null * y1(t) + y0(t) + 1e-300)
    u <- total(function(t) h1 * y1(t) * (1 - p(t)) - h0 * y0(t) * p(t))
    i <- total(function(t) (h1 * y1(t) + h0 * y0(t)) * p(t) * (1 - p(t)))
    v <- total(function(t) h1 * y1(t) * (1 - p(t))^2 + h0 * y0(t) * p(t)^2)
    pnorm((side * u - z(level) * sqrt(i)) / sqrt(v))
  }
  if (x$goal == "superiority") return(if (x$sides == 2) at(1, 1) + at(1, -1) else at(1, sign(log(x$effect))))
  if (x$goal == "non-inferiority") return(at(x$margin, -1))
  max(0, at(1 / x$margin, 1) + at(x$margin, -1) - 1)
}

rate <- function(x) {
  level <- x$alpha / x$sides
  leave <- if (x$leave > 0) -log(1 - x$leave) / x$by else 0
  # Mean exposure and mean squared exposure from the survival of staying, by numbers.
  e1 <- integrate(function(t) exp(-leave * t), 0, x$follow, rel.tol = 1e-12)$value
  e2 <- integrate(function(t) 2 * t * exp(-leave * t), 0, x$follow, rel.tol = 1e-12)$value
  v <- function(r, n) (r * e1 + x$extra * r^2 * e2) / (n * (r * e1)^2)
  se <- sqrt(v(x$control * x$effect, x$n) + v(x$control, x$m))
  at <- function(null, side) pnorm(side * (log(x$effect) - log(null)) / se - z(level))
  if (x$goal == "superiority") return(if (x$sides == 2) at(1, 1) + at(1, -1) else at(1, sign(log(x$effect))))
  if (x$goal == "non-inferiority") return(at(x$margin, -1))
  max(0, at(1 / x$margin, 1) + at(x$margin, -1) - 1)
}

# Two visits, some leave between them: the mean at the last visit by the factored likelihood (Anderson 1957).
repeated <- function(x) {
  level <- x$alpha / x$sides
  stay <- function(day) (1 - x$leave)^(day / x$by)
  v <- function(n) {
    first <- n * stay(x$accrual); last <- n * stay(x$follow)
    x$sd^2 * ((1 - x$extra^2) / last + x$extra^2 / first) * (first / first)
  }
  se <- sqrt(v(x$n) + v(x$m))
  df <- (x$n + x$m) * stay(x$follow) - 2
  q <- qt(1 - level, df); ncp <- abs(x$effect) / se
  up <- pt(q, df, ncp = ncp, lower.tail = FALSE)
  if (x$sides == 2) up + pt(-q, df, ncp = ncp) else up
}

clusters <- function(x) {
  k <- x$n %/% x$size; l <- x$m %/% x$size
  level <- x$alpha / x$sides
  variance <- x$sd^2 * (1 + (x$size - 1) * x$extra) / x$size
  se <- sqrt(variance * (1 / k + 1 / l)); df <- k + l - 2
  q <- qt(1 - level, df); ncp <- abs(x$effect) / se
  up <- pt(q, df, ncp = ncp, lower.tail = FALSE)
  if (x$sides == 2) up + pt(-q, df, ncp = ncp) else up
}

laws <- list(difference = difference, proportions = proportions, hazard = hazard, rate = rate, repeated = repeated,
             clusters = clusters)
cases$power <- sapply(seq_len(nrow(cases)), function(i) laws[[cases$law[i]]](cases[i, ]))
write.csv(cases[, c("number", "law", "power")], args[2], row.names = FALSE)
