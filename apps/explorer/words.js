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

// Of a network, where its search has no mode that grows.
const mode_words = {
  ...search_words,
  diverges: "No mode grows: the search has no drive.",
  frozen: "U is frozen: there is no search.",
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
  event: "m", at: 0.5, signed: 0, unit: "raw", "mu-lo": 0.01, "mu-hi": 0.99, dim: 1000, batch: 100,
  x: "mu", "x-lo": 0.05, "x-hi": 0.95, "x-log": 0, y: "gamma", "y-lo": 0, "y-hi": 0.2, "y-log": 0, cells: 32,
  width: 4, "teacher-width": 4, "off-target": 2, rank: 2, adapter: "sphere", train: "lora", readout: "sqrt", seed: 0,
  "net-lr": 0, "net-end": 0, "net-log": 0, "net-show": "M",
};

// A map over μ and the start's m.
const over_m0 = { y: "m0", "y-lo": 0.01, "y-hi": 0.4 };

// The published runs of two layers: d = 100, batches of 5000, 4000 steps of 0.2 by the map of that learning rate.
const two_layers = { u0: 1e-4, gamma: 0.004, dim: 100, batch: 5000, "net-lr": 0.2, "net-end": 800, "net-log": 1, "net-show": "M", ...over_m0 };

// Each: a name, what differs from the standard, two sentences, and where the page goes to.
const presets = [
  { group: "Stories", name: "Why strong pre-training slows down",
    state: { student: "erf", mu: 0.9, ...over_m0 },
    story: "Near μ = 1 the gradient is left with what the student does not know yet, and τ grows like 1/(1 - μ)² (5.2). Move μ from 0.3 to 0.95 and watch the event go off to the right." },
  { group: "Stories", name: "Unlearning below the critical alignment",
    state: { student: "he3", mu: 0.2, ...over_m0 },
    story: "Below μ_c = 0.3207 the drive A is negative, so that the adapter first takes away what pre-training had learnt, and M ends at 0. Move μ over the dotted line of τ(μ): the same start then learns." },
  { group: "Stories", name: "LoRA+: a faster u",
    state: { student: "erf", mu: 0.7, "lr-ratio": 16, y: "lr-ratio", "y-lo": 0.25, "y-hi": 16, "y-log": 1 },
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
  { group: "The paper's figures", name: "Search time: the linear student", state: { student: "linear", ...over_m0 },
    story: "Where everything is linear A = 1 - μ and B = -1, so that τ is a root of a quadratic: 1.9 at μ = 0.1 and 101 at μ = 0.9. The paper puts it beside erf, sigmoid and ReLU; here each is a choice of its own." },
  { group: "The paper's figures", name: "Search time: erf", state: { student: "erf", ...over_m0 },
    story: "A falls faster than 1 - μ here, and τ goes from 4.5 at μ = 0.1 to 3434 at μ = 0.9. No series is cut: every value is exact to rounding, so that it differs by a percent near μ = 1 from a sum of 16 Hermite terms." },
  { group: "The paper's figures", name: "Search time: sigmoid", state: { student: "sigmoid", ...over_m0 },
    story: "The sigmoid is the slowest of the four in raw units, since its slope is small: τ is 43 at μ = 0.1. Choose units of 1/E[σ'²] to take the slope out." },
  { group: "The paper's figures", name: "Search time: ReLU", state: { student: "relu", ...over_m0 },
    story: "A = (1 - μ)/2 and B = -1/2, twice the linear student's τ at every μ. A Hermite series without its term k = 0 in B is far off here, by a quarter to five times." },
  { group: "The paper's figures", name: "Search time: even Hermite polynomials", state: { student: "he10", unit: "fisher", "mu-lo": 0.03, ...over_m0 },
    story: "He₂, He₆, He₁₀ and He₁₄ in Fisher units: write he2, he6 or he14 for the student. The first two have A > 0 everywhere; from He₁₀ on a pair of critical alignments stands between, at 0.397 and 0.573." },
  { group: "The paper's figures", name: "Search time: odd Hermite polynomials", state: { student: "he5", unit: "fisher", "mu-lo": 0.03, ...over_m0 },
    story: "He₃, He₅, He₇ and He₉ each have one critical alignment, which moves from 0.321 to 0.425, 0.472 and 0.536. Below it pre-training is unlearned." },
  { group: "The paper's figures", name: "Search time: squared labels", state: { student: "relu", teacher: "relu^2", ...over_m0 },
    story: "The teacher is the student's square. ReLU has a drive at every μ and is half there after 6 to 18 units of time; try erf with erf^2, where A < 0 throughout, and he3 with he3^2." },
  { group: "The paper's figures", name: "Search time: two Hermite polynomials", state: { student: "he1+he3", ...over_m0 },
    story: "He₁ + He₃ starts with a drive from He₁, loses it at μ = 0.313 and finds it again. Write he3+he5, whose critical alignment is 0.471, or he2+he4, where A vanishes at 0.267 but τ stays finite, since B > 0." },
  { group: "The paper's figures", name: "Measured escape times", state: { student: "erf", gamma: 0.4, m0: 0.0305, dim: 1000, batch: 500, y: "gamma", "y-lo": 0.01, "y-hi": 8, "y-log": 1 },
    story: "SGD at d = 1000 with batches of 500 and η = 0.2, so γ = 0.4, from |m| = 0.03: at μ = 0.5 half of the way is gone at t = 128. Simulate runs under the law to see what single runs do." },
  { group: "The paper's figures", name: "Risk and overlaps in time", state: { student: "relu", gamma: 0.4, m0: 0.0305, dim: 1000, batch: 500, ...over_m0 },
    story: "The same setting with ReLU: a plateau while m grows unseen, then the fall. The published curves stop at a risk of 1e-13, where single precision ends; here it goes to 0." },
  { group: "The paper's figures", name: "A misaligned weight", state: { student: "erf", mu: 0.49095, nu: 0.49992, gamma: 0.4, dim: 1000, batch: 500, y: "nu", "y-lo": 0, "y-hi": 0.8 },
    story: "w0 = ½ w* + ½ ξ with <w*, ξ> = -0.018, which is μ = 0.491, ν = 0.500 in orthogonal directions. The adapter must take ξ away too, so that it ends at m = 0.7135 and s = -0.7007 instead of at m = 1." },
  { group: "The paper's figures", name: "Even students: a constant to learn", state: { student: "he2", mu: 0.2, ...over_m0 },
    story: "E[σ] depends on |w|² for even polynomials, which drives u before the direction is found. He₂ learns at μ = 0.1, 0.2 and 0.4; so does He₄, while He₃, without such a constant, unlearns at the first two." },
  { group: "The paper's figures", name: "He₃ on both sides of its critical alignment", state: { student: "he3", mu: 0.325, "mu-lo": 0.2, "mu-hi": 0.5, x: "mu", "x-lo": 0.2, "x-hi": 0.5, ...over_m0 },
    story: "At μ = 0.325, just above μ_c = 0.3207, the search takes τ = 2384, and no run of the published length escapes. At μ = 0.2 it takes 11.9, and what it finds is to unlearn." },
  { group: "The paper's figures", name: "A curriculum's first stage", state: { student: "he3", teacher: "he3^2", mu: 0.2, ...over_m0 },
    story: "He₃ on squared labels, which drive it at every μ: m reaches 0.5 at t = 10, but with u < 0, so that M ends at 0. On plain labels after that He₃ does not come back by itself: write nothing for the teacher and start there." },
  { group: "The paper's figures", name: "The linear potential", state: { student: "linear", "lr-ratio": 1000, y: "lr-ratio", "y-lo": 1, "y-hi": 1000, "y-log": 1 },
    story: "With u much faster than v the linear student rolls down one potential: m = tanh g with g' = (1 - μ)² tanh g. Move κ down to see from where on u is no longer in step." },
  { group: "The paper's figures", name: "V alone, from scratch", state: { student: "he3", mu: 0, "lr-ratio": 0, u0: 1, ...over_m0 },
    story: "κ = 0 holds u = 1, and μ = 0: w = v, on its sphere, learns from nothing. From m = 0.03 He₂ is half there at t = 0.7, He₃ at 1.8, He₄ at 5.8; from m = 1/√d these times grow like log d, √d and d." },
  { group: "The paper's two layers", name: "Two layers: the linear student", at: "network", state: { student: "linear", ...two_layers, rank: 1 },
    story: "A linear student sees the sum of its rows alone: one adapter takes the error to zero with both neurons at M = 0.62 only. The overlaps with the targets tell less than the risk here." },
  { group: "The paper's two layers", name: "Two layers: erf, one adapter", at: "network", state: { student: "erf", ...two_layers, rank: 1 },
    story: "Four neurons, two of them at μ = 0.5 from their targets, and one adapter: after 4000 steps they stand at M = 0.58 and 0.75, and the risk stays at 0.0032. Give r = 2, or move μ to 0.1 and 0.9." },
  { group: "The paper's two layers", name: "Two layers: erf, four adapters", at: "network", state: { student: "erf", ...two_layers, rank: 4 },
    story: "With an adapter for each neuron both are at M = 0.96 after 4000 steps, on their way to 1. Let it run until t = 2000 to see the risk vanish." },
  { group: "The paper's two layers", name: "Two layers: ReLU, three adapters", at: "network", state: { student: "relu", ...two_layers, readout: "mean", rank: 3 },
    story: "ReLU needs two adapters; with three M = 0.98 and 1.01 are reached after 4000 steps. With one it ends at 0.46 and 1.21: a part of one neuron's work is done by the other." },
  { group: "The paper's two layers", name: "Two layers: He₃, two adapters", at: "network", state: { student: "he3", ...two_layers, gamma: 0.000222222222222, "net-lr": 0.0111111111111, "net-end": 44.4444444444, rank: 2 },
    story: "A long plateau at a risk of 0.29, where one adapter ends, then both neurons arrive: the risk is 2·10⁻⁹ after 4000 steps of η = 0.2/18. Another seed is another start, and some are still on the plateau then." },
  { group: "Figures", name: "Four neurons, two adapters", at: "network", state: { student: "erf", rank: 2, "net-log": 1, "net-end": 3000 },
    story: "Both adapters first move both neurons alike, which is a plateau of the risk, then each takes one. The flow of W0 = diag(μ, μ, 1, 1) T." },
  { group: "Figures", name: "τ(μ) of erf", state: { student: "erf", ...over_m0 },
    story: "The search time of a matched erf pair. Every value is one evaluation of (4.3)." },
  { group: "Figures", name: "τ(μ) of ReLU", state: { student: "relu", ...over_m0 },
    story: "ReLU's drive is A = (1 - μ)/2 with B = -1/2. Its search is twice as long as the linear student's." },
  { group: "Figures", name: "τ(μ) of He₃ in Fisher units", state: { student: "he3", unit: "fisher", "mu-lo": 0.03, ...over_m0 },
    story: "τ in units of 1/E[σ'²], with the critical alignment of He₃. The times of odd Hermite polynomials can be compared in these units." },
  { group: "Figures", name: "The phase plane of He₃ at μ = 0.2", state: { student: "he3", mu: 0.2, ...over_m0 },
    story: "Field, nullclines and equilibria at s = 0. The run from the standard start unlearns." },
  { group: "Figures", name: "He₃ + a He₅ over μ and a",
    state: { student: "he3+{a}*he5", "{a}": 0.1, y: "a", "y-lo": -0.5, "y-hi": 0.5, cells: 64 },
    story: "Where fine-tuning learns and where it destroys what pre-training had learnt. The border follows A = 0 where B < 0." },
  { group: "Figures", name: "An erf run in time", state: { student: "erf", mu: 0.5, ...over_m0 },
    story: "Overlaps and risk through the search, the event and the rest. The first part is the linear instability of (4.1)." },
  { group: "Figures", name: "The law of erf at γ = 1", state: { student: "erf", mu: 0.5, gamma: 1, dim: 1000, batch: 100, y: "gamma", "y-lo": 0, "y-hi": 8 },
    story: "The escape time over random starts at d = 1000. Simulate runs to see the exact chain beside it." },
];
