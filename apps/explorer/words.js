// What statuses mean, and the presets.

const outcome_words = {
  learned: "learned: it ends where the risk is least",
  unlearned: "unlearned: the pre-trained signal is gone (M → 0)",
  trapped: "trapped: it rests at a stable equilibrium that is not the best",
  diverging: "diverging: the weight grows without bound",
  cycling: "cycling: it goes round a closed orbit, which noise has made",
  searching: "searching: it is not known where it ends",
};

const run_words = {
  ok: "",
  "no-event": "The run ends without its event.",
  "met-at-start": "The start meets the event already.",
  "time-limit": "It was given up at the end time.",
  "step-limit": "It was given up after the most steps.",
  "step-underflow": "The tolerance can't be reached.",
  "blow-up": "The state grows beyond bounds.",
  undefined: "The flow is not defined at the start.",
  "no-convergence": "An average over the data does not converge there.",
};

const search_words = {
  ok: "",
  imprecise: "The drive is so near zero that its rounding shows in τ.",
  diverges: "A = C = 0 and B ≤ 0: the search has no drive, τ does not exist.",
  frozen: "κ = 0 freezes u: there is no search.",
  undefined: "A, B or C does not exist here.",
  overflow: "A, B or C is beyond the range of a number.",
  "no-convergence": "An average over the data does not converge.",
};

const critical_words = {
  diverges: "τ diverges",
  finite: "τ stays finite",
  marginal: "τ grows like 1/|A|",
  touches: "A touches zero",
  "possible-double-root": "perhaps a double root",
  "no-convergence": "A can't be followed",
};

const law_words = {
  ok: "",
  "no-instability": "There is no law: the search is not a linear instability.",
  "no-escape": "There is no law: along the unstable direction the event never comes.",
  "small-dimension": "d is small: one start in twenty is too large for the law.",
};

const outcome_order = ["learned", "unlearned", "trapped", "diverging", "cycling", "searching"];

const standard_state = {
  student: "he3", teacher: "", mu: 0.5, nu: 0, gamma: 0, noise: 0, "lr-ratio": 1, u0: 1e-6, m0: 0.03, s0: 0,
  event: "m", at: 0.5, unit: "raw", "mu-lo": 0.01, "mu-hi": 0.99, dim: 1000, batch: 100,
  x: "mu", "x-lo": 0.05, "x-hi": 0.95, y: "gamma", "y-lo": 0, "y-hi": 0.2, cells: 32,
};

// Each: a name, what differs from the standard, and two sentences.
const presets = [
  { group: "Stories", name: "Why strong pre-training slows down",
    state: { student: "erf", mu: 0.9, y: "m0", "y-lo": 0.01, "y-hi": 0.4 },
    story: "Near μ = 1 the gradient is left with what the student does not know yet, and τ grows like 1/(1 - μ)² (5.2). Move μ from 0.3 to 0.95 and watch the event go off to the right." },
  { group: "Stories", name: "Unlearning below the critical alignment",
    state: { student: "he3", mu: 0.2, x: "mu", y: "m0", "y-lo": 0.01, "y-hi": 0.4 },
    story: "Below μ_c = 0.3207 the drive A is negative, so that the adapter first takes away what pre-training had learnt, and M ends at 0. Move μ over the dotted line of τ(μ): the same start then learns." },
  { group: "Stories", name: "LoRA+: a faster u",
    state: { student: "erf", mu: 0.7, "lr-ratio": 16, y: "lr-ratio", "y-lo": 0.25, "y-hi": 16 },
    story: "κ is the learning rate of u over that of v, which LoRA+ raises. Where B < 0 and A is small, τ ≈ |B|/A² does not depend on κ at all: compare κ = 1 with 16 at μ = 0.7 and at μ = 0.1." },
  { group: "Stories", name: "Noise",
    state: { student: "erf", mu: 0.5, gamma: 1, noise: 0.1, y: "gamma", "y-lo": 0, "y-hi": 8 },
    story: "γ = η d/B is the strength of SGD's noise, large for large steps and small batches. Move it from 0 to 8: the search takes hardly longer, but M ends further below 1 and the risk further above Δ/2." },
  { group: "Stories", name: "A trap",
    state: { student: "he3", mu: 0.5, gamma: 0.1, y: "gamma", "y-lo": 0, "y-hi": 0.2 },
    story: "At γ = 0.1 the noise has made a saddle of the target at (u, m) = (0.5, 1), and the run is trapped at a sink with a risk of 1.9. Move γ to 0.02, where the same start learns, and see in the map how the trap depends on μ." },
  { group: "Stories", name: "Pre-training too long",
    state: { student: "he3", mu: 0.63, nu: 0.643, event: "risk", at: 0.3, y: "nu", "y-lo": 0, "y-hi": 0.7 },
    story: "Trained on a source at an angle to the target, a model learns beside it: μ and ν grow together, along the diagonal of the map. From μ = 0.49, ν = 0.5 the risk falls to 0.3 at t = 1.61; from μ = 0.63, ν = 0.643, after a longer pre-training, only at 1.91." },
  { group: "Figures", name: "τ(μ) of erf", state: { student: "erf", y: "m0", "y-lo": 0.01, "y-hi": 0.4 },
    story: "The search time of a matched erf pair. Every value is one evaluation of (4.3)." },
  { group: "Figures", name: "τ(μ) of ReLU", state: { student: "relu", y: "m0", "y-lo": 0.01, "y-hi": 0.4 },
    story: "ReLU's drive is A = (1 - μ)/2 with B = -1/2. Its search is twice as long as the linear student's." },
  { group: "Figures", name: "τ(μ) of He₃ in Fisher units", state: { student: "he3", unit: "fisher", "mu-lo": 0.03, y: "m0", "y-lo": 0.01, "y-hi": 0.4 },
    story: "τ in units of 1/E[σ'²], with the critical alignment of He₃. The times of odd Hermite polynomials can be compared in these units." },
  { group: "Figures", name: "The phase plane of He₃ at μ = 0.2", state: { student: "he3", mu: 0.2, y: "m0", "y-lo": 0.01, "y-hi": 0.4 },
    story: "Field, nullclines and equilibria at s = 0. The run from the standard start unlearns." },
  { group: "Figures", name: "He₃ + a He₅ over μ and a",
    state: { student: "he3+{a}*he5", "{a}": 0.1, y: "a", "y-lo": -0.5, "y-hi": 0.5, cells: 64 },
    story: "Where fine-tuning learns and where it destroys what pre-training had learnt. The border follows A = 0 where B < 0." },
  { group: "Figures", name: "An erf run in time", state: { student: "erf", mu: 0.5, y: "m0", "y-lo": 0.01, "y-hi": 0.4 },
    story: "Overlaps and risk through the search, the event and the rest. The first part is the linear instability of (4.1)." },
  { group: "Figures", name: "The law of erf at γ = 1", state: { student: "erf", mu: 0.5, gamma: 1, dim: 1000, batch: 100, y: "gamma", "y-lo": 0, "y-hi": 8 },
    story: "The escape time over random starts at d = 1000. Simulate runs to see the exact chain beside it." },
];
