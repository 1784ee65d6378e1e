// Concentrations of a typical person after infusions, in closed form: the twin of remission.pk in the browser.
// Python is the reference; golden vectors hold this file to it within 1e-10. No number of a model is written here: the
// page hands the model over, as remission.pk.typical_parameters() gives it. Loaded as a classic script, this file
// defines one name, `kinetics`, with these functions; units are in the names, all times count from the session's start.
//
//   kinetics.modes({cl_l_per_h, v1_l, q_l_per_h: [..], v_l: [..]})
//       -> {rate_per_h: [..], weight: [..]}, rates rising; one or two peripheral compartments.
//   kinetics.plasmaResponse(modes, elapsed_h, duration_h)
//       -> plasma after 1 ug/h into 1 L during duration_h, elapsed_h after its start [h].
//   kinetics.linkedResponse(modes, kappa_per_h, elapsed_h, duration_h)
//       -> the same at a site that follows plasma at rate kappa_per_h [h].
//   kinetics.typicalPerson(model, weight_kg)
//       -> the model's typical person of that weight: the model's own fields, scaled.
//   kinetics.concentrations(person, infusions, t_h)
//       infusions [{dose_mg, start_h, duration_h}] of racemate free base
//       -> {s_ket: {arterial, venous, effect}, r_ket: .., ket: ..}, each a Float64Array over t_h [ng/mL].
//   kinetics.drugHigh(conc_ng_per_ml, {emax_vas, c50_ng_per_ml, hill})          -> 0 to 100, from s_ket at the effect site
//   kinetics.pressureRise(conc_ng_per_ml, {rise_mmhg, reference_ng_per_ml, c50_ng_per_ml, most_ng_per_ml})
//       -> mmHg, from ket at the effect site; c50_ng_per_ml null is the proportional law, held at
//       most_ng_per_ml where that is a number; c50_ng_per_ml a number is the plateau.
//
// Names and meaning: remission/pk/mammillary.py and remission/numerics/decay_lanes.py say why it is exact where
// rates meet. A number that is not positive where it must be is an error (RangeError), never a curve.
const kinetics = (() => {
  "use strict";
  const UG_PER_MG = 1000, MOST_STEPS = 200, ROUNDING = 2 ** -51;

  function positive(name, ...numbers) {
    if (!numbers.length || !numbers.every((one) => Number.isFinite(one) && one > 0)) {
      throw new RangeError(`${name}: got ${numbers.join(", ") || "nothing"}; allowed are positive numbers`);
    }
  }

  // (1 - exp(-a)) / a
  const meanDecay = (a) => (a === 0 ? 1 : -Math.expm1(-a) / a);

  // (exp(-a) - exp(-b)) / (b - a)
  const decayDifference = (a, b) => Math.exp(-Math.min(a, b)) * meanDecay(Math.abs(b - a));

  // (meanDecay(a) - meanDecay(b)) / (b - a); below 1 the power series, for there the difference cancels.
  function cumulativeDecayDifference(a, b) {
    const low = Math.min(a, b), high = Math.max(a, b);
    if (high >= 1) return (meanDecay(low) - decayDifference(low, high)) / high;
    let power = 1, homogeneous = 1, coefficient = 0.5, total = 0.5;
    for (let k = 1; k < 18; k += 1) {
      power *= high;
      homogeneous = homogeneous * low + power;
      coefficient /= -(k + 2);
      total += coefficient * homogeneous;
    }
    return total;
  }

  // f(r) prod_j (k_j - r) and two derivatives; `lead` is k10 - r, `gaps` are k_j - r.
  function characteristic(rate, lead, out, gaps) {
    let top = lead, top1 = -1, top2 = 0, base = 1, base1 = 0, base2 = 0;
    for (let j = 0; j < out.length; j += 1) {
      const flow = out[j], gap = gaps[j];
      [top, top1, top2] = [
        top * gap - rate * flow * base,
        top1 * gap - top - flow * (base + rate * base1),
        top2 * gap - 2 * top1 - flow * (2 * base1 + rate * base2),
      ];
      [base, base1, base2] = [base * gap, base1 * gap - base, base2 * gap - 2 * base1];
    }
    return [top, top1, top2];
  }

  // Distance from a pole to the first root on one side of it, by Laguerre's method.
  function offsetFrom(pole, side, k10, out, back) {
    const degree = out.length + 1, lead = k10 - pole, apart = back.map((k) => k - pole);
    const begun = characteristic(pole, lead, out, apart)[0];
    let offset = 0;
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const [value, slope, bend] = characteristic(pole + offset, lead - offset, out, apart.map((gap) => gap - offset));
      const root = Math.sqrt(Math.max((degree - 1) * ((degree - 1) * slope * slope - degree * value * bend), 0));
      const denominator = slope - side * (value < 0 ? -1 : 1) * root;
      const move = (-degree * value) / (denominator === 0 ? 1 : denominator);
      if (!(value * begun > 0 && move * side > 0)) return offset;
      offset += move;
      if (Math.abs(move) <= ROUNDING * Math.abs(offset)) return offset;
    }
    throw new RangeError("a decay rate did not settle; check clearance, flows and volumes");
  }

  function weightOf(gaps, out, back) {
    const squares = gaps.map((gap) => gap * gap), numerator = squares.reduce((a, b) => a * b, 1);
    let denominator = numerator;
    for (let j = 0; j < out.length; j += 1) {
      denominator += squares.reduce((product, square, other) => (other === j ? product : product * square), out[j] * back[j]);
    }
    return denominator > 0 ? numerator / denominator : 0;
  }

  function modes({ cl_l_per_h, v1_l, q_l_per_h, v_l }) {
    positive("cl_l_per_h, v1_l, q_l_per_h, v_l", cl_l_per_h, v1_l, ...q_l_per_h, ...v_l);
    if (q_l_per_h.length !== v_l.length || v_l.length < 1 || v_l.length > 2) {
      throw new RangeError("q_l_per_h, v_l: allowed are one or two peripheral compartments");
    }
    const k10 = cl_l_per_h / v1_l, out = q_l_per_h.map((q) => q / v1_l), back = q_l_per_h.map((q, j) => q / v_l[j]);
    // Equal rates back would put a root on the pole where the search starts.
    if (back.length === 2 && back[0] === back[1]) back[1] *= 1 + 2 ** -52;
    const ends = [0, ...[...back].sort((a, b) => a - b)];
    const found = ends.map((end, index) => {
      let pole = end, side = 1;
      if (index < ends.length - 1) {
        const middle = 0.5 * (end + ends[index + 1]);
        const there = characteristic(middle, k10 - middle, out, back.map((k) => k - middle))[0];
        if (there * (index % 2 ? -1 : 1) > 0) [pole, side] = [ends[index + 1], -1];
      }
      const offset = offsetFrom(pole, side, k10, out, back);
      return [pole + offset, weightOf(back.map((k) => (k - pole) - offset), out, back)];
    });
    return { rate_per_h: found.map((one) => one[0]), weight: found.map((one) => one[1]) };
  }

  function plasmaResponse({ rate_per_h, weight }, elapsed_h, duration_h) {
    const since = Math.max(elapsed_h, 0), running = Math.min(since, duration_h), after = Math.max(since - duration_h, 0);
    let total = 0;
    for (let i = 0; i < rate_per_h.length; i += 1) {
      total += weight[i] * running * meanDecay(rate_per_h[i] * running) * Math.exp(-rate_per_h[i] * after);
    }
    return total;
  }

  function linkedResponse({ rate_per_h, weight }, kappa_per_h, elapsed_h, duration_h) {
    const since = Math.max(elapsed_h, 0), running = Math.min(since, duration_h), after = Math.max(since - duration_h, 0);
    const left = Math.exp(-kappa_per_h * after);
    let total = 0;
    for (let i = 0; i < rate_per_h.length; i += 1) {
      const rate = rate_per_h[i];
      const built = running * running * cumulativeDecayDifference(rate * running, kappa_per_h * running);
      const passed = running * meanDecay(rate * running) * after * decayDifference(rate * after, kappa_per_h * after);
      total += weight[i] * (built * left + passed);
    }
    return kappa_per_h * total;
  }

  function typicalPerson(model, weight_kg) {
    positive("weight_kg", weight_kg);
    const ratio = weight_kg / model.reference_weight_kg;
    // Each number goes with weight in its own way; a model of one exponent for each kind may give just that.
    const { exponent_clearance: flow, exponent_volume: space } = model;
    const { cl_exponent = flow, v1_exponent = space, v_exponents = [], q_exponents = [] } = model;
    const each = (values, exponents, usual) => values.map((value, j) => value * ratio ** (exponents[j] ?? usual));
    return {
      ...model,
      cl_l_per_h: model.cl_l_per_h.map((value) => value * ratio ** cl_exponent),
      v1_l: model.v1_l * ratio ** v1_exponent,
      v_l: each(model.v_l, v_exponents, space),
      q_l_per_h: each(model.q_l_per_h, q_exponents, flow),
    };
  }

  function oneSpecies(person, cl_l_per_h, share, infusions, t_h) {
    const own = modes({ ...person, cl_l_per_h });
    const found = Object.fromEntries(person.sites.map((site) => [site, new Float64Array(t_h.length)]));
    const fast = person.venous_fast_fraction;
    for (const { dose_mg, start_h, duration_h } of infusions) {
      const strength = (dose_mg * UG_PER_MG * share) / duration_h / person.v1_l;
      t_h.forEach((time, index) => {
        const elapsed = time - start_h, plasma = plasmaResponse(own, elapsed, duration_h);
        found[person.plasma_site][index] += strength * plasma;
        if (found.effect) found.effect[index] += strength * linkedResponse(own, person.ke0_per_h, elapsed, duration_h);
        if (found.venous && person.plasma_site !== "venous") {
          const slow = linkedResponse(own, person.venous_rate_per_h, elapsed, duration_h);
          found.venous[index] += strength * (fast * plasma + (1 - fast) * slow);
        }
      });
    }
    return found;
  }

  function concentrations(person, infusions, t_h) {
    for (const { dose_mg, start_h, duration_h } of infusions) {
      positive("duration_h", duration_h);
      if (!(dose_mg >= 0 && start_h >= 0 && Number.isFinite(dose_mg + start_h))) {
        throw new RangeError(`dose_mg, start_h: got ${dose_mg}, ${start_h}; allowed are numbers of 0 or more`);
      }
    }
    const found = {};
    person.species.forEach((species, index) => {
      found[species] = oneSpecies(person, person.cl_l_per_h[index], person.share[index], infusions, t_h);
    });
    if (found.s_ket && found.r_ket) {
      found.ket = Object.fromEntries(
        person.sites.map((site) => [site, found.s_ket[site].map((conc, index) => conc + found.r_ket[site][index])]),
      );
    }
    return found;
  }

  const saturation = (conc, c50, hill) => (conc > 0 ? 1 / (1 + (c50 / conc) ** hill) : 0);

  const drugHigh = (conc, { emax_vas, c50_ng_per_ml, hill }) => emax_vas * saturation(conc, c50_ng_per_ml, hill);

  function pressureRise(conc, { rise_mmhg, reference_ng_per_ml, c50_ng_per_ml, most_ng_per_ml }) {
    if (c50_ng_per_ml === null) return (rise_mmhg / reference_ng_per_ml) * Math.min(conc, most_ng_per_ml ?? Infinity);
    return (rise_mmhg * saturation(conc, c50_ng_per_ml, 1)) / saturation(reference_ng_per_ml, c50_ng_per_ml, 1);
  }

  return Object.freeze({
    modes, plasmaResponse, linkedResponse, typicalPerson, concentrations, drugHigh, pressureRise,
  });
})();
